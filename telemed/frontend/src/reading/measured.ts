/** A measurement as people read it. */
import { t } from "../core/page";

export function measured(name: string, value: number | null | undefined): string {
  const unit = name.endsWith("_ms") ? "ms" : name.endsWith("_deg") ? "°" : t("ui.measurement.unit.bpm");
  return `${Math.round(value ?? 0)}${unit === "°" ? "" : " "}${unit}`;
}

/** mV; without the minus that a rounded zero would keep. */
export function hundredths(level: number): string {
  return (Math.round(level * 100) / 100 + 0).toFixed(2);
}

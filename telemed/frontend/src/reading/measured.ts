/** A measurement as people read it. */
import { t } from "../core/page";

export function measured(name: string, value: number | null | undefined): string {
  const unit = name.endsWith("_ms") ? "ms" : name.endsWith("_deg") ? "°" : t("ui.measurement.unit.bpm");
  return `${Math.round(value ?? 0)}${unit === "°" ? "" : " "}${unit}`;
}

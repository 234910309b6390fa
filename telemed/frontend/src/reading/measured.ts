/** A measurement as people read it. */
import { t } from "../core/page";
import type { Analysis, Case } from "../core/types";

/** The names that answers give them; the unit is part of the text. */
const measurements: readonly string[] = [
  "heart_rate_bpm",
  "pr_ms",
  "qrs_ms",
  "qt_ms",
  "qtc_ms",
  "qtc_fridericia_ms",
  "p_axis_deg",
  "qrs_axis_deg",
  "t_axis_deg",
];

export function measured(name: string, value: number | null | undefined): string {
  const unit = name.endsWith("_ms") ? "ms" : name.endsWith("_deg") ? "°" : t("ui.measurement.unit.bpm");
  return `${Math.round(value ?? 0)}${unit === "°" ? "" : " "}${unit}`;
}

/** mV; without the minus that a rounded zero would keep. */
export function hundredths(level: number): string {
  return (Math.round(level * 100) / 100 + 0).toFixed(2);
}

/** The answer that measured most: several models may give a heart rate, one alone the intervals. */
export function mostMeasured(analyses: readonly Analysis[]) {
  const rows = analyses.map(({ measurements: given, model }) => {
    const values = given ?? {};
    return { values, model, known: measurements.filter((name) => typeof values[name] === "number") };
  });
  return rows.reduce<(typeof rows)[number] | null>(
    (most, row) => (row.known.length > (most?.known.length ?? 0) ? row : most),
    null,
  );
}

/** What a text may say: of one answer, the one whose table is shown. Two models may count a rate differently. */
export function measuredValues(item: Case): Record<string, number | null> {
  return mostMeasured(item.analyses.filter((one) => one.in_domain))?.values ?? {};
}

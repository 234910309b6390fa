/** The text behind the one key for a normal exam: a proposal that the doctor reads, changes and signs. */
import { t } from "../core/page";
import type { Case } from "../core/types";
import type { Fields } from "./autosave";
import { measuredValues } from "./measured";

const chest = /chest|thorax|胸/i;

/** Undefined where no normal text is kept for this exam. */
export function normalReport(item: Case): Fields | undefined {
  const flags = { critical: false, abnormal: false };
  if (item.modality === "ECG") {
    const rate = measuredValues(item).heart_rate_bpm;
    return {
      findings:
        typeof rate === "number"
          ? t("ui.normal.ecg.findings", { rate: Math.round(rate) })
          : t("ui.normal.ecg.findings_without_rate"),
      impression: t("ui.normal.ecg.impression"),
      recommendation: t("ui.normal.ecg.recommendation"),
      ...flags,
    };
  }
  if (["DX", "CR", "DR"].includes(item.modality) && chest.test(`${item.body_part} ${item.exam}`)) {
    return {
      findings: t("ui.normal.chest.findings"),
      impression: t("ui.normal.chest.impression"),
      recommendation: t("ui.normal.chest.recommendation"),
      ...flags,
    };
  }
  return undefined;
}

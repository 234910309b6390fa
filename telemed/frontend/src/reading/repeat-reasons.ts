/** Why a recording has to be made again: what is said most, one press each. */
import { t } from "../core/page";

export function repeatReasons(modality: string): string[] {
  if (modality === "ECG")
    return [
      t("ui.repeat.ecg.lead_off"),
      t("ui.repeat.ecg.noise"),
      t("ui.repeat.ecg.swapped"),
      t("ui.repeat.ecg.patient"),
    ];
  return [
    t("ui.repeat.image.position"),
    t("ui.repeat.image.motion"),
    t("ui.repeat.image.exposure"),
    t("ui.repeat.image.part"),
  ];
}

/** Why a recording has to be made again: what is said most, one press each, counted under its code. */
import { t } from "../core/page";

const ecg = ["ecg.lead_off", "ecg.noise", "ecg.swapped", "ecg.patient"] as const;
const image = ["image.position", "image.motion", "image.exposure", "image.part"] as const;

function codes(modality: string): typeof ecg | typeof image {
  return modality === "ECG" ? ecg : image;
}

export function repeatReasons(modality: string): string[] {
  return codes(modality).map((code) => t(`ui.repeat.${code}`));
}

/** A usual reason, also where a sentence follows it; everything else counts as another one. */
export function repeatCode(modality: string, reason: string): string {
  return codes(modality).find((code) => reason.startsWith(t(`ui.repeat.${code}`))) ?? "other";
}

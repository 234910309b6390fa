/** Windows by name: for CT in Hounsfield units, where they mean the same everywhere; elsewhere shares of the own one. */
import type { TextKey } from "../core/page";

export interface Preset {
  label: TextKey;
  /** Null is the object's own. */
  center: number | null;
  width: number;
}

const own: Preset = { label: "ui.picture.window.own", center: null, width: 0 };

const ct: readonly Preset[] = [
  own,
  { label: "ui.picture.window.lung", center: -600, width: 1500 },
  { label: "ui.picture.window.soft", center: 40, width: 400 },
  { label: "ui.picture.window.bone", center: 300, width: 1500 },
  { label: "ui.picture.window.brain", center: 40, width: 80 },
  { label: "ui.picture.window.liver", center: 60, width: 160 },
];

/** Narrower and wider about the same centre: contrast without a scale of its own. */
export const contrasts: readonly { label: TextKey; factor: number }[] = [
  { label: "ui.picture.window.own", factor: 1 },
  { label: "ui.picture.window.harder", factor: 0.6 },
  { label: "ui.picture.window.softer", factor: 1.6 },
];

export interface Shown {
  center: number;
  width: number;
}

/** The windows of a picture by number, each with what it shows; null is the object's own. */
export function presetsFor(modality: string, mine: Shown): { label: TextKey; window: Shown | null }[] {
  if (modality === "CT")
    return ct.map(({ label, center, width }) => ({
      label,
      window: center === null ? null : { center, width },
    }));
  return contrasts.map(({ label, factor }) => ({
    label,
    window: factor === 1 ? null : { center: mine.center, width: mine.width * factor },
  }));
}

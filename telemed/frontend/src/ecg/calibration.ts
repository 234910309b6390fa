/**
 * How many CSS pixels one millimetre of this very screen takes.
 *
 * Kept together with the pixel ratio at which it was measured, because zooming the browser changes the size
 * of a CSS pixel and not that of the screen; and per screen, because a reading desk has two.
 */
import { forget, keep, recall } from "../core/storage";

/** CSS defines an inch of 96 pixels; true on few screens, so the page says that it is not calibrated. */
export const NOMINAL = 96 / 25.4;

interface Measured {
  css_px_per_mm: number;
  ratio: number;
}

export interface Scale {
  cssPxPerMm: number;
  calibrated: boolean;
}

// Where the browser keeps nothing, the measurement holds until the page is left.
let unkept: Measured | null = null;

function key(): string {
  return `telemed.screen.${screen.width}x${screen.height}`;
}

export function currentScale(): Scale {
  const measured = recall<Measured>(key()) ?? unkept;
  if (!measured || !(measured.css_px_per_mm > 0) || !(measured.ratio > 0)) {
    return { cssPxPerMm: NOMINAL, calibrated: false };
  }
  return {
    cssPxPerMm: (measured.css_px_per_mm * measured.ratio) / window.devicePixelRatio,
    calibrated: true,
  };
}

/** False when this browser keeps nothing: the scale then holds until the page is left. */
export function calibrate(cssPxPerMm: number): boolean {
  unkept = { css_px_per_mm: cssPxPerMm, ratio: window.devicePixelRatio };
  return keep(key(), unkept);
}

export function uncalibrate(): void {
  unkept = null;
  forget(key());
}

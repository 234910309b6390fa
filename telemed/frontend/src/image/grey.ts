/**
 * From stored values to what is shown (PS3.3 C.11.1 and C.11.2, PS3.4 N.2), by the same rules as the server's
 * pictures: modality LUT or rescale, window or VOI LUT, MONOCHROME1 turned round, padding black.
 *
 * Frames have at most sixteen bits, so the whole chain is a table over the values between lowest and highest.
 */
import type { Description, Lut, VoiFunction, VoiWindow } from "./description";
import type { Samples, Values } from "./samples";

export interface Grey {
  description: Description;
  samples: Samples;
  /** In modality units: the stored values themselves where nothing has to be done to them. */
  values: Values | Float32Array<ArrayBuffer>;
  low: number;
  high: number;
  /** What the object asks to be shown with; a VOI LUT counts before a window. */
  own: VoiWindow;
}

export function greyOf(description: Description, samples: Samples): Grey {
  const plain = !description.modalityLut && description.slope === 1 && description.intercept === 0;
  const values = plain ? samples.values : inUnits(description, samples.values);
  const ends = plain ? [samples.low, samples.high] : range(description, samples);
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  return { description, samples, values, low, high, own: ownWindow(description, low, high) };
}

function inUnits(description: Description, stored: Values): Float32Array<ArrayBuffer> {
  const found = new Float32Array(stored.length);
  const { modalityLut, slope, intercept } = description;
  for (let at = 0; at < stored.length; at++) {
    const value = stored[at] ?? 0;
    found[at] = modalityLut ? entry(modalityLut, value) : value * slope + intercept;
  }
  return found;
}

function range(description: Description, { values, low, high }: Samples): number[] {
  if (!description.modalityLut) return [modality(description, low), modality(description, high)];
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const present = new Set<number>(values);
  for (const value of present) {
    if (padded(description, value)) continue;
    const shown = modality(description, value);
    least = Math.min(least, shown);
    most = Math.max(most, shown);
  }
  return least > most ? [0, 0] : [least, most];
}

function padded({ padding }: Description, value: number): boolean {
  return padding !== null && value >= padding[0] && value <= padding[1];
}

export function modality(description: Description, stored: number): number {
  const { modalityLut, slope, intercept } = description;
  return modalityLut ? entry(modalityLut, stored) : stored * slope + intercept;
}

function entry(lut: Lut, value: number): number {
  const at = Math.min(Math.max(Math.floor(value) - lut.first, 0), lut.entries.length - 1);
  return lut.entries[at] ?? 0;
}

/** Of a VOI LUT its reach, so that a window drawn from there begins near what was seen. */
function ownWindow({ voiLut, window }: Description, low: number, high: number): VoiWindow {
  if (voiLut)
    return {
      center: voiLut.first + voiLut.entries.length / 2,
      width: voiLut.entries.length,
      function: "LINEAR",
    };
  // The range of the pixels, as share (value - low) / (high - low).
  return window ?? { center: (low + high) / 2, width: Math.max(high - low, 1e-6), function: "LINEAR_EXACT" };
}

/** Share of full brightness: PS3.3 C.11.2.1.2.1 (linear), C.11.2.1.3.1 (sigmoid), C.11.2.1.3.2 (exact). */
export function share(value: number, { center, width, function: name }: VoiWindow): number {
  if (name === "SIGMOID") return 1 / (1 + Math.exp((-4 * (value - center)) / width));
  const [middle, reach] = name === "LINEAR" ? [center - 0.5, width - 1] : [center, width];
  if (reach <= 0) return value > middle ? 1 : 0;
  return Math.min(Math.max((value - middle) / reach + 0.5, 0), 1);
}

/** As a user's window is meant: the function stays that of the object, but where the object has a table. */
export function userFunction({ description, own }: Grey): VoiFunction {
  return description.voiLut || own.function !== "SIGMOID" ? "LINEAR" : "SIGMOID";
}

/** Grey levels 0 to 255 for the stored values from `samples.low`'s place on; `window` null is the object's own. */
export function levels(grey: Grey, first: number, last: number, window: VoiWindow | null): Uint8Array {
  const { description, low, high } = grey;
  const table = new Uint8Array(last - first + 1);
  const lut = window === null ? description.voiLut : null;
  const chosen = window ?? grey.own;
  const flat = window === null && !lut && !description.window && low >= high;
  const turned = description.photometric === "MONOCHROME1";
  for (let value = first; value <= last; value++) {
    if (padded(description, value)) continue;
    const shown = modality(description, value);
    const part = flat ? 0.5 : lut ? entry(lut, shown) / lut.most : share(shown, chosen);
    table[value - first] = toEven(Math.min(Math.max(turned ? 1 - part : part, 0), 1) * 255);
  }
  return table;
}

/** Halves to the even neighbour, as the server rounds. */
function toEven(value: number): number {
  const down = Math.floor(value);
  if (value - down !== 0.5) return Math.round(value);
  return down % 2 === 0 ? down : down + 1;
}

/**
 * From stored values to what is shown (PS3.3 C.11.1 and C.11.2, PS3.4 N.2), by the same rules as the server's
 * pictures: modality LUT or rescale, window or VOI LUT, MONOCHROME1 turned round, padding black.
 *
 * Frames have at most sixteen bits, so the whole chain is a table over the values between lowest and highest.
 */
import type { Description, Lut, VoiFunction, VoiWindow } from "./description";
import type { Samples, Values } from "./samples";

/** A frame as it is kept: what its pixels are worth, and how they are found in a table of grey levels. */
export interface Pixels {
  /** In modality units: the stored values themselves where nothing has to be done to them. */
  values: Values | Float32Array<ArrayBuffer>;
  /** Whole numbers, `shift` above the stored ones; the units themselves where those are whole too. */
  keys: Values;
  shift: number;
  low: number;
  high: number;
}

export interface Grey extends Pixels {
  description: Description;
  /** What the object asks to be shown with; a VOI LUT counts before a window. */
  own: VoiWindow;
}

export function pixelsOf(description: Description, samples: Samples): Pixels {
  const { modalityLut, slope, intercept } = description;
  const plain = !modalityLut && slope === 1 && intercept === 0;
  const ends = plain ? [samples.low, samples.high] : range(description, samples);
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const stored = { keys: samples.values, shift: 0, low, high };
  if (plain) return { ...stored, values: samples.values };
  const moved = modalityLut || slope !== 1 ? null : shifted(samples.values, intercept, description);
  if (moved) return { values: moved, keys: moved, shift: intercept, low, high };
  return { ...stored, values: inUnits(description, samples.values) };
}

export function greyOf(description: Description, pixels: Pixels): Grey {
  return { ...pixels, description, own: ownWindow(description, pixels.low, pixels.high) };
}

/** As CT has it: whole units, of which one array is enough, at half the memory; null where they do not fit. */
function shifted(stored: Values, by: number, description: Description): Values | null {
  const [first, last] = extent(description, stored);
  if (!Number.isInteger(by) || first + by < -0x8000 || last + by > 0x7fff) return null;
  const found = new Int16Array(stored.length);
  for (let at = 0; at < stored.length; at++) found[at] = (stored[at] ?? 0) + by;
  return found;
}

/** All stored values there may be, padding too. */
export function extent({ bitsStored, signed }: Description, stored: Values): [number, number] {
  const bits = Math.min(Math.max(bitsStored, 1), stored.BYTES_PER_ELEMENT * 8);
  return signed ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
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

/** Opaque greys for a canvas, by `keys` from `first` on; `window` null is the object's own. */
export interface Shades {
  first: number;
  table: Uint32Array;
}

const OPAQUE = 0xff000000;

export function shadesOf(grey: Grey, window: VoiWindow | null, invert: boolean): Shades {
  const [first, last] = extent(grey.description, grey.keys);
  const table = Uint32Array.from(levels(grey, first, last, window), (level) => {
    const shade = invert ? 255 - level : level;
    return OPAQUE | (shade << 16) | (shade << 8) | shade;
  });
  return { first: first + grey.shift, table };
}

/** The whole picture, ready for a canvas. */
export function shaded(keys: Values, { first, table }: Shades, into: Uint8ClampedArray<ArrayBuffer>): void {
  const pixels = new Uint32Array(into.buffer);
  for (let at = 0; at < pixels.length; at++) pixels[at] = table[(keys[at] ?? first) - first] ?? OPAQUE;
}

/** Grey levels 0 to 255 for the stored values from `first` to `last`; `window` null is the object's own. */
function levels(grey: Grey, first: number, last: number, window: VoiWindow | null): Uint8Array {
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

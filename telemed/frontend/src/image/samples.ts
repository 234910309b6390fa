/** Stored values of a monochrome frame: right-aligned, without what lies above BitsStored, with their sign. */

export type Values =
  | Uint8Array<ArrayBuffer>
  | Int8Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Int16Array<ArrayBuffer>;

export interface Shape {
  rows: number;
  columns: number;
  bitsAllocated: number;
  bitsStored: number;
  highBit: number;
  signed: boolean;
  padding: [number, number] | null;
}

export interface Samples {
  values: Values;
  /** Of what is no padding; both 0 where all of it is. */
  low: number;
  high: number;
}

/** The bytes of `pixels` samples, 8 or 16 bits each by their number, in memory of their own. */
export function typed(data: Uint8Array, pixels: number, shape: Shape): Values {
  const wide = data.byteLength >= 2 * pixels && (shape.bitsAllocated > 8 || shape.bitsStored > 8);
  if (data.byteLength < pixels || (shape.bitsAllocated > 8 && !wide && shape.bitsStored > 8))
    throw new Error("fewer samples than the header says");
  if (shape.bitsAllocated > 16) throw new Error(`samples of ${shape.bitsAllocated} bits`);
  const bytes = data.slice(0, wide ? 2 * pixels : pixels).buffer as ArrayBuffer;
  if (wide) return shape.signed ? new Int16Array(bytes) : new Uint16Array(bytes);
  return shape.signed ? new Int8Array(bytes) : new Uint8Array(bytes);
}

/** Decoders give right-aligned samples; only plain ones lie where HighBit says. */
export function aligned(values: Values, shape: Shape, plain: boolean): Samples {
  const width = values.BYTES_PER_ELEMENT * 8;
  const bits = Math.min(Math.max(shape.bitsStored, 1), width);
  const down = plain ? Math.max(shape.highBit + 1 - bits, 0) : 0;
  const up = 32 - bits;
  const whole = bits === width && down === 0;
  const [first, last] = shape.padding ?? [1, 0];
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < values.length; at++) {
    let value = values[at] ?? 0;
    if (!whole) {
      value = shape.signed ? ((value >> down) << up) >> up : ((value >>> down) << up) >>> up;
      values[at] = value;
    }
    if (value >= first && value <= last) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low > high ? { values, low: 0, high: 0 } : { values, low, high };
}

/** RLE Lossless (PS3.5 annex G) of a monochrome frame: one segment a byte, the most significant first. */
import type { Shape } from "./samples";

const HEAD = 64;

export function rleFrame(data: Uint8Array, shape: Shape): Uint8Array {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const segments = data.byteLength >= HEAD ? view.getUint32(0, true) : 0;
  const bytes = shape.bitsAllocated / 8;
  if (segments !== bytes) throw new Error(`${segments} segments of ${bytes}`);
  const pixels = shape.rows * shape.columns;
  const samples = new Uint8Array(pixels * bytes);
  for (let segment = 0; segment < segments; segment++) {
    const start = view.getUint32(4 * (segment + 1), true);
    const next = segment + 1 < segments ? view.getUint32(4 * (segment + 2), true) : data.byteLength;
    unpack(data.subarray(start, next), samples, bytes - 1 - segment, bytes);
  }
  return samples;
}

function unpack(packed: Uint8Array, samples: Uint8Array, first: number, step: number): void {
  let to = first;
  for (let at = 0; at < packed.length && to < samples.length; ) {
    const count = packed[at++] ?? 128;
    if (count < 128) {
      for (let left = count + 1; left > 0 && to < samples.length; left--, to += step)
        samples[to] = packed[at++] ?? 0;
    } else if (count > 128) {
      const value = packed[at++] ?? 0;
      for (let left = 257 - count; left > 0 && to < samples.length; left--, to += step) samples[to] = value;
    }
  }
  if (to < samples.length) throw new Error("a segment ends before the picture does");
}

/** The decoders by transfer syntax, each fetched when its first frame comes. */
import type { Shape } from "./samples";

/** The samples of one frame, little endian, 8 or 16 bits each. */
export type Codec = (data: Uint8Array<ArrayBuffer>, shape: Shape) => Uint8Array;

/** What the WebAssembly decoders have in common. */
interface Decoder {
  getEncodedBuffer(length: number): Uint8Array;
  decode(): void;
  getFrameInfo(): { width: number; height: number; componentCount: number };
  getDecodedBuffer(): Uint8Array;
}

interface Module {
  getExceptionMessage?(pointer: number): string;
}

type Classes = Readonly<Record<string, (new () => Decoder) | undefined>>;
type Factory = (options: { locateFile(name: string): string }) => Promise<Module & Classes>;

function compiled(
  load: () => Promise<[{ default: unknown }, { default: string }]>,
  name: string,
): () => Promise<Codec> {
  let made: Promise<Codec> | undefined;
  return () => {
    made ??= load()
      .then(([factory, address]) => (factory.default as Factory)({ locateFile: () => address.default }))
      .then((module) => {
        const Made = module[name];
        if (!Made) throw new Error(`the decoder has no ${name}`);
        const decoder = new Made();
        return (data, shape) => frame(decoder, module, data, shape);
      });
    // What was not fetched this time is asked for again the next time.
    made.catch(() => {
      made = undefined;
    });
    return made;
  };
}

function frame(decoder: Decoder, module: Module, data: Uint8Array, shape: Shape): Uint8Array {
  try {
    decoder.getEncodedBuffer(data.length).set(data);
    decoder.decode();
  } catch (cause) {
    // The decoders throw the address of what went wrong.
    throw typeof cause === "number" ? new Error(module.getExceptionMessage?.(cause) ?? "not decoded") : cause;
  }
  const { width, height, componentCount } = decoder.getFrameInfo();
  if (width !== shape.columns || height !== shape.rows || componentCount !== 1)
    throw new Error("the stream has another size than the header says");
  return decoder.getDecodedBuffer();
}

const jpegLs = compiled(
  () =>
    Promise.all([
      import("@cornerstonejs/codec-charls/decodewasmjs"),
      import("@cornerstonejs/codec-charls/decodewasm?url"),
    ]),
  "JpegLSDecoder",
);
const jpeg2000 = compiled(
  () =>
    Promise.all([
      import("@cornerstonejs/codec-openjpeg/decodewasmjs"),
      import("@cornerstonejs/codec-openjpeg/decodewasm?url"),
    ]),
  "J2KDecoder",
);
const highThroughput = compiled(
  () =>
    Promise.all([
      import("@cornerstonejs/codec-openjph/wasmjs"),
      import("@cornerstonejs/codec-openjph/wasm?url"),
    ]),
  "HTJ2KDecoder",
);
const jpeg = compiled(
  () =>
    Promise.all([
      import("@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs"),
      import("@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasm?url"),
    ]),
  "JPEGDecoder",
);

async function jpegLossless(): Promise<Codec> {
  const { Decoder } = await import("@cornerstonejs/jpeg-lossless-decoder-js");
  return (data, shape) => {
    const bytes = shape.bitsAllocated <= 8 ? 1 : 2;
    const found = new Decoder().decode(data.buffer, data.byteOffset, data.length, bytes);
    return new Uint8Array(found.buffer, found.byteOffset, found.byteLength);
  };
}

async function rle(): Promise<Codec> {
  return (await import("./rle")).rleFrame;
}

export const codecs: Readonly<Record<string, () => Promise<Codec>>> = {
  "1.2.840.10008.1.2.5": rle,
  "1.2.840.10008.1.2.4.50": jpeg,
  "1.2.840.10008.1.2.4.57": jpegLossless,
  "1.2.840.10008.1.2.4.70": jpegLossless,
  "1.2.840.10008.1.2.4.80": jpegLs,
  "1.2.840.10008.1.2.4.81": jpegLs,
  "1.2.840.10008.1.2.4.90": jpeg2000,
  "1.2.840.10008.1.2.4.91": jpeg2000,
  "1.2.840.10008.1.2.4.201": highThroughput,
  "1.2.840.10008.1.2.4.202": highThroughput,
  "1.2.840.10008.1.2.4.203": highThroughput,
};

/** Compressed frames to stored values, beside the page: the only place where WebAssembly may run. */
import { codecs } from "./codecs";
import type { Description } from "./description";
import { greyOf, type Pixels, pixelsOf, shaded, shadesOf } from "./grey";
import { aligned, type Samples, typed } from "./samples";

/** To have a decoder compiled before its first frame comes. */
export interface Warming {
  warm: string;
}

export interface Task {
  id: number;
  syntax: string;
  data: Uint8Array<ArrayBuffer>;
  shape: Description;
}

/** Beside the pixels, of a film, the picture as its own window shows it: drawn without a wait. */
export interface Decoded extends Pixels {
  picture: ImageBitmap | null;
}

export interface Answer {
  id: number;
  decoded?: Decoded;
  problem?: string;
}

interface Scope {
  onmessage: ((event: MessageEvent<Task | Warming>) => void) | null;
  postMessage(message: Answer, transfer: Transferable[]): void;
}

const scope = self as unknown as Scope;
const PLAIN = ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99"];

async function decoded(task: Task): Promise<Samples> {
  const { shape, data, syntax } = task;
  const pixels = shape.rows * shape.columns;
  if (PLAIN.includes(syntax)) return aligned(typed(data, pixels, shape), shape, true);
  const codec = codecs[syntax];
  if (!codec) throw new Error(`no decoder for ${syntax}`);
  const found = await (await codec())(data, shape);
  return aligned(typed(found, pixels, shape), shape, false);
}

/** Slices are shaded in a few milliseconds wherever they are drawn, and kept by the hundred. */
const FILM = 2 ** 20;

async function pictureOf(shape: Description, pixels: Pixels): Promise<ImageBitmap | null> {
  const { columns, rows } = shape;
  if (rows * columns < FILM) return null;
  const image = new ImageData(columns, rows);
  shaded(pixels.keys, shadesOf(greyOf(shape, pixels), null, false), image.data);
  return createImageBitmap(image);
}

async function worked(task: Task): Promise<Decoded> {
  const pixels = pixelsOf(task.shape, await decoded(task));
  return { ...pixels, picture: await pictureOf(task.shape, pixels) };
}

function parts({ values, keys, picture }: Decoded): Transferable[] {
  return [...new Set([values.buffer, keys.buffer]), ...(picture ? [picture] : [])];
}

scope.onmessage = ({ data: task }) => {
  if ("warm" in task) {
    codecs[task.warm]?.().catch((cause: unknown) => console.warn("a decoder did not come ahead", cause));
    return;
  }
  worked(task).then(
    (found) => scope.postMessage({ id: task.id, decoded: found }, parts(found)),
    (cause: unknown) => {
      const problem = cause instanceof Error ? cause.message : String(cause);
      scope.postMessage({ id: task.id, problem }, []);
    },
  );
};

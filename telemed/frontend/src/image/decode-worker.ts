/** Compressed frames to stored values, beside the page: the only place where WebAssembly may run. */
import { codecs } from "./codecs";
import { aligned, type Samples, type Shape, typed } from "./samples";

export interface Task {
  id: number;
  syntax: string;
  data: Uint8Array<ArrayBuffer>;
  shape: Shape;
}

export interface Answer extends Partial<Samples> {
  id: number;
  problem?: string;
}

interface Scope {
  onmessage: ((event: MessageEvent<Task>) => void) | null;
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

scope.onmessage = ({ data: task }) => {
  decoded(task).then(
    (samples) => scope.postMessage({ id: task.id, ...samples }, [samples.values.buffer]),
    (cause: unknown) => {
      const problem = cause instanceof Error ? cause.message : String(cause);
      scope.postMessage({ id: task.id, problem }, []);
    },
  );
};

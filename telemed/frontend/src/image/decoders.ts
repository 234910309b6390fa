/** The workers that decode: made when the first frame comes, each with one frame at a time. */
import type { Answer, Decoded, Task, Warming } from "./decode-worker";
import type { Description } from "./description";

interface Waiting {
  task: Omit<Task, "id">;
  done(decoded: Decoded): void;
  failed(cause: Error): void;
}

interface Desk {
  worker: Worker;
  now: { id: number; waiting: Waiting } | null;
}

/** One core stays with the page. */
const MOST = Math.max(1, Math.min(4, (navigator.hardwareConcurrency || 2) - 1));
const desks: Desk[] = [];
const queue: Waiting[] = [];
let last = 0;

/** The form that films come in: its decoder is ready when the first one is opened. */
const USUAL: Warming = { warm: "1.2.840.10008.1.2.4.201" };

export function warmUp(): void {
  if (desks.length === 0) open().worker.postMessage(USUAL);
}

export function decode(
  syntax: string,
  data: Uint8Array<ArrayBuffer>,
  shape: Description,
  urgent: boolean,
): Promise<Decoded> {
  return new Promise((done, failed) => {
    const waiting = { task: { syntax, data, shape }, done, failed };
    if (urgent) queue.unshift(waiting);
    else queue.push(waiting);
    proceed();
  });
}

function proceed(): void {
  let desk = desks.find(({ now }) => now === null);
  if (!desk && desks.length < MOST) desk = open();
  const waiting = desk && queue.shift();
  if (!desk || !waiting) return;
  last += 1;
  desk.now = { id: last, waiting };
  const task: Task = { id: last, ...waiting.task };
  desk.worker.postMessage(task, [task.data.buffer]);
  if (queue.length > 0) proceed();
}

function open(): Desk {
  const worker = new Worker(new URL("./decode-worker.ts", import.meta.url), { type: "module" });
  const desk: Desk = { worker, now: null };
  worker.addEventListener("message", ({ data }: MessageEvent<Answer>) => {
    const { now } = desk;
    if (!now || now.id !== data.id) return;
    desk.now = null;
    if (data.decoded) now.waiting.done(data.decoded);
    else now.waiting.failed(new Error(data.problem ?? "not decoded"));
    proceed();
  });
  worker.addEventListener("error", (event) => {
    // The worker did not start, or fell: the next frame gets a new one.
    desks.splice(desks.indexOf(desk), 1);
    worker.terminate();
    desk.now?.waiting.failed(new Error(event.message || "the decoder did not start"));
    proceed();
  });
  desks.push(desk);
  return desk;
}

/** Sends files in small batches over a bad line: what the server has answered for is never sent again. */
import { Problem, problemOf } from "../core/api";
import { page, t } from "../core/page";
import type { UploadedObject } from "../core/types";

export interface Item {
  id: number;
  file: File;
  state: "waiting" | "sending" | "safe" | "attention" | "refused";
  sent: number;
  answer: UploadedObject | null;
  problem: string;
}

interface Answer {
  objects: UploadedObject[];
}

const MOST_FILES = 12;
const MOST_BYTES = 12 * 1024 * 1024;
const FIRST_WAIT = 2_000;
const LONGEST_WAIT = 30_000;

export class UploadQueue {
  readonly items: Item[] = [];
  /** Why the line is being waited for, in words; empty while it works. */
  waiting = "";
  private running = false;
  private batch = MOST_FILES;
  private wait = FIRST_WAIT;
  private wake: (() => void) | null = null;
  private readonly changed: () => void;

  constructor(changed: () => void) {
    this.changed = changed;
    window.addEventListener("online", () => this.wake?.());
  }

  add(files: readonly File[]): void {
    for (const file of files) {
      this.items.push({ id: this.items.length, file, state: "waiting", sent: 0, answer: null, problem: "" });
    }
    this.changed();
    void this.run();
  }

  retryNow(): void {
    this.wake?.();
  }

  get busy(): boolean {
    return this.items.some((item) => item.state === "waiting" || item.state === "sending");
  }

  private async run(): Promise<void> {
    if (this.running) return;
    this.running = true;
    for (let batch = this.next(); batch.length > 0; batch = this.next()) {
      try {
        await this.send(batch);
        this.batch = Math.min(MOST_FILES, this.batch * 2);
        this.wait = FIRST_WAIT;
        this.waiting = "";
      } catch (cause) {
        await this.recover(batch, cause);
      }
      this.changed();
    }
    this.running = false;
  }

  private next(): Item[] {
    const batch: Item[] = [];
    let size = 0;
    for (const item of this.items) {
      if (item.state !== "waiting" || batch.includes(item)) continue;
      if (batch.length > 0 && (batch.length >= this.batch || size + item.file.size > MOST_BYTES)) break;
      const record = this.items.filter((other) => other.state === "waiting" && inOneRecord(item, other));
      batch.push(...record);
      size += record.reduce((sum, { file }) => sum + file.size, 0);
    }
    return batch;
  }

  private async send(batch: Item[]): Promise<void> {
    for (const item of batch) item.state = "sending";
    this.changed();
    const form = new FormData();
    for (const item of batch) form.append("files", item.file, item.file.name);
    const total = batch.reduce((sum, item) => sum + item.file.size, 0);
    const answer = await post(form, (share) => {
      let left = share * total;
      for (const item of batch) {
        item.sent = Math.min(item.file.size, left);
        left -= item.sent;
      }
      this.changed();
    });
    for (const [index, item] of batch.entries()) settle(item, answer.objects[index]);
  }

  private async recover(batch: Item[], cause: unknown): Promise<void> {
    const passing = !(cause instanceof Problem) || cause.passing;
    for (const item of batch) {
      item.sent = 0;
      item.state = passing ? "waiting" : "refused";
      if (!passing) item.problem = cause.message;
    }
    if (!passing) return;
    // Fewer at a time on a bad line: what is lost with it is less.
    this.batch = Math.max(1, Math.floor(this.batch / 2));
    this.waiting = cause instanceof Error ? cause.message : String(cause);
    this.changed();
    await new Promise<void>((resolve) => {
      const timer = window.setTimeout(resolve, this.wait);
      this.wake = () => {
        window.clearTimeout(timer);
        resolve();
      };
    });
    this.wake = null;
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
  }
}

/** A WFDB record is a header and the signals of the same name: neither can be read without the other. */
function inOneRecord(one: Item, other: Item): boolean {
  if (one === other) return true;
  const header = [one, other].some(({ file }) => /\.hea$/i.test(file.name));
  return header && stem(one.file.name) === stem(other.file.name);
}

function stem(name: string): string {
  return name.replace(/\.[^.]*$/, "");
}

function settle(item: Item, answer: UploadedObject | undefined): void {
  if (!answer) {
    item.state = "waiting";
    throw new Problem(502, "", t("ui.upload.no_answer"));
  }
  item.answer = answer;
  item.sent = item.file.size;
  item.problem = problemText(answer);
  item.state = answer.status === "refused" ? "refused" : answer.status === "conflict" ? "attention" : "safe";
}

function problemText(answer: UploadedObject): string {
  const { problem } = answer;
  if (typeof problem === "string") return problem;
  return problem?.detail ?? (answer.status === "conflict" ? t("ui.upload.conflict") : "");
}

/** XMLHttpRequest, because fetch tells nothing about how much has been sent. */
function post(form: FormData, progress: (share: number) => void): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/api/v1/uploads");
    request.setRequestHeader("X-CSRF-Token", page.csrf);
    request.setRequestHeader("Accept", "application/json");
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) progress(event.loaded / event.total);
    };
    request.onerror = request.ontimeout = () => reject(new Problem(0, "network", t("ui.problem.network")));
    request.onload = () => {
      // Some servers answer 4xx to a batch of which every file was refused: the answer per file still counts.
      const answer = parsed(request.responseText);
      if (answer && request.status < 500) resolve(answer);
      else reject(problemOf(request.status, request.responseText));
    };
    request.send(form);
  });
}

function parsed(body: string): Answer | null {
  try {
    const answer = JSON.parse(body) as Partial<Answer>;
    return Array.isArray(answer.objects) ? { objects: answer.objects } : null;
  } catch {
    return null;
  }
}

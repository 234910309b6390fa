/** Saves a draft while it is written: one request at a time, the last text wins, a copy stays in this browser. */
import { Problem, send } from "../core/api";
import { page } from "../core/page";
import { forget, keep, recall } from "../core/storage";
import type { Report } from "../core/types";

export interface Fields {
  findings: string;
  impression: string;
  recommendation: string;
  critical: boolean;
  abnormal: boolean;
}

export type SaveState =
  | { name: "clean" }
  | { name: "waiting" }
  | { name: "saving" }
  | { name: "saved"; at: string }
  | { name: "retrying"; cause: unknown }
  | { name: "conflict"; cause: Problem }
  | { name: "refused"; cause: unknown };

interface Copy {
  revision: number;
  fields: Fields;
  at: string;
}

export interface SaveHost {
  /** What must have happened before anything may be saved: the case is held. */
  ready(): Promise<void>;
  state(state: SaveState): void;
  /** The case was left, and its last words did not arrive. */
  unsaved(cause: unknown): void;
}

export const DRAFTS = "telemed.draft.";
const PAUSE = 800;
const RETRY = 4_000;

export class Autosave {
  revision = 0;
  private report: Report | null = null;
  private fields: Fields | null = null;
  private running: Promise<void> | null = null;
  private timer = 0;
  private closed = false;
  /** The words go another way: with a signature. */
  private held = false;
  private readonly caseId: string;
  private readonly host: SaveHost;

  constructor(caseId: string, report: Report | null, host: SaveHost) {
    this.caseId = caseId;
    this.host = host;
    this.seen(report);
  }

  /** False for an answer that was on its way while something newer was saved. */
  isNews(report: Report | null): boolean {
    const known = this.report;
    if (!known) return true;
    if (!report || report.number < known.number) return false;
    return report.number > known.number || report.revision >= this.revision;
  }

  seen(report: Report | null): void {
    this.report = report;
    this.revision = report?.revision ?? 0;
  }

  private get key(): string {
    return `${DRAFTS}${page.user?.id ?? ""}.${this.caseId}`;
  }

  /** What a crashed tab or a lost line left behind. */
  copy(): Copy | null {
    return recall<Copy>(this.key);
  }

  dropCopy(): void {
    forget(this.key);
  }

  /** The last words that the server has not answered for. */
  get words(): Fields | null {
    return this.fields;
  }

  get unsaved(): boolean {
    return this.fields !== null || this.running !== null;
  }

  /** Against a crash, where the server takes no draft: the words of a review before it is given. */
  keepCopy(fields: Fields): void {
    keep(this.key, { revision: this.revision, fields, at: new Date().toISOString() } satisfies Copy);
  }

  edit(fields: Fields): void {
    this.fields = fields;
    this.keepCopy(fields);
    this.host.state({ name: "waiting" });
    this.schedule(PAUSE);
  }

  /** Resolves when the server has the last text; throws what kept it from that. */
  async flush(): Promise<void> {
    window.clearTimeout(this.timer);
    while (this.running || this.fields) {
      if (this.running) await this.running;
      else await this.save();
    }
  }

  /** Before the words go another way: waits for what is on its way, and sends nothing more. */
  async settle(): Promise<void> {
    window.clearTimeout(this.timer);
    this.held = true;
    // What became of the draft was told as it happened; its words go with the signature all the same.
    await this.running?.catch(() => undefined);
  }

  /** They are at the server, by that way. */
  arrived(report: Report | null): void {
    this.held = false;
    this.seen(report);
    this.fields = null;
    this.dropCopy();
    this.host.state({ name: "clean" });
  }

  /** They are not: saved as a draft after all, but for a text that would replace another's. */
  resume(save: boolean): void {
    this.held = false;
    if (save && this.fields) this.schedule(0);
  }

  /** After a conflict: the reader has seen the other text and keeps the own one. */
  overwrite(revision: number): void {
    this.revision = revision;
    if (this.fields) this.schedule(0);
  }

  abandon(): void {
    window.clearTimeout(this.timer);
    this.fields = null;
    this.dropCopy();
    this.host.state({ name: "clean" });
  }

  close(): void {
    this.closed = true;
    window.clearTimeout(this.timer);
    // Leaving the case sends what is left; if that fails, the copy in this browser is offered next time.
    if (!this.held) this.flush().catch((cause: unknown) => this.host.unsaved(cause));
  }

  /** The reader is back before the last words had arrived. */
  reopen(): void {
    this.closed = false;
    if (!this.running && !this.held) this.schedule(0);
  }

  private schedule(wait: number): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      // The state shows what went wrong; a passing fault is tried again.
      this.flush().catch((cause: unknown) => {
        if (this.closed) this.host.unsaved(cause);
        else if (cause instanceof Problem && cause.passing) this.schedule(RETRY);
      });
    }, wait);
  }

  private save(): Promise<void> {
    const fields = this.fields;
    if (!fields) return Promise.resolve();
    this.running = this.put(fields).finally(() => {
      this.running = null;
    });
    return this.running;
  }

  private async put(fields: Fields): Promise<void> {
    this.host.state({ name: "saving" });
    try {
      await this.host.ready();
      const body = { ...fields, revision: this.revision };
      const report = await send<Report>(
        "PUT",
        `/api/v1/cases/${encodeURIComponent(this.caseId)}/draft`,
        body,
      );
      this.seen(report);
      if (this.fields === fields) {
        this.fields = null;
        this.dropCopy();
        this.host.state({ name: "saved", at: report.updated_at });
      }
    } catch (cause) {
      if (cause instanceof Problem && cause.passing) this.host.state({ name: "retrying", cause });
      else if (cause instanceof Problem && cause.code === "error.report_changed_since_shown")
        this.host.state({ name: "conflict", cause });
      else this.host.state({ name: "refused", cause });
      throw cause;
    }
  }
}

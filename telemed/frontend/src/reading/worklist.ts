/** The rows of one view in the server's order. The order and the membership are the server's alone. */
import { get } from "../core/api";
import type { Counts, Delta, Worklist as Page, Row, View } from "../core/types";

export const views: readonly View[] = ["waiting", "overdue", "mine", "review", "all", "done"];
const PAGE = 50;
const LARGEST_PAGE = 200;
const QUIET = 700;

export class Worklist {
  view: View = "waiting";
  rows: Row[] = [];
  counts: Counts = {};
  nextCursor: string | null = null;
  lastEventId = "";
  loading = false;
  problem: unknown = null;
  /** Server's clock less this machine's, ms. */
  private offset = 0;
  private request: AbortController | null = null;
  private timer = 0;
  private refreshedAt = 0;
  private readonly changed: () => void;

  constructor(changed: () => void) {
    this.changed = changed;
  }

  now(): number {
    return Date.now() + this.offset;
  }

  async open(view: View): Promise<void> {
    if (view !== this.view) {
      this.view = view;
      this.rows = [];
      this.nextCursor = null;
    }
    await this.refresh();
  }

  /** Fetches again what is shown, from the first row on. */
  async refresh(): Promise<void> {
    this.request?.abort();
    const request = new AbortController();
    this.request = request;
    const limit = Math.min(LARGEST_PAGE, Math.max(PAGE, Math.ceil(this.rows.length / PAGE) * PAGE));
    this.loading = true;
    this.changed();
    try {
      const page = await this.fetch("", limit, request.signal);
      this.rows = page.rows;
      this.take(page);
      this.problem = null;
    } catch (cause) {
      if (request.signal.aborted) return;
      this.problem = cause;
    }
    this.loading = false;
    this.refreshedAt = Date.now();
    this.changed();
  }

  async more(): Promise<void> {
    if (!this.nextCursor || this.loading) return;
    const { view } = this;
    this.loading = true;
    try {
      const page = await this.fetch(this.nextCursor, PAGE);
      if (view !== this.view) return;
      const known = new Set(this.rows.map((row) => row.id));
      this.rows = [...this.rows, ...page.rows.filter((row) => !known.has(row.id))];
      this.take(page);
    } catch (cause) {
      this.problem = cause;
    }
    this.loading = false;
    this.changed();
  }

  /** What moved: shown rows change at once; where rows enter or leave, the server is asked for the order. */
  apply(delta: Delta): void {
    this.counts = { ...this.counts, ...delta.counts };
    const gone = new Set(delta.gone);
    const fresh = new Map(delta.rows.map((row) => [row.id, row]));
    let moves = false;
    this.rows = this.rows.flatMap((row) => {
      if (gone.has(row.id)) return [];
      const now = fresh.get(row.id);
      if (!now) return [row];
      fresh.delete(row.id);
      moves ||= place(now) !== place(row) || now.state !== row.state || now.holder?.mine !== row.holder?.mine;
      return [now];
    });
    this.changed();
    if (moves || fresh.size > 0) this.refreshSoon();
  }

  replace(row: Row): void {
    this.apply({ rows: [row], gone: [], counts: {} });
  }

  find(id: string): Row | undefined {
    return this.rows.find((row) => row.id === id);
  }

  /** The case to read after this one: the first below it that nobody else holds, else from the top. */
  nextToRead(id: string): Row | undefined {
    const at = this.rows.findIndex((row) => row.id === id);
    const order = [...this.rows.slice(at + 1), ...this.rows.slice(0, Math.max(0, at))];
    const open = this.view === "review" ? ["awaiting_review"] : ["waiting", "reading"];
    return order.find((row) => open.includes(row.state) && (!row.holder || row.holder.mine));
  }

  /** At once after a quiet time, then not more often than the eye can follow. */
  private refreshSoon(): void {
    window.clearTimeout(this.timer);
    const wait = Math.max(0, this.refreshedAt + QUIET - Date.now());
    this.timer = window.setTimeout(() => void this.refresh(), wait);
  }

  private async fetch(cursor: string, limit: number, signal?: AbortSignal): Promise<Page> {
    const query = new URLSearchParams({ view: this.view, limit: String(limit) });
    if (cursor) query.set("cursor", cursor);
    return get<Page>(`/api/v1/worklist?${query}`, signal);
  }

  private take(page: Page): void {
    this.counts = page.counts;
    this.nextCursor = page.next_cursor;
    this.lastEventId = page.last_event_id === null ? "" : String(page.last_event_id);
    this.offset = Date.parse(page.now) - Date.now();
  }
}

function place(row: Row): string {
  return `${row.effective_priority} ${row.deadline} ${row.arrived_at}`;
}

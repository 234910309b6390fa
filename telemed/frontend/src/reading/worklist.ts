/** The rows of one view in the server's order, moved by what the server tells of single rows. */
import { get, send } from "../core/api";
import type { Counts, Delta, Worklist as Page, Row, Search, View } from "../core/types";

export const views: readonly View[] = [
  "critical",
  "overdue",
  "mine",
  "returned",
  "review",
  "waiting",
  "all",
  "done",
];
export const modalities = ["ECG", "DX", "CR", "CT", "MR", "US"] as const;
const PAGE = 50;
const LARGEST_PAGE = 200;
const QUIET = 700;

/** What the list shows: a view, cut by a modality; or, where a text is given, whoever is meant by it. */
export interface Query {
  view: View;
  modality: string;
  /** The institution that made the exams; "" for all. */
  site: string;
  text: string;
}

export const FIRST: Query = { view: "waiting", modality: "", site: "", text: "" };

export function same(one: Query, other: Query): boolean {
  const names = ["view", "modality", "site", "text"] as const;
  return names.every((name) => one[name] === other[name]);
}

export class Worklist {
  query: Query = FIRST;
  rows: Row[] = [];
  counts: Counts = {};
  countLimit = Number.POSITIVE_INFINITY;
  nextCursor: string | null = null;
  /** The text fits too many names: not all of their cases are here. */
  partial = false;
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

  get view(): View {
    return this.query.view;
  }

  /** Fewer rows than the counts of the views speak of. */
  private get cut(): boolean {
    return this.query.modality !== "" || this.query.site !== "";
  }

  get searching(): boolean {
    return this.query.text !== "";
  }

  now(): number {
    return Date.now() + this.offset;
  }

  async open(query: Query): Promise<void> {
    if (!same(query, this.query)) {
      this.query = query;
      this.rows = [];
      this.nextCursor = null;
      this.partial = false;
    }
    await this.refresh();
  }

  /** Fetches again what is shown, from the first row on. */
  async refresh(): Promise<void> {
    this.request?.abort();
    window.clearTimeout(this.timer);
    const request = new AbortController();
    this.request = request;
    const limit = Math.min(LARGEST_PAGE, Math.max(PAGE, Math.ceil(this.rows.length / PAGE) * PAGE));
    this.loading = true;
    this.changed();
    try {
      await this.fetch("", limit, request.signal);
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
    const request = new AbortController();
    this.request = request;
    this.loading = true;
    try {
      await this.fetch(this.nextCursor, PAGE, request.signal);
    } catch (cause) {
      if (request.signal.aborted) return;
      this.problem = cause;
    }
    this.loading = false;
    this.changed();
  }

  /** What moved. Whether a row stands in this view is the server's word, and where it stands is its position. */
  apply(delta: Delta): void {
    this.counts = { ...this.counts, ...delta.counts };
    if (this.searching) {
      const fresh = new Map(delta.rows.map((row) => [row.id, row]));
      const gone = new Set(delta.gone);
      this.rows = this.rows.filter((row) => !gone.has(row.id)).map((row) => fresh.get(row.id) ?? row);
    } else if (delta.rows.length + delta.gone.length > 0) this.place(delta);
    this.changed();
    // Into this view rows come by the clock as well.
    if (this.view === "overdue" && !this.searching && !this.nextCursor && !this.cut) {
      const known = Math.min(this.rows.length, this.countLimit);
      if (known !== Math.min(this.counts.overdue ?? known, this.countLimit)) this.refreshSoon();
    }
  }

  replace(row: Row): void {
    this.apply({ rows: [row], gone: [], counts: {} });
  }

  find(id: string): Row | undefined {
    return this.rows.find((row) => row.id === id);
  }

  /** The case to read after this one: the first below it that nobody else holds, else from the top. */
  nextToRead(id: string): Row | undefined {
    return this.nextFew(id, 1)[0];
  }

  nextFew(id: string, count: number): Row[] {
    const at = this.rows.findIndex((row) => row.id === id);
    const order = [...this.rows.slice(at + 1), ...this.rows.slice(0, Math.max(0, at))];
    const open = this.view === "review" ? ["awaiting_review"] : ["waiting", "reading"];
    return order
      .filter((row) => open.includes(row.state) && (!row.holder || row.holder.mine))
      .slice(0, count);
  }

  private place(delta: Delta): void {
    const moved = new Set([...delta.gone, ...delta.rows.map((row) => row.id)]);
    const rows = this.rows.filter((row) => !moved.has(row.id));
    const last = this.rows[this.rows.length - 1];
    for (const row of delta.rows) {
      if (!this.holds(row)) continue;
      // Beyond what is loaded it comes with its page.
      if (this.nextCursor && last && this.before(last, row)) continue;
      rows.splice(this.indexFor(rows, row), 0, row);
    }
    this.rows = rows;
  }

  private holds(row: Row): boolean {
    const { view, modality, site } = this.query;
    if (site && row.site_id !== site) return false;
    if (modality && row.modality !== modality) return false;
    if (view === "overdue") return row.views.includes("all") && Date.parse(row.deadline) < this.now();
    return row.views.includes(view);
  }

  private before(one: Row, other: Row): boolean {
    if (this.view !== "done") return one.position < other.position;
    // What is done is listed by its number, the newest first; the number ends the position.
    return one.position.slice(-19) > other.position.slice(-19);
  }

  private indexFor(rows: readonly Row[], row: Row): number {
    let low = 0;
    let high = rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const there = rows[middle];
      if (there && this.before(there, row)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** At once after a quiet time, then not more often than the eye can follow. */
  private refreshSoon(): void {
    window.clearTimeout(this.timer);
    const wait = Math.max(0, this.refreshedAt + QUIET - Date.now());
    this.timer = window.setTimeout(() => void this.refresh(), wait);
  }

  private async fetch(cursor: string, limit: number, signal: AbortSignal): Promise<void> {
    const { view, modality, site, text } = this.query;
    if (text) {
      const found = await send<Search>(
        "POST",
        "/api/v1/worklist/search",
        { text, limit, ...(cursor ? { cursor } : {}) },
        signal,
      );
      this.partial = found.partial;
      this.take(found, cursor);
      return;
    }
    const query = new URLSearchParams({ view, limit: String(limit) });
    if (modality) query.set("modality", modality);
    if (site) query.set("site", site);
    if (cursor) query.set("cursor", cursor);
    const page = await get<Page>(`/api/v1/worklist?${query}`, signal);
    this.take(page, cursor);
    this.counts = page.counts;
    this.countLimit = page.count_limit;
    this.lastEventId = page.last_event_id === null ? "" : String(page.last_event_id);
    this.offset = Date.parse(page.now) - Date.now();
  }

  private take(page: { rows: Row[]; next_cursor: string | null }, cursor: string): void {
    const known = new Set(cursor ? this.rows.map((row) => row.id) : []);
    const fresh = page.rows.filter((row) => !known.has(row.id));
    this.rows = cursor ? [...this.rows, ...fresh] : fresh;
    this.nextCursor = page.next_cursor;
  }
}

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
/** Before the rest of a list is asked for again that did not come. */
const FIRST_WAIT = 2_000;
const LONGEST_WAIT = 30_000;

/** What the list shows: a view, cut by a modality; or, where a text is given, whoever is meant by it. */
export interface Query {
  view: View;
  modality: string;
  /** The institution that made the exams; "" for all. */
  site: string;
  text: string;
}

type Standing = Pick<Row, "position" | "critical">;
type Placed = Pick<Row, "position">;

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
  /** What moved while an answer was on its way that may not know of it, with the number of its event. */
  private meanwhile: { delta: Delta; id: number }[] = [];
  private retry = { timer: 0, wait: 0 };
  /** Gone over in this session by the reader's own key, and how each stood then. */
  private readonly passed = new Map<string, Standing>();
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
    this.tryAgainLater(0);
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

  /** The next page. One that did not come is asked for again by itself, later and later. */
  async more(): Promise<void> {
    if (!this.nextCursor || this.loading || this.retry.timer) return;
    const request = new AbortController();
    this.request = request;
    this.loading = true;
    try {
      await this.fetch(this.nextCursor, PAGE, request.signal);
      this.problem = null;
      this.tryAgainLater(0);
    } catch (cause) {
      if (request.signal.aborted) return;
      this.problem = cause;
      this.tryAgainLater(Math.min(LONGEST_WAIT, Math.max(FIRST_WAIT, this.retry.wait * 2)));
    }
    this.loading = false;
    this.changed();
  }

  /** What moved. Whether a row stands in this view is the server's word, and where it stands is its position. */
  apply(delta: Delta, id = Number.POSITIVE_INFINITY): void {
    if (this.loading) this.meanwhile.push({ delta, id });
    this.move(delta);
    this.changed();
    // Into this view rows come by the clock as well.
    if (this.view === "overdue" && !this.searching && !this.nextCursor && !this.cut) {
      const known = Math.min(this.rows.length, this.countLimit);
      if (known !== Math.min(this.counts.overdue ?? known, this.countLimit)) this.refreshSoon();
    }
  }

  private move(delta: Delta): void {
    this.counts = { ...this.counts, ...delta.counts };
    if (this.searching) {
      const fresh = new Map(delta.rows.map((row) => [row.id, row]));
      const gone = new Set(delta.gone);
      this.rows = this.rows.filter((row) => !gone.has(row.id)).map((row) => fresh.get(row.id) ?? row);
    } else if (delta.rows.length + delta.gone.length > 0) this.place(delta);
  }

  private tryAgainLater(wait: number): void {
    window.clearTimeout(this.retry.timer);
    const again = (): void => {
      this.retry.timer = 0;
      this.changed();
    };
    this.retry = { timer: wait > 0 ? window.setTimeout(again, wait) : 0, wait };
  }

  replace(row: Row): void {
    this.apply({ rows: [row], gone: [], counts: {} });
  }

  find(id: string): Row | undefined {
    return this.rows.find((row) => row.id === id);
  }

  /** The reader goes over this case with a key, and leaves it unread. */
  pass(id: string): void {
    const row = this.find(id);
    if (row) this.passed.set(id, { position: row.position, critical: row.critical });
  }

  /** The case to read after this one. */
  nextToRead(id: string): Row | undefined {
    return this.nextFew(id, 1)[0];
  }

  /**
   * The server's order says what is next: what came meanwhile and is more urgent comes first. What nobody else holds,
   * and after all others what the reader went over, unless it has become more urgent since.
   */
  nextFew(id: string, count: number): Row[] {
    const open = this.view === "review" ? ["awaiting_review"] : ["waiting", "reading"];
    const free = this.rows.filter(
      (row) => row.id !== id && open.includes(row.state) && (!row.holder || row.holder.mine),
    );
    const later = free.filter((row) => this.isPassed(row));
    return [...free.filter((row) => !later.includes(row)), ...later].slice(0, count);
  }

  /** The row beside a case in the list, also where the case itself has just left it. */
  beside(item: { id: string; position: string }, step: 1 | -1): Row | undefined {
    const at = this.rows.findIndex(({ id }) => id === item.id);
    if (at >= 0) return this.rows[at + step];
    const place = this.searching ? -1 : this.indexFor(this.rows, item);
    return this.rows[step > 0 ? place : place - 1];
  }

  private isPassed({ id, position, critical }: Row): boolean {
    const then = this.passed.get(id);
    return then !== undefined && position >= then.position && critical === then.critical;
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

  private before(one: Placed, other: Placed): boolean {
    if (this.view !== "done") return one.position < other.position;
    // What is done is listed by its number, the newest first; the number ends the position.
    return one.position.slice(-19) > other.position.slice(-19);
  }

  private indexFor(rows: readonly Row[], row: Placed): number {
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
    this.meanwhile = [];
    const { view, modality, site, text } = this.query;
    if (text) {
      // Counts, clock and place in the line of events come with a list alone: asked for before, so none is missed.
      if (!this.lastEventId) this.know(await get<Page>(`/api/v1/worklist?view=${view}&limit=1`, signal));
      const body = { text, limit, ...(cursor ? { cursor } : {}) };
      const found = await send<Search>("POST", "/api/v1/worklist/search", body, signal);
      this.partial = found.partial;
      this.take(found, cursor, Number.NEGATIVE_INFINITY);
      return;
    }
    const query = new URLSearchParams({ view, limit: String(limit) });
    if (modality) query.set("modality", modality);
    if (site) query.set("site", site);
    if (cursor) query.set("cursor", cursor);
    const page = await get<Page>(`/api/v1/worklist?${query}`, signal);
    this.know(page);
    this.take(page, cursor, Number(page.last_event_id ?? Number.NEGATIVE_INFINITY));
  }

  private know(page: Page): void {
    this.counts = page.counts;
    this.countLimit = page.count_limit;
    this.lastEventId = page.last_event_id === null ? "" : String(page.last_event_id);
    this.offset = Date.parse(page.now) - Date.now();
  }

  /** `seen` is the last event that this answer knows of: what moved after it moves again. */
  private take(page: { rows: Row[]; next_cursor: string | null }, cursor: string, seen: number): void {
    const known = new Set(cursor ? this.rows.map((row) => row.id) : []);
    const fresh = page.rows.filter((row) => !known.has(row.id));
    this.rows = cursor ? [...this.rows, ...fresh] : fresh;
    this.nextCursor = page.next_cursor;
    for (const { delta, id } of this.meanwhile) if (id > seen) this.move(delta);
    this.meanwhile = [];
  }
}

/** The list on the screen: views with counts, search, and as many rows as the screen holds. */
import { h, reconcile, setText } from "../core/dom";
import { problemMessage } from "../core/messages";
import { t } from "../core/page";
import type { Row } from "../core/types";
import { rowElement, tick } from "./row";
import { SearchBar } from "./search-bar";
import type { LineState } from "./stream";
import { RowWindow } from "./window";
import { type Query, views, type Worklist } from "./worklist";

export interface ListActions {
  open(id: string): void;
  show(query: Partial<Query>, typing?: boolean): void;
  href(query: Partial<Query>): string;
  caseHref(id: string): string;
  keys(): void;
  palette(): void;
}

const columns = [
  ["priority", "ui.column.priority_why"],
  ["due", "ui.column.due"],
  ["patient", "ui.column.patient"],
  ["exam", "ui.column.exam_site"],
  ["history", "ui.column.history"],
  ["ai", "ui.column.ai"],
  ["priors", "ui.column.priors"],
  ["holder", "ui.column.holder"],
] as const;
const NEAR_THE_END = 30;

export class ListView {
  readonly element = h("section", { class: "list-page", "aria-label": t("ui.list.title") });
  readonly search: SearchBar;
  private readonly tabs = h("nav", { class: "views", "aria-label": t("ui.list.views") });
  private readonly body = h("div", { role: "rowgroup", class: "rows" });
  private readonly scroller: HTMLElement;
  private readonly grid: HTMLElement;
  private readonly window: RowWindow;
  private readonly foot = h("p", { class: "list-foot muted", role: "status" });
  private readonly line = h("span", { class: "line connecting", role: "status" });
  private readonly messages = h("div", { class: "messages" });
  private selected = "";
  /** Enter was pressed in the search: to the first row, as soon as what is sought has come. */
  private entered = false;
  private drawing = 0;
  private readonly list: Worklist;
  private readonly actions: ListActions;

  constructor(list: Worklist, actions: ListActions) {
    this.list = list;
    this.actions = actions;
    this.search = new SearchBar({
      changed: (change) => actions.show(change, true),
      entered: () => {
        this.entered = true;
        this.render();
      },
    });
    const heads = columns.map(([name, label]) =>
      h("div", { role: "columnheader", class: `cell c-${name}` }, t(label)),
    );
    this.grid = h(
      "div",
      { role: "grid", "aria-label": t("ui.list.title") },
      h("div", { role: "rowgroup", class: "heads" }, h("div", { role: "row", class: "row head" }, ...heads)),
      this.body,
    );
    this.scroller = h("div", { class: "grid", onscroll: () => this.drawSoon() }, this.grid, this.foot);
    this.window = new RowWindow(this.scroller, this.body);
    window.addEventListener("resize", () => this.drawSoon());
    this.body.addEventListener("click", (event) => this.onClick(event));
    const button = (text: string, key: string, run: () => void): HTMLElement =>
      h("button", { type: "button", class: "quiet", onclick: run }, text, h("kbd", {}, key));
    this.element.append(
      h(
        "div",
        { class: "toolbar" },
        this.tabs,
        this.search.element,
        this.line,
        button(t("ui.palette.title"), "Ctrl K", () => actions.palette()),
        button(t("ui.keys.title"), "?", () => actions.keys()),
      ),
      this.messages,
      this.scroller,
    );
    this.setLine("connecting");
  }

  render(): void {
    this.renderTabs();
    const { list } = this;
    this.search.follow(list.query);
    this.messages.replaceChildren(...(list.problem ? [problemMessage(list.problem)] : []));
    if (!list.rows.some((row) => row.id === this.selected)) this.selected = list.rows[0]?.id ?? "";
    this.draw();
    setText(this.foot, this.footText());
    if (this.entered && !list.loading) {
      this.entered = false;
      this.select(list.rows[0]?.id ?? "");
    }
  }

  /** From the top: another view, another search. */
  fromTheTop(): void {
    this.scroller.scrollTop = 0;
    this.selected = "";
  }

  tick(): void {
    tick(this.body, this.list.now());
  }

  setLine(state: LineState): void {
    this.line.className = `line ${state}`;
    setText(this.line, t(`ui.line.${state}`));
  }

  say(problem: unknown): void {
    this.messages.replaceChildren(problemMessage(problem));
  }

  move(step: number): void {
    const { rows } = this.list;
    const at = rows.findIndex((row) => row.id === this.selected);
    this.select(rows[Math.max(0, Math.min(rows.length - 1, at + step))]?.id ?? "");
  }

  /** Rows on one screen, for paging. */
  get screenful(): number {
    return Math.max(1, Math.floor(this.scroller.clientHeight / this.window.rowHeight) - 1);
  }

  select(id: string): void {
    this.selected = id;
    const at = this.list.rows.findIndex((row) => row.id === id);
    if (at >= 0) this.window.reveal(at);
    this.draw();
    this.mark(true);
  }

  get current(): Row | undefined {
    return this.list.find(this.selected);
  }

  private drawSoon(): void {
    window.cancelAnimationFrame(this.drawing);
    this.drawing = window.requestAnimationFrame(() => this.draw());
  }

  private draw(): void {
    const { list } = this;
    const focused = this.body.contains(document.activeElement);
    const slice = this.window.slice(list.rows.length);
    const now = list.now();
    reconcile(
      this.body,
      list.rows.slice(slice.first, slice.end),
      (row) => row.id,
      (row) => JSON.stringify(row),
      (row) => rowElement(row, this.actions.caseHref(row.id), now),
    );
    this.window.stretch(slice, list.rows.length);
    this.grid.setAttribute("aria-rowcount", String(list.nextCursor ? -1 : list.rows.length + 1));
    Array.from(this.body.children).forEach((element, index) => {
      element.setAttribute("aria-rowindex", String(slice.first + index + 2));
    });
    this.mark(focused);
    if (slice.end > list.rows.length - NEAR_THE_END) void list.more();
  }

  private footText(): string {
    const { list } = this;
    const loaded = list.rows.length;
    if (list.problem) return "";
    if (loaded === 0 && list.loading) return t("ui.list.loading");
    if (list.searching) {
      if (loaded === 0) return t("ui.list.empty.search");
      return t(
        list.partial ? "ui.list.found_some" : list.nextCursor ? "ui.list.found_more" : "ui.list.found",
        {
          loaded,
        },
      );
    }
    if (loaded === 0) return t(`ui.list.empty.${list.view}`);
    return list.nextCursor ? t("ui.list.more", { loaded }) : t("ui.list.end", { loaded });
  }

  private renderTabs(): void {
    const { counts, countLimit, searching } = this.list;
    reconcile(
      this.tabs,
      views,
      (view) => view,
      (view) => `${counts[view] ?? ""} ${view === this.list.view && !searching} ${this.list.query.modality}`,
      (view) => {
        const current = view === this.list.view && !searching;
        const count = counts[view];
        const pressing = (view === "overdue" || view === "critical") && (count ?? 0) > 0;
        return h(
          "a",
          {
            href: this.actions.href({ view, text: "" }),
            "aria-current": current ? "page" : null,
            class: count === 0 ? "none" : null,
            onclick: (event: MouseEvent) => {
              if (event.ctrlKey || event.metaKey || event.shiftKey) return;
              event.preventDefault();
              this.actions.show({ view, text: "" });
            },
          },
          t(`ui.view.${view}`),
          count !== undefined &&
            h(
              "span",
              { class: pressing ? "count overdue" : "count" },
              count > countLimit ? `${countLimit}+` : count,
            ),
        );
      },
    );
  }

  private mark(focus: boolean): void {
    for (const element of Array.from(this.body.children)) {
      if (!(element instanceof HTMLElement)) continue;
      const on = element.dataset.key === this.selected;
      element.tabIndex = on ? 0 : -1;
      element.setAttribute("aria-selected", String(on));
      if (on && focus) element.focus({ preventScroll: true });
    }
  }

  private onClick(event: MouseEvent): void {
    if (event.ctrlKey || event.metaKey || event.shiftKey || !(event.target instanceof Element)) return;
    const key = event.target.closest<HTMLElement>(".row")?.dataset.key;
    if (!key) return;
    event.preventDefault();
    this.selected = key;
    this.actions.open(key);
  }
}

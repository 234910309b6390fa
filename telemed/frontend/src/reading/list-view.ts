/** The list on the screen: views with counts, filter of the loaded rows, a selection that survives movement. */
import { h, reconcile, setText } from "../core/dom";
import { problemMessage } from "../core/messages";
import { t } from "../core/page";
import type { Row, View } from "../core/types";
import { rowElement, tick } from "./row";
import type { LineState } from "./stream";
import { views, type Worklist } from "./worklist";

export interface ListActions {
  open(id: string): void;
  view(view: View): void;
  keys(): void;
  href(id: string): string;
}

const columns = ["priority", "due", "patient", "id", "exam", "site", "history", "ai", "holder"] as const;
const NEAR_THE_END = 400;

export class ListView {
  readonly element = h("section", { class: "list-page", "aria-label": t("ui.list.title") });
  readonly filter = h("input", {
    type: "search",
    class: "filter",
    placeholder: t("ui.list.filter"),
    "aria-label": t("ui.list.filter_label"),
    oninput: () => this.render(),
  });
  private readonly tabs = h("nav", { class: "views", "aria-label": t("ui.list.views") });
  private readonly body = h("div", { role: "rowgroup", class: "rows" });
  private readonly scroller: HTMLElement;
  private readonly foot = h("p", { class: "list-foot muted", role: "status" });
  private readonly line = h("span", { class: "line connecting", role: "status" });
  private readonly messages = h("div", { class: "messages" });
  private selected = "";
  private readonly list: Worklist;
  private readonly actions: ListActions;

  constructor(list: Worklist, actions: ListActions) {
    this.list = list;
    this.actions = actions;
    const heads = columns.map((name) =>
      h("div", { role: "columnheader", class: `cell c-${name}` }, t(`ui.column.${name}`)),
    );
    this.scroller = h(
      "div",
      { role: "grid", class: "grid", "aria-label": t("ui.list.title"), onscroll: () => this.loadNearEnd() },
      h("div", { role: "rowgroup", class: "heads" }, h("div", { role: "row", class: "row head" }, ...heads)),
      this.body,
      this.foot,
    );
    this.body.addEventListener("click", (event) => this.onClick(event));
    this.element.append(
      h(
        "div",
        { class: "toolbar" },
        this.tabs,
        this.filter,
        this.line,
        h(
          "button",
          { type: "button", class: "quiet", onclick: () => actions.keys() },
          t("ui.keys.title"),
          h("kbd", {}, "?"),
        ),
      ),
      this.messages,
      this.scroller,
    );
    this.filter.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.isComposing) return;
      event.preventDefault();
      this.select(this.shown()[0]?.id ?? "");
    });
    this.setLine("connecting");
  }

  render(): void {
    this.renderTabs();
    const { list } = this;
    this.messages.replaceChildren(...(list.problem ? [problemMessage(list.problem)] : []));
    const rows = this.shown();
    const focused = this.body.contains(document.activeElement);
    reconcile(
      this.body,
      rows,
      (row) => row.id,
      (row) => JSON.stringify(row),
      (row) => rowElement(row, this.actions.href(row.id), list.now()),
    );
    if (!rows.some((row) => row.id === this.selected)) this.selected = rows[0]?.id ?? "";
    this.mark(focused);
    setText(this.foot, this.footText(rows.length));
  }

  tick(): void {
    tick(this.body, this.list.now());
  }

  setLine(state: LineState): void {
    this.line.className = `line ${state}`;
    setText(this.line, t(`ui.line.${state}`));
  }

  move(step: number): void {
    const rows = this.shown();
    const at = rows.findIndex((row) => row.id === this.selected);
    this.select(rows[Math.max(0, Math.min(rows.length - 1, at + step))]?.id ?? "");
    if (at + step >= rows.length - 5) void this.list.more();
  }

  select(id: string): void {
    this.selected = id;
    this.mark(true);
  }

  get current(): Row | undefined {
    return this.shown().find((row) => row.id === this.selected);
  }

  private shown(): Row[] {
    const words = this.filter.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length === 0) return this.list.rows;
    return this.list.rows.filter((row) => {
      const { patient } = row;
      const text = [
        patient.name,
        patient.patient_id,
        patient.id_last4,
        row.accession_number,
        row.modality,
        row.exam,
        row.site,
        row.history,
      ]
        .join(" ")
        .toLowerCase();
      return words.every((word) => text.includes(word));
    });
  }

  private footText(count: number): string {
    const { list } = this;
    if (list.problem) return "";
    if (this.filter.value.trim()) return t("ui.list.filtered", { shown: count, loaded: list.rows.length });
    if (count === 0) return list.loading ? t("ui.list.loading") : t(`ui.list.empty.${list.view}`);
    return list.nextCursor ? t("ui.list.more", { loaded: count }) : t("ui.list.end", { loaded: count });
  }

  private renderTabs(): void {
    const { counts } = this.list;
    reconcile(
      this.tabs,
      views,
      (view) => view,
      (view) => `${counts[view] ?? ""} ${view === this.list.view}`,
      (view) => {
        const current = view === this.list.view;
        const late = view === "overdue" && (counts.overdue ?? 0) > 0;
        return h(
          "a",
          {
            href: `/reading?view=${view}`,
            "aria-current": current ? "page" : null,
            onclick: (event: MouseEvent) => {
              if (event.ctrlKey || event.metaKey || event.shiftKey) return;
              event.preventDefault();
              this.actions.view(view);
            },
          },
          t(`ui.view.${view}`),
          counts[view] !== undefined && h("span", { class: late ? "count overdue" : "count" }, counts[view]),
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
      if (on && focus) element.focus();
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

  private loadNearEnd(): void {
    const { scrollTop, clientHeight, scrollHeight } = this.scroller;
    if (scrollHeight - scrollTop - clientHeight < NEAR_THE_END) void this.list.more();
  }
}

/** This ECG and the same person's last one: overlaid, side by side, and as a table of changes. */
import { get } from "../core/api";
import { h } from "../core/dom";
import { message, problemMessage } from "../core/messages";
import { maybe, t } from "../core/page";
import { dateTime } from "../core/time";
import type { Case } from "../core/types";
import { type GivenBeat, readBeat } from "../ecg/beat";
import {
  COMPARE_GAIN,
  type CompareMode,
  compareModes,
  compareSpeeds,
  drawComparison,
} from "../ecg/compare-view";
import { type InkName, inks } from "../ecg/draw";
import { type Change, changes, difference, type Recording, ST_CHANGE, stChanges } from "./changes";
import { hundredths, measured } from "./measured";

interface Prior {
  id: string;
  arrived_at: string;
  comparable: boolean;
  impression: string;
  site: string;
}

export class ComparePanel {
  readonly element = h("section", { class: "compare", hidden: true, "aria-label": t("ui.compare.title") });
  private mode: CompareMode = "overlay";
  private ink: InkName = "dark";
  private now: Recording | null = null;
  private last: (Recording & { prior: Prior }) | null = null;
  private asked = "";
  private readonly canvas = h("canvas", { role: "img", "aria-label": t("ui.compare.title") });
  private readonly legend = h("p", { class: "legend" });
  private readonly table = h("div", { class: "compare-table" });
  private readonly messages = h("div", { class: "messages" });
  private readonly modes = h("span", { class: "choices" });

  constructor() {
    const head = h("div", { class: "compare-head" }, this.legend, this.modes);
    this.element.append(
      this.messages,
      h("div", { class: "compare-body" }, h("div", {}, head, this.canvas), this.table),
    );
  }

  /** The last one is fetched when it is first looked at: to look at it is to open another case, and recorded so. */
  async open(now: Recording): Promise<void> {
    this.now = now;
    this.element.hidden = false;
    if (this.asked === now.item.id) {
      this.draw();
      return;
    }
    this.close();
    this.now = now;
    this.asked = now.item.id;
    this.element.hidden = false;
    try {
      const last = await fetchLast(now.item);
      if (this.asked !== now.item.id) return;
      this.last = last;
      if (last) this.draw();
      else this.messages.replaceChildren(message("warning", t("ui.compare.none")));
    } catch (cause) {
      if (this.asked !== now.item.id) return;
      this.asked = "";
      this.messages.replaceChildren(problemMessage(cause));
    }
  }

  close(): void {
    this.now = this.last = null;
    this.asked = "";
    this.element.hidden = true;
    this.messages.replaceChildren();
    this.table.replaceChildren();
    this.legend.replaceChildren();
    this.canvas.width = this.canvas.height = 0;
  }

  hide(): void {
    this.element.hidden = true;
  }

  stepMode(): boolean {
    if (this.element.hidden || !this.last) return false;
    this.mode = this.mode === "overlay" ? "beside" : "overlay";
    this.draw();
    return true;
  }

  look(ink: InkName): void {
    this.ink = ink;
    if (!this.element.hidden) this.draw();
  }

  private draw(): void {
    const { now, last, mode, ink } = this;
    if (!now || !last) return;
    drawComparison(this.canvas, now.beat, last.beat, mode, ink);
    const sample = (text: string, color: string, dashed: boolean): HTMLElement => {
      const line = h("span", { class: dashed ? "sample dashed" : "sample", "aria-hidden": "true" });
      line.style.borderColor = color;
      return h("span", {}, line, text);
    };
    this.legend.replaceChildren(
      sample(t("ui.compare.now", { time: dateTime(now.item.arrived_at) }), inks[ink].trace, false),
      sample(
        t("ui.compare.last", { time: dateTime(last.prior.arrived_at) }),
        inks[ink].mark,
        mode === "overlay",
      ),
      h("span", { class: "muted" }, `${compareSpeeds[mode]} mm/s · ${COMPARE_GAIN} mm/mV`),
    );
    this.modes.replaceChildren(
      ...compareModes.map((one) =>
        h(
          "button",
          {
            type: "button",
            class: "quiet small",
            "aria-pressed": String(one === mode),
            onclick: () => {
              this.mode = one;
              this.draw();
            },
          },
          t(`ui.compare.mode.${one}`),
        ),
      ),
    );
    this.drawTable(now, last);
  }

  private drawTable(now: Recording, last: Recording & { prior: Prior }): void {
    const st = stChanges(now, last);
    const millivolts = (value: number | undefined): string => (value === undefined ? "–" : hundredths(value));
    this.table.replaceChildren(
      h(
        "table",
        {},
        h(
          "tr",
          {},
          h("th", {}, t("ui.compare.changes")),
          ...(["ui.compare.column.last", "ui.compare.column.now"] as const).map((key) =>
            h("th", { class: "number" }, t(key)),
          ),
          h("th", { class: "number" }, "Δ"),
        ),
        ...changes(now, last).map((one) =>
          changeRow(maybe(`ui.measurement.${one.name}`) ?? one.name, one, (value) =>
            value === undefined ? "–" : measured(one.name, value),
          ),
        ),
        ...st.map((one) => changeRow(`ST ${one.name}`, one, millivolts, 2)),
      ),
      st.length > 0 ? "" : h("p", { class: "muted" }, t("ui.compare.no_st", { limit: ST_CHANGE })),
      !last.prior.impression
        ? ""
        : h("p", { class: "prior-impression" }, t("ui.compare.said", { text: last.prior.impression })),
    );
  }
}

function changeRow(
  label: string,
  one: Change,
  text: (value: number | undefined) => string,
  digits = 0,
): HTMLElement {
  const by = difference(one);
  const rounded = by === undefined ? undefined : Number(by.toFixed(digits));
  const signed = rounded === undefined ? "–" : `${rounded > 0 ? "+" : ""}${(rounded + 0).toFixed(digits)}`;
  return h(
    "tr",
    { "data-name": one.name },
    h("th", { scope: "row" }, label),
    h("td", { class: "number" }, text(one.last)),
    h("td", { class: "number" }, text(one.now)),
    h("td", { class: rounded ? "number changed" : "number" }, signed),
  );
}

/** The newest ECG before this one that a median beat was kept of. */
async function fetchLast(item: Case): Promise<(Recording & { prior: Prior }) | null> {
  const path = (id: string): string => `/api/v1/cases/${encodeURIComponent(id)}`;
  const { rows } = await get<{ rows: Prior[] }>(`${path(item.id)}/priors`);
  const earlier = rows.filter((one) => one.comparable && one.arrived_at < item.arrived_at);
  earlier.sort((a, b) => b.arrived_at.localeCompare(a.arrived_at));
  for (const prior of earlier) {
    const [given] = await get<GivenBeat[]>(`${path(prior.id)}/median-beats`);
    if (!given) continue;
    const beat = readBeat(given);
    return { item: await get<Case>(path(prior.id)), beat, marks: beat.marks, prior };
  }
  return null;
}

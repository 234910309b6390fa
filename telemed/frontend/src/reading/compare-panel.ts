/** This ECG and an earlier one of the same person: beats overlaid or side by side with what changed, or all leads. */
import { h } from "../core/dom";
import { message, problemMessage } from "../core/messages";
import { t } from "../core/page";
import { dateTime } from "../core/time";
import type { Case } from "../core/types";
import { COMPARE_GAIN, compareModes, compareSpeeds, drawComparison } from "../ecg/compare-view";
import { type InkName, inks } from "../ecg/draw";
import { endless, type Settings, usual } from "../ecg/sheet";
import { EcgView } from "../ecg/view";
import type { Waveform } from "../ecg/waveform";
import type { Recording } from "./changes";
import { changeTable } from "./compare-table";
import { type Earlier, earlierEcgs, lastOf, type Prior, readEarlier } from "./earlier";
import { caption } from "./ecg-tools";
import { identityLine } from "./identity";

const modes = [...compareModes, "curves"] as const;
type Mode = (typeof modes)[number];

export class ComparePanel {
  readonly element = h("section", { class: "compare", hidden: true, "aria-label": t("ui.compare.title") });
  private mode: Mode = "overlay";
  private ink: InkName = "dark";
  private settings: Settings = usual;
  private now: { item: Case; recording: Recording | null } | null = null;
  private priors: readonly Prior[] = [];
  private last: Earlier | null = null;
  /** By the reader, who then need not be told which it is. */
  private picked = false;
  private curves: { of: Earlier; waveform: Waveform } | null = null;
  /** Of which case the earlier ones were asked for, and what comes of it. */
  private asked: { id: string; found: Promise<Earlier | null> } | null = null;
  private readonly canvas = h("canvas", { role: "img", "aria-label": t("ui.compare.title") });
  private readonly view = new EcgView(t("ui.compare.mode.curves"), () => "", false);
  private readonly legend = h("p", { class: "legend" });
  private readonly table = h("div", { class: "compare-table" });
  private readonly messages = h("div", { class: "messages" });
  private readonly choices = h("span", { class: "choices" });
  private readonly body = h("div", { class: "compare-body" }, h("div", {}, this.canvas), this.table);
  /** Holds the earlier sheet while that is looked at: at any other time the page has one sheet, the present one. */
  private readonly sheet = h("div", { class: "ecg-scroll" });
  private readonly onChosen: () => void;

  constructor(onChosen: () => void) {
    this.onChosen = onChosen;
    const head = h("div", { class: "compare-head" }, this.legend, this.choices);
    this.element.append(this.messages, head, this.body, this.sheet);
  }

  /** The one it is compared with, once that is known. */
  get chosen(): Prior | undefined {
    return this.last?.prior;
  }

  /** Fetched when it is first looked at: to look at it is to open another case, and recorded so. */
  earlier(item: Case, measured: boolean): Promise<Earlier | null> {
    if (this.asked?.id === item.id) return this.asked.found;
    const asked = { id: item.id, found: this.fetch(item, measured) };
    this.asked = asked;
    asked.found.catch(() => {
      // Asked again at the next look.
      if (this.asked === asked) this.asked = null;
    });
    return asked.found;
  }

  private async fetch(item: Case, measured: boolean): Promise<Earlier | null> {
    const priors = await earlierEcgs(item);
    const last = await lastOf(priors, measured);
    if (this.asked?.id !== item.id) return last;
    this.priors = priors;
    this.picked = false;
    this.take(last);
    return last;
  }

  private take(last: Earlier | null): void {
    this.last = last;
    this.curves = null;
    this.onChosen();
  }

  async open(item: Case, recording: Recording | null): Promise<void> {
    this.now = { item, recording };
    this.element.hidden = false;
    try {
      await this.earlier(item, recording !== null);
      if (this.now?.item.id === item.id && !this.element.hidden) this.draw();
    } catch (cause) {
      if (this.now?.item.id === item.id) this.messages.replaceChildren(problemMessage(cause));
    }
  }

  close(): void {
    this.now = this.last = this.curves = this.asked = null;
    this.priors = [];
    this.element.hidden = true;
    for (const one of [this.messages, this.table, this.legend, this.choices]) one.replaceChildren();
    this.canvas.width = this.canvas.height = 0;
    this.sheet.replaceChildren();
  }

  hide(): void {
    this.element.hidden = true;
    this.sheet.replaceChildren();
  }

  stepMode(): boolean {
    const possible = this.possible();
    if (this.element.hidden || !this.last || possible.length < 2) return false;
    this.mode = possible[(possible.indexOf(this.shownMode()) + 1) % possible.length] ?? "curves";
    this.draw();
    return true;
  }

  look(settings: Settings, ink: InkName): void {
    this.settings = settings;
    this.ink = ink;
    if (!this.element.hidden) this.draw();
  }

  /** Without a beat of both there is nothing to lay upon each other. */
  private possible(): readonly Mode[] {
    return this.now?.recording && this.last?.recording ? modes : ["curves"];
  }

  private shownMode(): Mode {
    return this.possible().includes(this.mode) ? this.mode : "curves";
  }

  private async choose(id: string): Promise<void> {
    const { now } = this;
    const prior = this.priors.find((one) => one.id === id);
    if (!now || !prior) return;
    const asked = { id: now.item.id, found: readEarlier(prior) };
    this.asked = asked;
    try {
      const last = await asked.found;
      // Another was chosen since, or another case opened.
      if (this.asked !== asked) return;
      this.picked = true;
      this.take(last);
      this.draw();
    } catch (cause) {
      if (this.asked === asked) this.messages.replaceChildren(problemMessage(cause));
    }
  }

  private draw(): void {
    const { now, last } = this;
    if (!now) return;
    this.tell(now.recording !== null);
    this.body.hidden = true;
    this.sheet.replaceChildren();
    if (!last) return;
    const mode = this.shownMode();
    this.drawHead(now.item, last, mode);
    if (mode === "curves") {
      void this.drawCurves(last);
      return;
    }
    if (!now.recording || !last.recording) return;
    this.body.hidden = false;
    drawComparison(this.canvas, now.recording.beat, last.recording.beat, mode, this.ink);
    const { impression } = last.prior;
    this.table.replaceChildren(
      ...changeTable(now.recording, last.recording, last),
      impression ? h("p", { class: "prior-impression" }, t("ui.compare.said", { text: impression })) : "",
    );
  }

  /** What stands here is not what one would think: said, not passed over. */
  private tell(measured: boolean): void {
    const { last } = this;
    const [newest] = this.priors;
    if (!last) {
      this.messages.replaceChildren(message("warning", t("ui.compare.none")));
      return;
    }
    const texts: string[] = [];
    if (!measured || !last.recording) texts.push(t("ui.compare.curves_only"));
    else if (!this.picked && newest && newest.id !== last.prior.id)
      texts.push(
        t("ui.compare.skipped", {
          newest: dateTime(newest.arrived_at),
          time: dateTime(last.prior.arrived_at),
        }),
      );
    this.messages.replaceChildren(...texts.map((text) => message("warning", text)));
  }

  private async drawCurves(last: Earlier): Promise<void> {
    if (!last.waveform) {
      this.messages.append(message("warning", t("ui.compare.no_curves")));
      return;
    }
    try {
      if (this.curves?.of !== last) {
        const waveform = await last.waveform();
        if (this.last !== last) return;
        this.curves = { of: last, waveform };
      }
      if (this.element.hidden || this.shownMode() !== "curves") return;
      const { settings, ink } = this;
      const { waveform } = this.curves;
      const start = settings.start < waveform.duration ? settings.start : 0;
      const mark = t("ui.ecg.then", { time: dateTime(last.prior.arrived_at) });
      this.sheet.replaceChildren(this.view.element);
      this.view.show(waveform, {
        settings: { ...settings, start },
        ink,
        caption: `${mark} · ${caption(waveform, settings)}`,
        who: identityLine(last.item),
        room: endless,
      });
    } catch (cause) {
      if (this.last === last) this.messages.replaceChildren(problemMessage(cause));
    }
  }

  private drawHead(item: Case, { prior }: Earlier, mode: Mode): void {
    const { ink } = this;
    const sample = (text: string, color: string, dashed: boolean): HTMLElement => {
      const line = h("span", { class: dashed ? "sample dashed" : "sample", "aria-hidden": "true" });
      line.style.borderColor = color;
      return h("span", {}, line, text);
    };
    const [now, last] = [
      t("ui.compare.now", { time: dateTime(item.arrived_at) }),
      t("ui.compare.last", { time: dateTime(prior.arrived_at) }),
    ];
    this.legend.replaceChildren(
      ...(mode === "curves"
        ? [h("strong", {}, last), prior.impression && t("ui.compare.said", { text: prior.impression })]
        : [
            sample(now, inks[ink].trace, false),
            sample(last, inks[ink].mark, mode === "overlay"),
            h("span", { class: "muted" }, `${compareSpeeds[mode]} mm/s · ${COMPARE_GAIN} mm/mV`),
          ]),
    );
    const focused = this.choices.contains(document.activeElement);
    const chooser = this.chooser(prior);
    const possible = this.possible();
    this.choices.replaceChildren(
      ...(chooser ? [chooser] : []),
      ...(possible.length > 1 ? possible : []).map((one) =>
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
    if (focused)
      this.choices
        .querySelector<HTMLElement>('[aria-pressed="true"], select')
        ?.focus({ preventScroll: true });
  }

  /** Every earlier ECG can be compared with, not the last alone. */
  private chooser(chosen: Prior): HTMLElement | null {
    if (this.priors.length < 2) return null;
    const select = h(
      "select",
      { onchange: () => void this.choose(select.value) },
      ...this.priors.map((one) =>
        h("option", { value: one.id, selected: one.id === chosen.id }, dateTime(one.arrived_at)),
      ),
    );
    return h("label", { class: "choose-prior" }, `${t("ui.compare.choose")} `, select);
  }
}

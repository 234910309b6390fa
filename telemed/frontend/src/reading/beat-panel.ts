/** The median beat of a recording: its marks move, and the intervals and the ST table follow. */
import { h } from "../core/dom";
import { maybe, t } from "../core/page";
import { type Beat, intervals, type MarkName, type Marks, stLevels, stPoints } from "../ecg/beat";
import { BEAT_SPEED, BeatView } from "../ecg/beat-view";
import type { InkName } from "../ecg/draw";
import { notableAtJ, type Person } from "../ecg/st-limits";
import { hundredths, measured } from "./measured";

const rows = ["heart_rate_bpm", "p_ms", "pr_ms", "qrs_ms", "qt_ms", "qtc_ms", "qtc_fridericia_ms"] as const;
/** Where a P wave is put that the machine did not see: ms before QRS onset. */
const NEW_P = { p_onset_ms: 160, p_offset_ms: 60 } as const;

export interface BeatHost {
  /** Kept with the case, and written into the report. */
  keep(analysis: string, marks: Marks, text: string): void;
}

export class BeatPanel {
  readonly element = h("section", { class: "beat-panel", hidden: true, "aria-label": t("ui.beat.title") });
  private beat: Beat | null = null;
  private marks: Marks = {};
  private kept: Marks | undefined;
  private person: Person = { sex: "", years: null };
  private lead = "II";
  private ink: InkName = "dark";
  private readonly caption = h("p", { class: "muted" });
  private readonly table = h("div", { class: "beat-intervals" });
  private readonly st = h("div", { class: "beat-st" });
  private readonly view = new BeatView(t("ui.beat.title"), markLabels(), (marks) => {
    this.marks = marks;
    this.drawTables();
  });
  private readonly host: BeatHost;

  constructor(host: BeatHost) {
    this.host = host;
    this.element.append(
      h("div", { class: "beat-place" }, this.view.element, this.caption),
      this.table,
      this.st,
    );
  }

  get shown(): boolean {
    return this.beat !== null && this.element.isConnected;
  }

  show(beat: Beat, kept: Marks | undefined, person: Person): void {
    this.beat = beat;
    this.person = person;
    this.take(kept);
    this.element.hidden = false;
  }

  hide(): void {
    this.beat = null;
    this.element.hidden = true;
  }

  /** What is kept came from the server: marks that are being moved are not taken away. */
  take(kept: Marks | undefined): void {
    if (!this.moved || this.kept === undefined) this.marks = kept ?? this.beat?.marks ?? {};
    this.kept = kept;
    this.draw();
  }

  look(lead: string, ink: InkName): void {
    this.lead = lead;
    this.ink = ink;
    this.draw();
  }

  focus(): boolean {
    return this.shown && this.view.focus();
  }

  /** One key: these measurements, the reader's own where a mark was moved, into the report. */
  keep(): boolean {
    const { beat } = this;
    if (!beat || !this.shown) return false;
    this.host.keep(beat.analysis, this.marks, this.sentence(beat));
    return true;
  }

  private get moved(): boolean {
    const from = this.kept ?? this.beat?.marks ?? {};
    const names = new Set([...Object.keys(from), ...Object.keys(this.marks)]) as Set<MarkName>;
    return [...names].some((name) => from[name] !== this.marks[name]);
  }

  private sentence(beat: Beat): string {
    const found = intervals(this.marks, beat.rr);
    const parts = ["heart_rate_bpm", "pr_ms", "qrs_ms", "qt_ms", "qtc_ms"]
      .filter((name) => found[name] !== undefined)
      .map((name) => `${maybe(`ui.measurement.${name}`) ?? name} ${measured(name, found[name])}`);
    return t("ui.draft.sentence", { text: parts.join(t("ui.draft.comma")) });
  }

  private draw(): void {
    const { beat } = this;
    if (!beat) return;
    this.view.show(beat, this.marks, this.lead, this.ink);
    this.caption.textContent = t("ui.beat.caption", {
      lead: this.lead,
      speed: BEAT_SPEED,
      gain: this.view.gain,
      beats: beat.beats,
      of: beat.of,
    });
    this.drawTables();
  }

  private drawTables(): void {
    const { beat, marks } = this;
    if (!beat) return;
    const machine = intervals(beat.marks, beat.rr);
    const mine = intervals(marks, beat.rr);
    const text = (name: string, value: number | undefined): string =>
      value === undefined ? "–" : measured(name, value);
    const state = this.moved ? "ui.beat.unsaved" : this.kept ? "ui.beat.kept" : "ui.beat.machine";
    this.table.replaceChildren(
      h(
        "table",
        {},
        h(
          "tr",
          {},
          h("th", {}, t("ui.beat.title")),
          h("th", { class: "number" }, t("ui.beat.by_machine")),
          h("th", { class: "number" }, t("ui.beat.by_reader")),
        ),
        ...rows.map((name) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, maybe(`ui.measurement.${name}`) ?? name),
            h("td", { class: "number" }, text(name, machine[name])),
            h(
              "td",
              { class: machine[name] === mine[name] ? "number" : "number changed", "data-name": name },
              text(name, mine[name]),
            ),
          ),
        ),
      ),
      h("p", { class: this.moved ? "beat-state unsaved" : "beat-state muted", role: "status" }, t(state)),
      h(
        "div",
        { class: "choices" },
        h(
          "button",
          { type: "button", class: "small", onclick: () => this.keep() },
          t("ui.beat.keep"),
          h("kbd", {}, "V"),
        ),
        h(
          "button",
          { type: "button", class: "quiet small", onclick: () => this.toggleP() },
          t(marks.p_onset_ms === undefined ? "ui.beat.add_p" : "ui.beat.no_p"),
        ),
        h(
          "button",
          { type: "button", class: "quiet small", onclick: () => this.reset() },
          t("ui.beat.reset"),
        ),
      ),
    );
    this.drawSt(beat);
  }

  private drawSt(beat: Beat): void {
    const levels = stLevels(beat, this.marks);
    // The limits are those of the J point alone: what follows it rises into T in a healthy heart.
    const cell = (lead: string, level: number, after: number): HTMLElement => {
      const notable = after === 0 && notableAtJ(lead, level, this.person);
      const sign = notable ? (level > 0 ? "↑" : "↓") : "";
      return h(
        "td",
        { class: notable ? "number notable" : "number" },
        Number.isNaN(level) ? "–" : `${sign}${hundredths(level)}`,
      );
    };
    this.st.replaceChildren(
      h(
        "table",
        {},
        h(
          "tr",
          {},
          h("th", {}, "ST (mV)"),
          ...stPoints.map((after) => h("th", { class: "number" }, after ? `J+${after}` : "J")),
        ),
        ...[...levels].map(([lead, values]) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, lead),
            ...values.map((level, at) => cell(lead, level, stPoints[at] ?? 0)),
          ),
        ),
      ),
    );
  }

  private toggleP(): void {
    const { p_onset_ms: there, p_offset_ms: _, ...rest } = this.marks;
    const onset = this.marks.qrs_onset_ms ?? 0;
    const machine = this.beat?.marks ?? {};
    this.marks =
      there !== undefined
        ? rest
        : {
            ...rest,
            p_onset_ms: machine.p_onset_ms ?? onset - NEW_P.p_onset_ms,
            p_offset_ms: machine.p_offset_ms ?? onset - NEW_P.p_offset_ms,
          };
    this.draw();
  }

  private reset(): void {
    this.marks = this.beat?.marks ?? {};
    this.draw();
  }
}

function markLabels(): Record<MarkName, string> {
  return {
    p_onset_ms: t("ui.beat.mark.p_onset"),
    p_offset_ms: t("ui.beat.mark.p_offset"),
    qrs_onset_ms: t("ui.beat.mark.qrs_onset"),
    qrs_offset_ms: t("ui.beat.mark.qrs_offset"),
    t_offset_ms: t("ui.beat.mark.t_offset"),
  };
}

/** Under the sheet: the median beat that was measured, and the last ECG beside this one. */
import { get } from "../core/api";
import { h } from "../core/dom";
import { problemMessage } from "../core/messages";
import { t } from "../core/page";
import { dateTime } from "../core/time";
import type { Case } from "../core/types";
import { type GivenBeat, readBeat } from "../ecg/beat";
import type { InkName } from "../ecg/draw";
import type { Person } from "../ecg/st-limits";
import { BeatPanel } from "./beat-panel";
import { ComparePanel } from "./compare-panel";
import type { OwnReading } from "./own-reading";

export interface BenchHost {
  own: OwnReading;
  /** Into the findings of the report; false where nothing may be written now. */
  insert(text: string): boolean;
}

export class EcgBench {
  readonly element = h("div", { class: "bench" });
  readonly beat: BeatPanel;
  readonly compare = new ComparePanel();
  private readonly tabs = h("div", { class: "stage-tools bench-tabs" });
  private readonly messages = h("div", { class: "messages" });
  private item: Case | null = null;
  private comparing = false;
  private id = "";
  private uid = "";
  private beats: GivenBeat[] = [];
  private readonly own: OwnReading;

  constructor(host: BenchHost) {
    this.own = host.own;
    this.beat = new BeatPanel({
      keep: (analysis, marks, text) => {
        if (host.insert(text)) this.own.measure(analysis, marks);
      },
    });
    this.element.append(this.tabs, this.messages, this.beat.element, this.compare.element);
  }

  get shown(): boolean {
    return this.given !== undefined && this.element.isConnected;
  }

  private get given(): GivenBeat | undefined {
    return this.beats.find((one) => one.sop_instance_uid === this.uid);
  }

  /** The beats of a case are fetched once; an answer that comes later brings its own. */
  async open(item: Case): Promise<void> {
    this.item = item;
    const answers = item.analyses.filter((one) => one.has_median_beat).map((one) => one.id ?? "");
    const id = [item.id, ...answers].join(" ");
    if (this.id === id) return;
    this.close();
    this.item = item;
    this.id = id;
    if (answers.length === 0) return;
    try {
      const beats = await get<GivenBeat[]>(`/api/v1/cases/${encodeURIComponent(item.id)}/median-beats`);
      if (this.id !== id) return;
      this.beats = beats;
      this.show(this.uid);
    } catch (cause) {
      if (this.id === id) this.messages.replaceChildren(problemMessage(cause));
    }
  }

  close(): void {
    this.id = "";
    this.item = null;
    this.beats = [];
    this.comparing = false;
    this.messages.replaceChildren();
    this.tabs.replaceChildren();
    this.beat.hide();
    this.compare.close();
  }

  /** Of the recording that is drawn above. */
  show(uid: string): void {
    if (this.uid !== uid) this.compare.close();
    this.uid = uid;
    this.draw();
  }

  /** The last ECG beside this one, and back to the median beat. */
  toggleCompare(): boolean {
    if (!this.shown || !this.item?.priors.count) return false;
    this.comparing = !this.comparing;
    this.draw();
    return true;
  }

  private draw(): void {
    const { given, item } = this;
    if (!given || !item) {
      this.tabs.replaceChildren();
      this.beat.hide();
      this.compare.hide();
      return;
    }
    const beat = readBeat(given);
    const kept = this.own.marks(given.analysis);
    if (this.comparing) {
      this.beat.hide();
      void this.compare.open({ item, beat, marks: kept ?? beat.marks });
    } else {
      this.compare.hide();
      this.beat.show(beat, kept, personOf(item));
    }
    this.drawTabs(item);
  }

  /** Where there is no earlier ECG there is nothing to choose. */
  private drawTabs({ priors }: Case): void {
    const tab = (text: string, on: boolean, key: string): HTMLElement =>
      h(
        "button",
        {
          type: "button",
          class: "quiet",
          "aria-pressed": String(on),
          onclick: () => {
            if (!on) this.toggleCompare();
          },
        },
        text,
        key && h("kbd", {}, key),
      );
    const time = priors.latest ? dateTime(priors.latest) : "";
    this.tabs.replaceChildren(
      ...(priors.count > 0
        ? [
            tab(t("ui.beat.title"), !this.comparing, this.comparing ? "7" : ""),
            tab(t("ui.compare.tab", { time }), this.comparing, this.comparing ? "" : "7"),
          ]
        : []),
    );
  }

  look(lead: string, ink: InkName): void {
    this.beat.look(lead, ink);
    this.compare.look(ink);
  }

  /** The server knows more of the reader's own measurements. */
  renew(): void {
    const { given } = this;
    if (given && !this.comparing) this.beat.take(this.own.marks(given.analysis));
  }
}

function personOf({ patient }: Case): Person {
  const { sex, age } = patient;
  // Ages under a year are given in months or days.
  return { sex, years: age ? (age.unit === "year" ? age.value : 0) : null };
}

/** Under the sheet: the median beat that was measured, and the last ECG beside this one. */
import { get } from "../core/api";
import { h } from "../core/dom";
import { problemMessage } from "../core/messages";
import type { Case } from "../core/types";
import { type GivenBeat, readBeat } from "../ecg/beat";
import type { InkName } from "../ecg/draw";
import { BeatPanel } from "./beat-panel";
import type { OwnReading } from "./own-reading";

export interface BenchHost {
  own: OwnReading;
  /** Into the findings of the report. */
  insert(text: string): void;
}

export class EcgBench {
  readonly element = h("div", { class: "bench" });
  readonly beat: BeatPanel;
  private readonly messages = h("div", { class: "messages" });
  private id = "";
  private uid = "";
  private beats: GivenBeat[] = [];
  private readonly own: OwnReading;

  constructor(host: BenchHost) {
    this.own = host.own;
    this.beat = new BeatPanel({
      keep: (analysis, marks, text) => {
        host.insert(text);
        void this.own.measure(analysis, marks);
      },
    });
    this.element.append(this.messages, this.beat.element);
  }

  /** The beats of a case are fetched once; an answer that comes later brings its own. */
  async open(item: Case): Promise<void> {
    const answers = item.analyses.filter((one) => one.has_median_beat).map((one) => one.id ?? "");
    const id = [item.id, ...answers].join(" ");
    if (this.id === id) return;
    this.close();
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
    this.beats = [];
    this.messages.replaceChildren();
    this.beat.hide();
  }

  /** Of the recording that is drawn above. */
  show(uid: string): void {
    this.uid = uid;
    const given = this.beats.find((one) => one.sop_instance_uid === uid);
    if (given) this.beat.show(readBeat(given), this.own.marks(given.analysis));
    else this.beat.hide();
  }

  look(lead: string, ink: InkName): void {
    this.beat.look(lead, ink);
  }

  /** The server knows more of the reader's own measurements. */
  renew(): void {
    const given = this.beats.find((one) => one.sop_instance_uid === this.uid);
    if (given) this.beat.take(this.own.marks(given.analysis));
  }
}

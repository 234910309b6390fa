/** Under the sheet: the median beat that was measured, and the last ECG beside this one. */
import { get } from "../core/api";
import { h } from "../core/dom";
import { message, problemMessage } from "../core/messages";
import { t } from "../core/page";
import { dateTime } from "../core/time";
import type { Case } from "../core/types";
import { type GivenBeat, readBeat } from "../ecg/beat";
import type { InkName } from "../ecg/draw";
import type { Settings } from "../ecg/sheet";
import type { Person } from "../ecg/st-limits";
import { BeatPanel } from "./beat-panel";
import { ComparePanel } from "./compare-panel";
import type { Flipped } from "./ecg-panel";
import { identityLine } from "./identity";
import type { OwnReading } from "./own-reading";

export interface BenchHost {
  /** The earlier recording on the paper of this one; null for this one again. */
  flip(to: Flipped | null): boolean;
  own: OwnReading;
  /** Into the findings of the report; false where nothing may be written now. */
  insert(text: string): boolean;
}

export class EcgBench {
  readonly element = h("div", { class: "bench" });
  readonly beat: BeatPanel;
  readonly compare = new ComparePanel(() => this.chosen());
  private readonly tabs = h("div", { class: "stage-tools bench-tabs" });
  private readonly messages = h("div", { class: "messages" });
  private item: Case | null = null;
  private comparing = false;
  private flipped = false;
  private id = "";
  private uid = "";
  private beats: GivenBeat[] = [];
  private readonly own: OwnReading;
  private readonly host: BenchHost;

  constructor(host: BenchHost) {
    this.host = host;
    this.own = host.own;
    this.beat = new BeatPanel({
      keep: (analysis, marks, text) => {
        if (host.insert(text)) this.own.measure(analysis, marks);
      },
    });
    this.element.append(this.tabs, this.messages, this.beat.element, this.compare.element);
  }

  /** There is an earlier ECG, and this one is shown. */
  get shown(): boolean {
    return this.uid !== "" && this.element.isConnected && (this.item?.priors.count ?? 0) > 0;
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
    // Curves can be compared without any machine's answer.
    this.draw();
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
    this.comparing = this.flipped = false;
    this.messages.replaceChildren();
    this.tabs.replaceChildren();
    this.beat.hide();
    this.compare.close();
  }

  /** Of the recording that is drawn above. */
  show(uid: string): void {
    if (this.uid !== uid) this.compare.close();
    // The paper begins with the recording that was asked for.
    this.flipped = false;
    this.uid = uid;
    this.draw();
  }

  /** The last ECG beside this one, and back to the median beat. */
  toggleCompare(): boolean {
    if (!this.shown) return false;
    this.comparing = !this.comparing;
    this.draw();
    return true;
  }

  /** The earlier ECG on the paper of this one, and back. */
  flip(): boolean {
    const { item, uid } = this;
    if (!this.shown || !item) return false;
    if (this.flipped) this.back();
    else void this.showThen(item, uid);
    return true;
  }

  private back(): void {
    this.flipped = this.host.flip(null);
    this.draw();
  }

  private async showThen(item: Case, uid: string): Promise<void> {
    const here = (): boolean => this.item?.id === item.id && this.uid === uid;
    try {
      const last = await this.compare.earlier(item, this.given !== undefined);
      const waveform = await last?.waveform?.();
      if (!here()) return;
      if (!last || !waveform) {
        this.messages.replaceChildren(message("warning", t("ui.compare.no_curves")));
        return;
      }
      this.messages.replaceChildren();
      this.flipped = this.host.flip({
        waveform,
        who: identityLine(last.item),
        time: dateTime(last.prior.arrived_at),
      });
      this.draw();
    } catch (cause) {
      if (here()) this.messages.replaceChildren(problemMessage(cause));
    }
  }

  /** It is another earlier one now: named in the tab, and no longer on the paper. */
  private chosen(): void {
    if (this.flipped) this.back();
    else if (this.item) this.drawTabs(this.item);
  }

  private draw(): void {
    const { given, item } = this;
    const beat = given && readBeat(given);
    const kept = given && this.own.marks(given.analysis);
    if (item && this.comparing) {
      this.beat.hide();
      void this.compare.open(item, beat ? { item, beat, marks: kept ?? beat.marks } : null);
    } else {
      this.compare.hide();
      if (item && beat) this.beat.show(beat, kept, personOf(item));
      else this.beat.hide();
    }
    if (item) this.drawTabs(item);
    else this.tabs.replaceChildren();
  }

  /** Where there is no earlier ECG there is nothing to choose. */
  private drawTabs({ priors }: Case): void {
    if (priors.count === 0) {
      this.tabs.replaceChildren();
      return;
    }
    const tab = (text: string, on: boolean, key: string, run: () => unknown): HTMLElement =>
      h(
        "button",
        { type: "button", class: "quiet", "aria-pressed": String(on), onclick: () => void run() },
        text,
        key && h("kbd", {}, key),
      );
    // Once one was chosen, that one: not every earlier ECG can be measured against.
    const time = dateTime(this.compare.chosen?.arrived_at ?? priors.latest);
    const [beat, compare] = [!this.comparing, this.comparing];
    const other = (on: boolean) => (): unknown => on || this.toggleCompare();
    this.tabs.replaceChildren(
      ...(this.given ? [tab(t("ui.beat.title"), beat, compare ? "7" : "", other(beat))] : []),
      tab(
        t("ui.compare.tab", { time }),
        compare,
        compare && this.given ? "" : "7",
        this.given ? other(compare) : () => this.toggleCompare(),
      ),
      tab(t("ui.compare.flip"), this.flipped, "0", () => this.flip()),
    );
  }

  look(settings: Settings, ink: InkName): void {
    this.beat.look(settings.rhythm, ink);
    this.compare.look(settings, ink);
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

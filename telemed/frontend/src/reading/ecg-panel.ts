/** The ECG of a case with its settings always in view. */
import { h, setText } from "../core/dom";
import { message, problemMessage } from "../core/messages";
import { maybe, t } from "../core/page";
import { keep, recall } from "../core/storage";
import type { Instance } from "../core/types";
import { currentScale } from "../ecg/calibration";
import type { Measure } from "../ecg/caliper";
import type { InkName } from "../ecg/draw";
import { baselines, type Filter, lowPasses, possible } from "../ecg/filters";
import { endless, formats, gains, pageSeconds, type Room, type Settings, speeds, usual } from "../ecg/sheet";
import { EcgView } from "../ecg/view";
import type { Waveform } from "../ecg/waveform";
import { calibrationForm } from "./calibration-form";
import { caption, ecgTools } from "./ecg-tools";

const INK = "telemed.ecg.ink";
/** One lead alone is drawn twice as large both ways. */
const ENLARGED = { speed: 50, gain: 20 } as const;

export function ecgInstances(instances: readonly Instance[]): Instance[] {
  return instances.filter((instance) => instance.kind === "ecg" && instance.waveform_url);
}

/** Another recording on the same paper, and whose and of when it is. */
export interface Flipped {
  waveform: Waveform;
  who: string;
  time: string;
}

export class EcgPanel {
  readonly element = h("section", { class: "stage ecg-stage", "aria-label": t("ui.ecg.title") });
  /** How it is looked at, and on which ink. */
  onLook: (settings: Settings, ink: InkName) => void = () => undefined;
  private settings: Settings = usual;
  /** What stood here before one lead was enlarged. */
  private before: Settings | null = null;
  private ink: InkName = recall<InkName>(INK) ?? "dark";
  private waveform: Waveform | null = null;
  private who = "";
  private flipped: Flipped | null = null;
  private readonly tools = h("div", { class: "stage-tools" });
  private readonly below = h("div", {});
  private readonly faults = h("div", { class: "messages" });
  private readonly banner = h("p", { class: "then-banner", role: "status" });
  private readonly readout = h("output", { class: "readout" });
  private readonly view = new EcgView(t("ui.ecg.title"), (measure) => this.showMeasure(measure));
  private readonly frame = h(
    "div",
    { class: "ecg-scroll", role: "group", tabindex: "0", "aria-label": t("ui.ecg.title") },
    this.view.element,
  );

  constructor() {
    this.element.append(this.tools, this.faults, this.banner, this.below, this.frame);
    this.view.caliper.canvas.addEventListener("dblclick", (event) => {
      this.clearCaliper();
      this.enlarge(this.view.leadAt(event));
    });
    window.addEventListener("resize", () => this.draw());
  }

  /** Whether keys have an ECG to act on. */
  get shown(): boolean {
    return this.waveform !== null && this.element.isConnected;
  }

  /** What speaks against this recording stands over it. */
  quality(instance: Instance): void {
    const texts = instance.quality.map((one) => {
      if (typeof one !== "string") return one.text ?? maybe(`ui.${one.code}`) ?? one.code;
      return maybe(`ui.${one}`) ?? one;
    });
    const text = t("ui.quality.note", { reasons: texts.join(", ") });
    this.faults.replaceChildren(...(texts.length > 0 ? [message("warning", text)] : []));
  }

  /** A new case begins as every case does: 25 mm/s, 10 mm/mV, no filter, first page. */
  show(waveform: Waveform, who: string): void {
    this.waveform = waveform;
    this.flipped = null;
    this.who = who;
    this.settings = usual;
    this.before = null;
    this.below.replaceChildren();
    this.view.caliper.clear();
    this.draw();
  }

  /** Nothing is shown while a recording is on its way: never one person's curve under another's name. */
  clear(): void {
    this.waveform = this.flipped = null;
    this.tell();
    this.view.element.hidden = true;
    this.tools.replaceChildren();
    this.below.replaceChildren();
  }

  fail(cause: unknown): void {
    this.clear();
    this.below.replaceChildren(problemMessage(cause));
  }

  /** The earlier recording in this one's place, by the same settings, and back: true while it stands there. */
  flip(flipped: Flipped | null): boolean {
    if (!this.waveform) return false;
    this.flipped = flipped;
    this.clearCaliper();
    this.draw();
    return flipped !== null;
  }

  private tell(): void {
    this.element.classList.toggle("shows-then", this.flipped !== null);
    // What speaks against this recording says nothing of that one.
    this.faults.hidden = this.flipped !== null;
    setText(this.banner, this.flipped ? t("ui.ecg.then", { time: this.flipped.time }) : "");
  }

  setFormat(index: number): void {
    const format = formats[index];
    if (format) this.change({ format, start: 0 });
  }

  stepGain(step: number): void {
    const gain = gains[gains.indexOf(this.settings.gain) + step];
    if (gain) this.change({ gain });
  }

  stepSpeed(): void {
    this.change({ speed: after(speeds, this.settings.speed) });
  }

  toggleChest(): void {
    this.change({ chestHalf: !this.settings.chestHalf });
  }

  stepLead(step: number): void {
    const leads = this.waveform?.leads ?? [];
    const rhythm = leads[leads.indexOf(this.settings.rhythm) + step];
    if (rhythm) this.change({ rhythm });
  }

  toggleOrder(): void {
    this.change({ order: this.settings.order === "cabrera" ? "standard" : "cabrera" });
  }

  /** One lead alone, and back to what stood here before. */
  enlarge(lead = this.settings.rhythm): void {
    const { before, settings } = this;
    if (settings.format === "1x1" && before) {
      this.before = null;
      this.change(before);
      return;
    }
    this.before = settings;
    this.change({ format: "1x1", rhythm: lead, ...ENLARGED });
  }

  stepLowPass(): void {
    const values = lowPasses.filter((value) => possible(value, this.waveform?.rate ?? 0));
    this.filter({ lowPass: after(values, this.settings.filter.lowPass) });
  }

  stepBaseline(): void {
    this.filter({ baseline: after(baselines, this.settings.filter.baseline) });
  }

  toggleNotch(): void {
    this.filter({ notch: !this.settings.filter.notch });
  }

  turn(pages: number): void {
    const seconds = pageSeconds(this.settings.format);
    const last = Math.max(0, Math.ceil((this.waveform?.duration ?? 0) / seconds - 1e-6) - 1) * seconds;
    this.change({ start: Math.max(0, Math.min(last, this.settings.start + pages * seconds)) });
  }

  toggleInk(): void {
    this.ink = this.ink === "dark" ? "paper" : "dark";
    keep(INK, this.ink);
    this.draw();
  }

  get caliper() {
    return this.view.caliper;
  }

  placeCaliper(): void {
    this.view.placeCaliper();
  }

  /** True if there was a caliper to take away. */
  clearCaliper(): boolean {
    const { active } = this.view.caliper;
    this.view.caliper.clear();
    return active;
  }

  private change(part: Partial<Settings>): void {
    this.settings = { ...this.settings, ...part };
    this.draw();
  }

  private filter(part: Partial<Filter>): void {
    this.change({ filter: { ...this.settings.filter, ...part } });
  }

  private draw(): void {
    const { waveform, settings, ink, flipped, who } = this;
    if (!waveform) return;
    this.tell();
    this.drawTools(flipped?.waveform ?? waveform);
    this.view.element.hidden = false;
    const room = this.room();
    const now = { settings, ink, who, caption: caption(waveform, settings), room };
    if (flipped) {
      const { waveform: other, time } = flipped;
      // The shorter of the two has no such page.
      const start = settings.start < other.duration ? settings.start : 0;
      const mark = `${t("ui.ecg.then", { time })} · ${caption(other, settings)}`;
      const shown = { ...now, settings: { ...settings, start }, who: flipped.who, caption: mark };
      // Beside the present report stands the present ECG.
      this.view.show(other, shown, { waveform, shown: now });
    } else this.view.show(waveform, now);
    this.onLook(settings, ink);
  }

  /** On a desk all rows stand in view at once; on a telephone the page scrolls. */
  private room(): Room {
    if (!this.element.isConnected || window.innerWidth <= 1000) return endless;
    const pixels = window.innerHeight - this.frame.getBoundingClientRect().top - 14;
    return { ...endless, height: pixels / currentScale().cssPxPerMm };
  }

  private drawTools(waveform: Waveform): void {
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.id : "";
    const { calibrated } = currentScale();
    this.tools.replaceChildren(
      ...ecgTools(waveform, this.settings, this.ink, {
        change: (part) => this.change(part),
        filter: (part) => this.filter(part),
        turn: (pages) => this.turn(pages),
        toggleInk: () => this.toggleInk(),
      }),
      h(
        "button",
        {
          type: "button",
          id: "ecg-calibrate",
          class: calibrated ? "quiet" : "quiet attention",
          onclick: () => this.askCalibration(),
        },
        t(calibrated ? "ui.scale.calibrated" : "ui.scale.not_calibrated"),
      ),
      this.readout,
    );
    if (focused) document.getElementById(focused)?.focus();
  }

  private showMeasure(measure: Measure | null): string {
    const time = Math.round(measure?.time ?? 0);
    const rate = time > 0 ? Math.round(60_000 / time) : 0;
    const amplitude = (measure?.amplitude ?? 0).toFixed(2);
    const text = measure ? t("ui.ecg.caliper", { time, rate, amplitude }) : "";
    setText(this.readout, text);
    return text;
  }

  private askCalibration(): void {
    this.below.replaceChildren(
      calibrationForm(() => {
        this.below.replaceChildren();
        this.draw();
      }),
    );
  }
}

function after<T>(values: readonly T[], current: T): T {
  return values[(values.indexOf(current) + 1) % values.length] ?? current;
}

/** The ECG of a case with its settings always in view. */
import { h, setText } from "../core/dom";
import { message, problemMessage } from "../core/messages";
import { maybe, t } from "../core/page";
import { keep, recall } from "../core/storage";
import type { Instance } from "../core/types";
import { currentScale } from "../ecg/calibration";
import type { Measure } from "../ecg/caliper";
import { type InkName, inks } from "../ecg/draw";
import {
  type Format,
  formats,
  type Gain,
  gains,
  PAGE_SECONDS,
  type Settings,
  type Speed,
  speeds,
  usual,
} from "../ecg/sheet";
import { EcgView } from "../ecg/view";
import type { Waveform } from "../ecg/waveform";
import { calibrationForm } from "./calibration-form";

const INK = "telemed.ecg.ink";

export function ecgInstances(instances: readonly Instance[]): Instance[] {
  return instances.filter((instance) => instance.kind === "ecg" && instance.waveform_url);
}

export class EcgPanel {
  readonly element = h("section", { class: "stage ecg-stage", "aria-label": t("ui.ecg.title") });
  private settings: Settings = usual;
  private ink: InkName = recall<InkName>(INK) ?? "dark";
  private waveform: Waveform | null = null;
  private readonly tools = h("div", { class: "stage-tools" });
  private readonly below = h("div", {});
  private readonly faults = h("div", { class: "messages" });
  private readonly readout = h("output", { class: "readout" });
  private readonly view = new EcgView(t("ui.ecg.title"), (measure) => this.showMeasure(measure));

  constructor() {
    this.element.append(
      this.tools,
      this.faults,
      this.below,
      h(
        "div",
        { class: "ecg-scroll", role: "group", tabindex: "0", "aria-label": t("ui.ecg.title") },
        this.view.element,
      ),
    );
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

  /** A new case begins as every case does: 25 mm/s, 10 mm/mV, first page. */
  show(waveform: Waveform): void {
    this.waveform = waveform;
    this.settings = usual;
    this.below.replaceChildren();
    this.draw();
  }

  fail(cause: unknown): void {
    this.waveform = null;
    this.view.element.hidden = true;
    this.tools.replaceChildren();
    this.below.replaceChildren(problemMessage(cause));
  }

  setFormat(index: number): void {
    const format = formats[index];
    if (format) this.change({ format });
  }

  stepGain(step: number): void {
    const gain = gains[gains.indexOf(this.settings.gain) + step];
    if (gain) this.change({ gain });
  }

  stepSpeed(): void {
    this.change({ speed: speeds[(speeds.indexOf(this.settings.speed) + 1) % speeds.length] ?? 25 });
  }

  turn(pages: number): void {
    const last =
      Math.max(0, Math.ceil((this.waveform?.duration ?? 0) / PAGE_SECONDS - 1e-6) - 1) * PAGE_SECONDS;
    this.change({ start: Math.max(0, Math.min(last, this.settings.start + pages * PAGE_SECONDS)) });
  }

  toggleInk(): void {
    this.ink = this.ink === "dark" ? "paper" : "dark";
    keep(INK, this.ink);
    this.draw();
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

  private draw(): void {
    if (!this.waveform) return;
    this.view.element.hidden = false;
    this.view.show(this.waveform, this.settings, this.ink);
    this.drawTools(this.waveform);
  }

  private drawTools(waveform: Waveform): void {
    const { settings } = this;
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.id : "";
    this.tools.replaceChildren(
      choice(
        "ecg-format",
        t("ui.ecg.format"),
        formats,
        settings.format,
        (value) => t(`ui.ecg.format.${value}`),
        (format: Format) => this.change({ format }),
      ),
      choice(
        "ecg-speed",
        t("ui.ecg.speed"),
        speeds,
        settings.speed,
        (value) => `${value} mm/s`,
        (speed: Speed) => this.change({ speed }),
      ),
      choice(
        "ecg-gain",
        t("ui.ecg.gain"),
        gains,
        settings.gain,
        (value) => `${value} mm/mV`,
        (gain: Gain) => this.change({ gain }),
      ),
      choice(
        "ecg-rhythm",
        t("ui.ecg.rhythm"),
        waveform.leads,
        settings.rhythm,
        (lead) => lead,
        (rhythm: string) => this.change({ rhythm }),
        settings.format !== "3x4+1",
      ),
      choice(
        "ecg-ink",
        t("ui.ecg.ink"),
        Object.keys(inks) as InkName[],
        this.ink,
        (ink) => t(`ui.ecg.ink.${ink}`),
        () => this.toggleInk(),
      ),
      this.pager(waveform) ?? "",
      h("span", { class: "muted filter-note" }, t("ui.ecg.no_filter", { rate: Math.round(waveform.rate) })),
      this.readout,
      h(
        "button",
        {
          type: "button",
          id: "ecg-calibrate",
          class: currentScale().calibrated ? "quiet" : "quiet attention",
          onclick: () => this.askCalibration(),
        },
        t(currentScale().calibrated ? "ui.scale.calibrated" : "ui.scale.not_calibrated"),
      ),
    );
    if (focused) document.getElementById(focused)?.focus();
  }

  private pager(waveform: Waveform): HTMLElement | null {
    const pages = Math.ceil(waveform.duration / PAGE_SECONDS - 1e-6);
    if (pages <= 1) return null;
    const number = Math.floor(this.settings.start / PAGE_SECONDS) + 1;
    return h(
      "span",
      { class: "pager" },
      h(
        "button",
        {
          type: "button",
          class: "quiet",
          id: "ecg-back",
          "aria-label": t("ui.ecg.page_back"),
          onclick: () => this.turn(-1),
        },
        "‹",
      ),
      t("ui.ecg.page", { number, pages }),
      h(
        "button",
        {
          type: "button",
          class: "quiet",
          id: "ecg-forward",
          "aria-label": t("ui.ecg.page_forward"),
          onclick: () => this.turn(1),
        },
        "›",
      ),
    );
  }

  private showMeasure(measure: Measure | null): void {
    if (!measure) {
      setText(this.readout, "");
      return;
    }
    const time = Math.round(measure.time);
    const rate = measure.time > 0 ? Math.round(60_000 / measure.time) : 0;
    setText(this.readout, t("ui.ecg.caliper", { time, rate, amplitude: measure.amplitude.toFixed(2) }));
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

function choice<T extends string | number>(
  id: string,
  label: string,
  values: readonly T[],
  current: T,
  text: (value: T) => string,
  choose: (value: T) => void,
  disabled = false,
): HTMLElement {
  const select = h(
    "select",
    {
      id,
      disabled,
      "aria-label": label,
      title: label,
      onchange: () => {
        const value = values[select.selectedIndex];
        if (value !== undefined) choose(value);
      },
    },
    ...values.map((value) => h("option", { selected: value === current }, text(value))),
  );
  return select;
}

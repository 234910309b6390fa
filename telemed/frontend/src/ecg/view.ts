/** An ECG on its own canvas: true millimetres at any pixel ratio, and a caliper over it. */
import { currentScale } from "./calibration";
import { Caliper, type Measure } from "./caliper";
import { drawGrid, drawTraces, type InkName, inks } from "./draw";
import { display, type Filter } from "./filters";
import { layOut, type Settings, type Sheet, stripAt, usual } from "./sheet";
import type { Waveform } from "./waveform";

/** Millimetres of an A4 page across, within its margins and under the lines that name the patient. */
const PRINT_ROOM = 150;
/** Paper needs more points than a screen: 12 in a millimetre are about 300 an inch. */
const PRINT_SCALE = 12;

export interface Shown {
  settings: Settings;
  ink: InkName;
  /** Speed, gain and filters in words: they stand on the sheet wherever it is seen. */
  caption: string;
  /** Millimetres of height that are in view. */
  room: number;
}

export class EcgView {
  readonly element = document.createElement("div");
  readonly canvas = document.createElement("canvas");
  readonly caliper: Caliper;
  private readonly caption = document.createElement("p");
  private shown: Shown = { settings: usual, ink: "paper", caption: "", room: Number.POSITIVE_INFINITY };
  private waveform: Waveform | null = null;
  private displayed: { of: Waveform; filter: Filter; waveform: Waveform } | null = null;
  private sheet: Sheet | null = null;
  private printing = false;
  private ratioQuery: MediaQueryList | null = null;
  private readonly onRatio = (): void => {
    this.watchRatio();
    this.draw();
  };

  constructor(label: string, onMeasure: (measure: Measure | null) => string) {
    this.element.className = "ecg";
    this.canvas.className = "ecg-paper";
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", label);
    this.caption.className = "ecg-setting";
    this.caliper = new Caliper(onMeasure);
    this.element.append(this.canvas, this.caliper.canvas, this.caption);
    this.watchRatio();
    window.addEventListener("beforeprint", () => this.print(true));
    window.addEventListener("afterprint", () => this.print(false));
  }

  show(waveform: Waveform, shown: Shown): void {
    this.waveform = waveform;
    this.shown = shown;
    this.draw();
  }

  /** The lead under a pointer. */
  leadAt(event: MouseEvent): string | undefined {
    const { x, y } = this.caliper.millimetres(event);
    return this.sheet ? stripAt(this.sheet, this.shown.settings.speed, x, y)?.lead : undefined;
  }

  /** A caliper where the reader looks: in the middle of the part that is in view. */
  placeCaliper(): void {
    const scale = currentScale().cssPxPerMm;
    const frame = this.element.parentElement;
    this.caliper.place(
      ((frame?.scrollLeft ?? 0) + (frame?.clientWidth ?? 0) / 2) / scale,
      (frame?.clientHeight ?? 0) / 2 / scale,
    );
  }

  draw(): void {
    if (!this.waveform) return;
    const { settings } = this.shown;
    const ink = this.printing ? "paper" : this.shown.ink;
    const sheet = layOut(settings, this.waveform.duration, this.printing ? PRINT_ROOM : this.shown.room);
    this.sheet = sheet;
    const ratio = window.devicePixelRatio || 1;
    const scale = this.printing ? PRINT_SCALE : currentScale().cssPxPerMm * ratio;
    for (const canvas of [this.canvas, this.caliper.canvas]) {
      canvas.width = Math.ceil(sheet.width * scale) + 1;
      canvas.height = Math.ceil(sheet.height * scale) + 1;
      // One backing pixel on one device pixel on the screen; millimetres of paper in print.
      const size = (pixels: number): string =>
        this.printing ? `${pixels / scale}mm` : `${pixels / ratio}px`;
      canvas.style.width = size(canvas.width);
      canvas.style.height = size(canvas.height);
    }
    const context = this.canvas.getContext("2d");
    if (!context) throw new Error("this browser gives no 2D canvas");
    drawGrid(context, sheet, scale, inks[ink]);
    drawTraces(context, this.filtered(this.waveform, settings.filter), sheet, settings, scale, inks[ink]);
    this.caliper.fit(scale, sheet, settings, inks[ink].mark);
    this.caption.textContent = this.shown.caption;
    this.caption.style.color = inks[ink].label;
    const { dataset } = this.element;
    dataset.drawn = "true";
    dataset.pitch = String(sheet.pitch);
    dataset.first = String(sheet.pulses[0] ?? 0);
  }

  private filtered(of: Waveform, filter: Filter): Waveform {
    if (this.displayed?.of !== of || this.displayed.filter !== filter) {
      this.displayed = { of, filter, waveform: display(of, filter) };
    }
    return this.displayed.waveform;
  }

  private print(printing: boolean): void {
    this.printing = printing;
    this.draw();
  }

  /** The ratio changes when a window moves to another screen or the browser is zoomed. */
  private watchRatio(): void {
    this.ratioQuery?.removeEventListener("change", this.onRatio);
    this.ratioQuery = window.matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`);
    this.ratioQuery.addEventListener("change", this.onRatio);
  }
}

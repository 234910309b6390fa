/** An ECG on its own canvas: true millimetres at any pixel ratio, and a caliper over it. */
import { currentScale } from "./calibration";
import { Caliper, type Measure } from "./caliper";
import { drawGrid, drawTraces, type InkName, inks } from "./draw";
import { layOut, type Settings, type Sheet, usual } from "./sheet";
import type { Waveform } from "./waveform";

export class EcgView {
  readonly element = document.createElement("div");
  readonly canvas = document.createElement("canvas");
  readonly caliper: Caliper;
  private settings: Settings = usual;
  private ink: InkName = "paper";
  private waveform: Waveform | null = null;
  private sheet: Sheet | null = null;
  private ratioQuery: MediaQueryList | null = null;
  private readonly onRatio = (): void => {
    this.watchRatio();
    this.draw();
  };

  constructor(label: string, onMeasure: (measure: Measure | null) => void) {
    this.element.className = "ecg";
    this.canvas.className = "ecg-paper";
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", label);
    this.caliper = new Caliper(onMeasure);
    this.element.append(this.canvas, this.caliper.canvas);
    this.watchRatio();
    window.addEventListener("beforeprint", () => this.sizeFor("print"));
    window.addEventListener("afterprint", () => this.sizeFor("screen"));
  }

  show(waveform: Waveform, settings: Settings, ink: InkName): void {
    this.waveform = waveform;
    this.settings = settings;
    this.ink = ink;
    this.draw();
  }

  draw(): void {
    if (!this.waveform) return;
    const sheet = layOut(this.settings, this.waveform.duration);
    this.sheet = sheet;
    const ratio = window.devicePixelRatio || 1;
    const scale = currentScale().cssPxPerMm * ratio;
    for (const canvas of [this.canvas, this.caliper.canvas]) {
      canvas.width = Math.ceil(sheet.width * scale) + 1;
      canvas.height = Math.ceil(sheet.height * scale) + 1;
    }
    this.sizeFor("screen");
    const context = this.canvas.getContext("2d");
    if (!context) throw new Error("this browser gives no 2D canvas");
    drawGrid(context, sheet, scale, inks[this.ink]);
    drawTraces(context, this.waveform, sheet, this.settings, scale, inks[this.ink]);
    this.caliper.fit(scale, this.settings, inks[this.ink].mark);
    this.element.dataset.drawn = "true";
  }

  /** One backing pixel on one device pixel on the screen; millimetres of paper in print. */
  private sizeFor(medium: "screen" | "print"): void {
    if (!this.sheet) return;
    const ratio = window.devicePixelRatio || 1;
    const perPixel = medium === "print" ? 1 / (currentScale().cssPxPerMm * ratio) : 1 / ratio;
    const unit = medium === "print" ? "mm" : "px";
    for (const canvas of [this.canvas, this.caliper.canvas]) {
      canvas.style.width = `${canvas.width * perPixel}${unit}`;
      canvas.style.height = `${canvas.height * perPixel}${unit}`;
    }
  }

  /** The ratio changes when a window moves to another screen or the browser is zoomed. */
  private watchRatio(): void {
    this.ratioQuery?.removeEventListener("change", this.onRatio);
    this.ratioQuery = window.matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`);
    this.ratioQuery.addEventListener("change", this.onRatio);
  }
}

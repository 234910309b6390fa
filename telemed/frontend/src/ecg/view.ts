/** An ECG on its own canvas: true millimetres at any pixel ratio, and a caliper over it. */
import { currentScale } from "./calibration";
import { Caliper, type Measure } from "./caliper";
import { drawGrid, drawTraces, type InkName, inks } from "./draw";
import { display, type Filter } from "./filters";
import { paperFigures } from "./paper";
import { endless, layOut, type Room, type Settings, type Sheet, stripAt, usual } from "./sheet";
import type { Waveform } from "./waveform";

/** While it stands on the page, the page is printed as an ECG is: see ecg.css. */
const PRINTS = "prints-ecg";
export interface Shown {
  settings: Settings;
  ink: InkName;
  /** Speed, gain and filters in words: they stand on the sheet wherever it is seen. */
  caption: string;
  /** Who it is, for the pages of a print that stand without the page's own head. */
  who: string;
  /** What is in view. */
  room: Room;
}

export class EcgView {
  readonly element = document.createElement("div");
  readonly canvas = document.createElement("canvas");
  readonly caliper: Caliper;
  private readonly caption = document.createElement("p");
  private shown: Shown = { settings: usual, ink: "paper", caption: "", who: "", room: endless };
  private waveform: Waveform | null = null;
  /** What a print shows, where that is another recording than the screen does. */
  private paper: { waveform: Waveform; shown: Shown } | null = null;
  private readonly label: string;
  private displayed: { of: Waveform; filter: Filter; waveform: Waveform } | null = null;
  private sheet: Sheet | null = null;
  /** There only while the page is printed. */
  private figures: HTMLElement[] = [];
  private ratioQuery: MediaQueryList | null = null;
  private readonly onRatio = (): void => {
    this.watchRatio();
    this.draw();
  };

  /** `prints`: the page's ECG on paper; a page has one. */
  constructor(label: string, onMeasure: (measure: Measure | null) => string, prints = true) {
    this.element.className = "ecg";
    this.canvas.className = "ecg-paper";
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", label);
    this.caption.className = "ecg-setting";
    this.label = label;
    this.caliper = new Caliper(onMeasure);
    this.element.append(this.canvas, this.caliper.canvas, this.caption);
    this.watchRatio();
    if (!prints) return;
    window.addEventListener("beforeprint", () => this.print(true));
    window.addEventListener("afterprint", () => this.print(false));
  }

  show(waveform: Waveform, shown: Shown, paper: { waveform: Waveform; shown: Shown } | null = null): void {
    this.waveform = waveform;
    this.paper = paper;
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
    const { settings, ink, room } = this.shown;
    const sheet = layOut(settings, this.waveform.duration, room);
    this.sheet = sheet;
    const ratio = window.devicePixelRatio || 1;
    const scale = currentScale().cssPxPerMm * ratio;
    this.render(this.canvas, this.waveform, sheet, settings, scale, ink);
    this.caliper.canvas.width = this.canvas.width;
    this.caliper.canvas.height = this.canvas.height;
    for (const { style } of [this.canvas, this.caliper.canvas]) {
      // One backing pixel on one device pixel.
      style.width = `${this.canvas.width / ratio}px`;
      style.height = `${this.canvas.height / ratio}px`;
    }
    this.caliper.fit(scale, sheet, settings, inks[ink].mark);
    this.caption.textContent = this.shown.caption;
    this.caption.style.color = inks[ink].label;
    const { dataset } = this.element;
    dataset.drawn = "true";
    dataset.pitch = String(sheet.pitch);
    dataset.first = String(sheet.pulses[0]?.y ?? 0);
  }

  private render(
    canvas: HTMLCanvasElement,
    waveform: Waveform,
    sheet: Sheet,
    settings: Settings,
    scale: number,
    ink: InkName,
  ): void {
    canvas.width = Math.ceil(sheet.width * scale) + 1;
    canvas.height = Math.ceil(sheet.height * scale) + 1;
    const context = canvas.getContext("2d");
    if (!context) throw new Error("this browser gives no 2D canvas");
    drawGrid(context, sheet, scale, inks[ink]);
    drawTraces(context, this.filtered(waveform, settings.filter), sheet, settings, scale, inks[ink]);
  }

  private filtered(of: Waveform, filter: Filter): Waveform {
    if (this.displayed?.of !== of || this.displayed.filter !== filter) {
      this.displayed = { of, filter, waveform: display(of, filter) };
    }
    return this.displayed.waveform;
  }

  private print(printing: boolean): void {
    const { label } = this;
    const waveform = this.paper?.waveform ?? this.waveform;
    const here = waveform !== null && this.element.isConnected && !this.element.closest("[hidden]");
    document.documentElement.classList.toggle(PRINTS, printing && here);
    for (const figure of this.figures) figure.remove();
    this.figures = [];
    if (!printing || !here) return;
    const { settings, caption, who } = this.paper?.shown ?? this.shown;
    this.figures = paperFigures(waveform, {
      settings,
      caption,
      who,
      label,
      render: (canvas, sheet, drawn, scale) => this.render(canvas, waveform, sheet, drawn, scale, "paper"),
    });
    this.element.prepend(...this.figures);
  }

  /** The ratio changes when a window moves to another screen or the browser is zoomed. */
  private watchRatio(): void {
    this.ratioQuery?.removeEventListener("change", this.onRatio);
    this.ratioQuery = window.matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`);
    this.ratioQuery.addEventListener("change", this.onRatio);
  }
}

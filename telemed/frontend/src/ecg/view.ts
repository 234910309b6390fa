/** An ECG on its own canvas: true millimetres at any pixel ratio, and a caliper over it. */
import { currentScale } from "./calibration";
import { Caliper, type Measure } from "./caliper";
import { drawGrid, drawTraces, type InkName, inks } from "./draw";
import { display, type Filter } from "./filters";
import { endless, layOut, PAGE_SECONDS, type Room, type Settings, type Sheet, stripAt, usual } from "./sheet";
import type { Waveform } from "./waveform";

/** An A4 page across, within its margins, under the lines that name the patient and over what the doctor wrote. */
const PRINT_ROOM: Room = { width: 281, height: 148 };
/** While it stands on the page, the page is printed as an ECG is: see ecg.css. */
const PRINTS = "prints-ecg";
/** Paper needs more points than a screen: 12 in a millimetre are about 300 an inch. */
const PRINT_SCALE = 12;

export interface Shown {
  settings: Settings;
  ink: InkName;
  /** Speed, gain and filters in words: they stand on the sheet wherever it is seen. */
  caption: string;
  /** What is in view. */
  room: Room;
}

export class EcgView {
  readonly element = document.createElement("div");
  readonly canvas = document.createElement("canvas");
  readonly caliper: Caliper;
  private readonly paper = document.createElement("img");
  private readonly caption = document.createElement("p");
  private shown: Shown = { settings: usual, ink: "paper", caption: "", room: endless };
  private waveform: Waveform | null = null;
  private displayed: { of: Waveform; filter: Filter; waveform: Waveform } | null = null;
  private sheet: Sheet | null = null;
  /** Added to the caption while the page is printed. */
  private printed = "";
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
    this.paper.className = "ecg-print";
    this.paper.alt = label;
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
    const { settings, ink, room } = this.shown;
    const sheet = layOut(settings, this.waveform.duration, room);
    this.sheet = sheet;
    const ratio = window.devicePixelRatio || 1;
    const scale = currentScale().cssPxPerMm * ratio;
    this.render(this.canvas, this.waveform, sheet, scale, ink);
    this.caliper.canvas.width = this.canvas.width;
    this.caliper.canvas.height = this.canvas.height;
    for (const { style } of [this.canvas, this.caliper.canvas]) {
      // One backing pixel on one device pixel.
      style.width = `${this.canvas.width / ratio}px`;
      style.height = `${this.canvas.height / ratio}px`;
    }
    this.caliper.fit(scale, sheet, settings, inks[ink].mark);
    this.caption.textContent = this.shown.caption + this.printed;
    this.caption.style.color = inks[ink].label;
    const { dataset } = this.element;
    dataset.drawn = "true";
    dataset.pitch = String(sheet.pitch);
    dataset.first = String(sheet.pulses[0] ?? 0);
  }

  private render(
    canvas: HTMLCanvasElement,
    waveform: Waveform,
    sheet: Sheet,
    scale: number,
    ink: InkName,
  ): void {
    const { settings } = this.shown;
    canvas.width = Math.ceil(sheet.width * scale) + 1;
    canvas.height = Math.ceil(sheet.height * scale) + 1;
    const context = canvas.getContext("2d");
    if (!context) throw new Error("this browser gives no 2D canvas");
    drawGrid(context, sheet, scale, inks[ink]);
    drawTraces(context, this.filtered(waveform, settings.filter), sheet, settings, scale, inks[ink]);
  }

  /** Which seconds they are, where the paper has not room for all of the page. */
  private part({ seconds }: Sheet, duration: number): string {
    const { start } = this.shown.settings;
    const whole = Math.min(PAGE_SECONDS, duration - start);
    return seconds < whole - 1e-6 ? ` · ${start}–${start + seconds} s / ${start + whole} s` : "";
  }

  private filtered(of: Waveform, filter: Filter): Waveform {
    if (this.displayed?.of !== of || this.displayed.filter !== filter) {
      this.displayed = { of, filter, waveform: display(of, filter) };
    }
    return this.displayed.waveform;
  }

  /**
   * Paper gets a picture of its own, in millimetres. Chromium prints a canvas that is drawn on "beforeprint" as vectors,
   * at 127/128 of its size: 10 s would be 2 mm short.
   */
  private print(printing: boolean): void {
    const { waveform } = this;
    const here = waveform !== null && this.element.isConnected && !this.element.closest("[hidden]");
    document.documentElement.classList.toggle(PRINTS, printing && here);
    this.paper.remove();
    this.printed = "";
    this.caption.textContent = this.shown.caption;
    if (!printing || !here) return;
    const sheet = layOut(this.shown.settings, waveform.duration, PRINT_ROOM);
    const canvas = document.createElement("canvas");
    this.render(canvas, waveform, sheet, PRINT_SCALE, "paper");
    this.paper.src = canvas.toDataURL();
    this.paper.style.width = `${canvas.width / PRINT_SCALE}mm`;
    this.paper.style.height = `${canvas.height / PRINT_SCALE}mm`;
    this.printed = this.part(sheet, waveform.duration);
    this.caption.textContent += this.printed;
    this.element.prepend(this.paper);
  }

  /** The ratio changes when a window moves to another screen or the browser is zoomed. */
  private watchRatio(): void {
    this.ratioQuery?.removeEventListener("change", this.onRatio);
    this.ratioQuery = window.matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`);
    this.ratioQuery.addEventListener("change", this.onRatio);
  }
}

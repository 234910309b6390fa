/** The representative beat on its own paper, its marks as sliders that are drawn and moved upon it. */
import { type Beat, type MarkName, type Marks, markNames } from "./beat";
import { currentScale } from "./calibration";
import { drawGrid, type InkName, inks } from "./draw";

/** mm/s; four times the usual, so that 10 ms are 1 mm. */
export const BEAT_SPEED = 100;
const beatGains = [20, 10, 5] as const;
/** Millimetres for the traces, and above them for the names of the marks. */
const TRACES = 52;
const HEAD = 8;
/** Two marks never meet: ms. */
const APART = 2;
const STEP = 2;
const LARGE_STEP = 10;

export class BeatView {
  readonly element = document.createElement("div");
  gain = 10;
  private readonly canvas = document.createElement("canvas");
  private readonly handles = new Map<MarkName, HTMLElement>();
  private beat: Beat | null = null;
  private marks: Marks = {};
  private readonly onMove: (marks: Marks) => void;

  constructor(label: string, names: Record<MarkName, string>, onMove: (marks: Marks) => void) {
    this.onMove = onMove;
    this.element.className = "beat";
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", label);
    this.element.append(this.canvas);
    for (const name of markNames) this.addHandle(name, names[name]);
  }

  show(beat: Beat, marks: Marks, lead: string, ink: InkName): void {
    this.beat = beat;
    this.marks = marks;
    const ratio = window.devicePixelRatio || 1;
    const scale = currentScale().cssPxPerMm * ratio;
    const extent = this.extent(beat);
    this.gain = beatGains.find((gain) => (extent.high - extent.low) * gain <= TRACES) ?? 5;
    const width = ((beat.to - beat.from) / 1000) * BEAT_SPEED;
    const height = HEAD + TRACES;
    // Whole 5 mm squares under zero, so that the base line lies on a heavy line of the grid.
    const below = Math.ceil((Math.max(0, -extent.low) * this.gain + 3) / 5) * 5;
    this.canvas.width = Math.ceil(width * scale) + 1;
    this.canvas.height = Math.ceil(height * scale) + 1;
    this.canvas.style.width = `${this.canvas.width / ratio}px`;
    this.canvas.style.height = `${this.canvas.height / ratio}px`;
    const context = this.canvas.getContext("2d");
    if (!context) throw new Error("this browser gives no 2D canvas");
    drawGrid(context, { width, height }, scale, inks[ink]);
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.strokeStyle = inks[ink].trace;
    context.lineJoin = "round";
    for (const [name, values] of beat.millivolts) {
      context.globalAlpha = name === lead ? 1 : 0.3;
      context.lineWidth = Math.max(name === lead ? 0.4 : 0.2, 1 / scale);
      drawBeat(context, values, BEAT_SPEED / beat.rate, 0, height - below, this.gain);
    }
    context.globalAlpha = 1;
    this.element.style.setProperty("--mark", inks[ink].mark);
    this.placeHandles();
  }

  focus(): boolean {
    const first = [...this.handles.values()].find((handle) => !handle.hidden);
    first?.focus();
    return first !== undefined;
  }

  private extent(beat: Beat): { low: number; high: number } {
    let [low, high] = [0, 0];
    for (const values of beat.millivolts.values()) {
      for (const value of values) {
        if (value < low) low = value;
        if (value > high) high = value;
      }
    }
    return { low, high };
  }

  private addHandle(name: MarkName, label: string): void {
    const handle = document.createElement("div");
    handle.className = "beat-mark";
    handle.dataset.mark = name;
    handle.tabIndex = 0;
    handle.setAttribute("role", "slider");
    handle.setAttribute("aria-label", label);
    handle.textContent = label;
    handle.addEventListener("pointerdown", (event) => {
      handle.setPointerCapture(event.pointerId);
      handle.focus();
    });
    handle.addEventListener("pointermove", (event) => {
      if (!handle.hasPointerCapture(event.pointerId) || !this.beat) return;
      const box = this.canvas.getBoundingClientRect();
      const share = (event.clientX - box.left) / box.width;
      this.move(name, this.beat.from + share * (this.beat.to - this.beat.from));
    });
    handle.addEventListener("keydown", (event) => {
      const direction = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
      if (!direction) return;
      event.preventDefault();
      this.move(name, (this.marks[name] ?? 0) + direction * (event.ctrlKey ? LARGE_STEP : STEP));
    });
    this.handles.set(name, handle);
    this.element.append(handle);
  }

  private move(name: MarkName, to: number): void {
    const { beat } = this;
    if (!beat) return;
    const [before, after] = this.limits(name, beat);
    // To the sample: what is between two of them was not recorded.
    const step = 1000 / beat.rate;
    const at = Math.round(Math.max(before, Math.min(after, to)) / step) * step;
    if (at === this.marks[name]) return;
    this.marks = { ...this.marks, [name]: at };
    this.placeHandles();
    this.onMove(this.marks);
  }

  /** Between its neighbours: the waves of a beat follow each other. */
  private limits(name: MarkName, beat: Beat): [number, number] {
    const index = markNames.indexOf(name);
    const there = (one: MarkName): number | undefined => this.marks[one];
    const earlier = markNames.slice(0, index).map(there).filter(isNumber);
    const later = markNames
      .slice(index + 1)
      .map(there)
      .filter(isNumber);
    return [
      Math.max(beat.from, ...earlier.map((at) => at + APART)),
      Math.min(beat.to, ...later.map((at) => at - APART)),
    ];
  }

  private placeHandles(): void {
    const { beat } = this;
    if (!beat) return;
    for (const [name, handle] of this.handles) {
      const at = this.marks[name];
      handle.hidden = at === undefined;
      if (at === undefined) continue;
      handle.style.left = `${((at - beat.from) / (beat.to - beat.from)) * 100}%`;
      handle.setAttribute("aria-valuemin", String(Math.round(beat.from)));
      handle.setAttribute("aria-valuemax", String(Math.round(beat.to)));
      handle.setAttribute("aria-valuenow", String(Math.round(at)));
      handle.setAttribute("aria-valuetext", `${Math.round(at)} ms`);
    }
  }
}

function isNumber(value: number | undefined): value is number {
  return value !== undefined;
}

/** One lead of a beat from `x`, 0 mV at `y`, all in millimetres; no line where nothing is known. */
export function drawBeat(
  context: CanvasRenderingContext2D,
  values: Float32Array,
  perSample: number,
  x: number,
  y: number,
  gain: number,
): void {
  context.beginPath();
  let drawing = false;
  values.forEach((value, index) => {
    if (Number.isNaN(value)) {
      drawing = false;
      return;
    }
    const [to, level] = [x + index * perSample, y - value * gain];
    if (drawing) context.lineTo(to, level);
    else context.moveTo(to, level);
    drawing = true;
  });
  context.stroke();
}

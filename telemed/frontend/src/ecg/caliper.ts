/** A caliper on the paper: time along, amplitude across, its interval marched out; by mouse and by keys. */
import { type Settings, type Sheet, stripAt } from "./sheet";

export interface Measure {
  /** ms */
  time: number;
  /** mV, positive when the second point is higher */
  amplitude: number;
}

interface Point {
  x: number;
  y: number;
}

type Hold = "from" | "to" | "both";

/** A pointer takes a line that is nearer than this, in millimetres. */
const REACH = 1.5;
const STILL = 0.5;

export class Caliper {
  readonly canvas = document.createElement("canvas");
  private from: Point | null = null;
  private to: Point | null = null;
  private hold: Hold | null = null;
  private pressed: Point | null = null;
  private moving: "from" | "to" = "to";
  private marching = false;
  private scale = 1;
  private sheet: Sheet | null = null;
  private settings: Settings | null = null;
  private color = "";
  private readonly onMeasure: (measure: Measure | null) => string;

  /** `onMeasure` gives back what is written beside the caliper. */
  constructor(onMeasure: (measure: Measure | null) => string) {
    this.onMeasure = onMeasure;
    this.canvas.className = "ecg-caliper";
    this.canvas.setAttribute("aria-hidden", "true");
    this.canvas.addEventListener("pointerdown", (event) => this.press(event));
    this.canvas.addEventListener("pointermove", (event) => this.drag(event));
    this.canvas.addEventListener("pointerup", (event) => this.let(event));
  }

  fit(scale: number, sheet: Sheet, settings: Settings, color: string): void {
    const known = this.settings;
    const same =
      known !== null &&
      this.scale === scale &&
      (["format", "order", "speed", "gain", "chestHalf", "rhythm", "start"] as const).every(
        (name) => known[name] === settings[name],
      );
    this.scale = scale;
    this.sheet = sheet;
    this.settings = settings;
    this.color = color;
    if (same) this.draw();
    else this.clear();
  }

  get active(): boolean {
    return this.from !== null;
  }

  /** mm/mV of the lead on which the caliper begins. */
  private get gain(): number {
    const { from, settings, sheet } = this;
    const strip = from && settings && sheet ? stripAt(sheet, settings.speed, from.x, from.y) : undefined;
    return strip?.gain ?? settings?.gain ?? 10;
  }

  clear(): void {
    this.from = this.to = this.pressed = null;
    this.hold = null;
    this.marching = false;
    this.draw();
  }

  /** Without a mouse: one second, 1 mV high, in the middle of what is seen. */
  place(x: number, y: number): void {
    if (!this.sheet || !this.settings) return;
    const rows = this.sheet.pulses.map((pulse) => pulse.y);
    const row = rows.reduce(
      (near, one) => (Math.abs(one - y) < Math.abs(near - y) ? one : near),
      rows[0] ?? y,
    );
    this.from = { x, y: row };
    this.to = { x: x + this.settings.speed, y: row - this.gain };
    this.moving = "to";
    this.draw();
  }

  /** By ms and mV; false where there is no caliper to move. */
  nudge(time: number, amplitude: number): boolean {
    const point = this[this.moving];
    if (!point || !this.settings) return false;
    point.x += (time / 1000) * this.settings.speed;
    point.y -= amplitude * this.gain;
    this.draw();
    return true;
  }

  /** The other end is the one that the keys move. */
  swap(): boolean {
    if (!this.active) return false;
    this.moving = this.moving === "to" ? "from" : "to";
    this.draw();
    return true;
  }

  march(): boolean {
    if (!this.active) return false;
    this.marching = !this.marching;
    this.draw();
    return true;
  }

  millimetres(event: MouseEvent): Point {
    const box = this.canvas.getBoundingClientRect();
    return {
      x: ((event.clientX - box.left) / box.width) * (this.canvas.width / this.scale),
      y: ((event.clientY - box.top) / box.height) * (this.canvas.height / this.scale),
    };
  }

  private press(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.canvas.setPointerCapture(event.pointerId);
    const point = this.millimetres(event);
    this.pressed = point;
    this.hold = this.under(point);
    if (this.hold === null) {
      this.from = { ...point };
      this.to = { ...point };
      this.hold = "to";
    }
    if (this.hold !== "both") this.moving = this.hold;
    this.draw();
  }

  private drag(event: PointerEvent): void {
    const { hold, from, to, pressed } = this;
    const point = this.millimetres(event);
    if (!hold || !from || !to || !pressed) {
      this.canvas.style.cursor = this.under(point) === "both" ? "move" : this.under(point) ? "ew-resize" : "";
      return;
    }
    for (const one of hold === "both" ? [from, to] : [this[hold] ?? to]) {
      one.x += point.x - pressed.x;
      one.y += point.y - pressed.y;
    }
    this.pressed = point;
    this.draw();
  }

  private let(event: PointerEvent): void {
    this.drag(event);
    this.hold = this.pressed = null;
    const { from, to } = this;
    // A click without a drag takes the caliper away.
    if (from && to && Math.hypot(to.x - from.x, to.y - from.y) < STILL) this.clear();
  }

  /** What of the caliper lies under a point: one of its upright lines, its inside, or nothing. */
  private under({ x, y }: Point): Hold | null {
    const { from, to } = this;
    if (!from || !to) return null;
    const low = Math.min(from.y, to.y) - 12;
    const high = Math.max(from.y, to.y) + 12;
    if (y < low || y > high) return null;
    if (Math.abs(x - to.x) < REACH) return "to";
    if (Math.abs(x - from.x) < REACH) return "from";
    const inside = (x - from.x) * (x - to.x) < 0 && y > low + 12 && y < high - 12;
    return inside ? "both" : null;
  }

  private draw(): void {
    const context = this.canvas.getContext("2d");
    if (!context || !this.settings || !this.sheet) return;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    const { from, to } = this;
    if (!from || !to) {
      this.onMeasure(null);
      return;
    }
    context.setTransform(this.scale, 0, 0, this.scale, 0, 0);
    context.strokeStyle = context.fillStyle = this.color;
    context.lineWidth = Math.max(0.2, 1 / this.scale);
    const [left, right] = [Math.min(from.x, to.x), Math.max(from.x, to.x)];
    const [top, bottom] = [Math.min(from.y, to.y), Math.max(from.y, to.y)];
    context.globalAlpha = 0.12;
    context.fillRect(left, top, right - left, bottom - top);
    context.globalAlpha = 1;
    this.drawMarch(context, left, right);
    const height = this.canvas.height / this.scale;
    for (const end of [from, to]) {
      context.beginPath();
      context.lineWidth = Math.max(0.2, (end === this[this.moving] ? 2 : 1) / this.scale);
      context.moveTo(end.x, Math.max(0, top - 12));
      context.lineTo(end.x, Math.min(height, bottom + 12));
      context.moveTo(left, end.y);
      context.lineTo(right, end.y);
      context.stroke();
    }
    const text = this.onMeasure({
      time: ((right - left) / this.settings.speed) * 1000,
      amplitude: (from.y - to.y) / this.gain,
    });
    context.font = "600 3px system-ui, sans-serif";
    const width = context.measureText(text).width;
    const x = Math.min(right + 1.5, this.sheet.width - width - 1);
    context.fillText(text, Math.max(1, x), Math.max(4, top - 13));
  }

  /** The interval again and again to both sides: what falls on the lines is regular. */
  private drawMarch(context: CanvasRenderingContext2D, left: number, right: number): void {
    const { sheet } = this;
    const step = right - left;
    if (!sheet || !this.marching || step < 1) return;
    const row = sheet.pulses.find(({ y }) => Math.abs(y - (this.from?.y ?? 0)) <= sheet.pitch / 2)?.y;
    // Where time goes on from row to row, the lines of one row say nothing about another.
    const [low, high] =
      sheet.wrapped && row !== undefined
        ? [row - sheet.pitch / 2, row + sheet.pitch / 2]
        : [0, this.canvas.height / this.scale];
    context.beginPath();
    context.setLineDash([1, 1]);
    for (let x = left % step; x < sheet.width; x += step) {
      context.moveTo(x, low);
      context.lineTo(x, high);
    }
    context.stroke();
    context.setLineDash([]);
  }
}

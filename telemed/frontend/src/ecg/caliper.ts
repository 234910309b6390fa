/** A caliper drawn by dragging: time along, amplitude across. */
import type { Settings } from "./sheet";

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

export class Caliper {
  readonly canvas = document.createElement("canvas");
  private from: Point | null = null;
  private to: Point | null = null;
  private dragging = false;
  private scale = 1;
  private settings: Settings | null = null;
  private color = "";
  private readonly onMeasure: (measure: Measure | null) => void;

  constructor(onMeasure: (measure: Measure | null) => void) {
    this.onMeasure = onMeasure;
    this.canvas.className = "ecg-caliper";
    this.canvas.setAttribute("aria-hidden", "true");
    this.canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      this.canvas.setPointerCapture(event.pointerId);
      this.dragging = true;
      this.from = this.to = this.millimetres(event);
      this.draw();
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (!this.dragging) return;
      this.to = this.millimetres(event);
      this.draw();
    });
    this.canvas.addEventListener("pointerup", (event) => {
      this.dragging = false;
      this.to = this.millimetres(event);
      // A click without a drag takes the caliper away.
      if (this.from && Math.hypot(this.to.x - this.from.x, this.to.y - this.from.y) < 0.5) this.clear();
      else this.draw();
    });
  }

  fit(scale: number, settings: Settings, color: string): void {
    const changed = this.settings !== settings || this.scale !== scale;
    this.scale = scale;
    this.settings = settings;
    this.color = color;
    if (changed) this.clear();
    else this.draw();
  }

  get active(): boolean {
    return this.from !== null;
  }

  clear(): void {
    this.from = this.to = null;
    this.dragging = false;
    this.draw();
  }

  private millimetres(event: PointerEvent): Point {
    const box = this.canvas.getBoundingClientRect();
    return {
      x: ((event.clientX - box.left) / box.width) * (this.canvas.width / this.scale),
      y: ((event.clientY - box.top) / box.height) * (this.canvas.height / this.scale),
    };
  }

  private draw(): void {
    const context = this.canvas.getContext("2d");
    if (!context || !this.settings) return;
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
    context.globalAlpha = 0.12;
    context.fillRect(
      Math.min(from.x, to.x),
      Math.min(from.y, to.y),
      Math.abs(to.x - from.x),
      Math.abs(to.y - from.y),
    );
    context.globalAlpha = 1;
    const height = this.canvas.height / this.scale;
    context.beginPath();
    for (const x of [from.x, to.x]) {
      context.moveTo(x, Math.max(0, Math.min(from.y, to.y) - 12));
      context.lineTo(x, Math.min(height, Math.max(from.y, to.y) + 12));
    }
    for (const y of [from.y, to.y]) {
      context.moveTo(Math.min(from.x, to.x), y);
      context.lineTo(Math.max(from.x, to.x), y);
    }
    context.stroke();
    this.onMeasure({
      time: (Math.abs(to.x - from.x) / this.settings.speed) * 1000,
      amplitude: (from.y - to.y) / this.settings.gain,
    });
  }
}

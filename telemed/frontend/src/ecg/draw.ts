/** Draws a sheet on any 2D context. Every position is in millimetres; `scale` is device pixels per millimetre. */
import { labelOf, type Pulse, type Settings, type Sheet, type Strip } from "./sheet";
import type { Waveform } from "./waveform";

export interface Ink {
  paper: string;
  fine: string;
  coarse: string;
  trace: string;
  label: string;
  mark: string;
}

export const inks = {
  paper: {
    paper: "#fffdfc",
    fine: "#f8e0de",
    coarse: "#eab8b3",
    trace: "#14181b",
    label: "#14181b",
    mark: "#0a5d8f",
  },
  dark: {
    paper: "#0c1215",
    fine: "#142026",
    coarse: "#23383f",
    trace: "#d5eee2",
    label: "#9fb4bc",
    mark: "#7fd0ee",
  },
} as const satisfies Record<string, Ink>;

export type InkName = keyof typeof inks;

/** Lines of one whole device pixel, each placed on the pixel that holds its true position: sharp, no drift. */
export function drawGrid(
  context: CanvasRenderingContext2D,
  sheet: Pick<Sheet, "width" | "height">,
  scale: number,
  ink: Ink,
): void {
  const { width, height } = context.canvas;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.fillStyle = ink.paper;
  context.fillRect(0, 0, width, height);
  const thick = Math.max(1, Math.round(scale * 0.2));
  for (const coarse of [false, true]) {
    context.fillStyle = coarse ? ink.coarse : ink.fine;
    const weight = coarse ? thick : 1;
    for (let mm = 0; mm <= Math.max(sheet.width, sheet.height); mm += coarse ? 5 : 1) {
      const at = Math.floor(mm * scale - (weight - 1) / 2);
      if (mm <= sheet.width) context.fillRect(at, 0, weight, height);
      if (mm <= sheet.height) context.fillRect(0, at, width, weight);
    }
  }
}

export function drawTraces(
  context: CanvasRenderingContext2D,
  waveform: Waveform,
  sheet: Sheet,
  settings: Settings,
  scale: number,
  ink: Ink,
): void {
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.lineJoin = "round";
  context.lineCap = "butt";
  context.strokeStyle = ink.trace;
  context.lineWidth = Math.max(0.25, 1.1 / scale);
  for (const pulse of sheet.pulses) drawPulse(context, pulse);
  for (const strip of sheet.strips) {
    const values = waveform.millivolts.get(strip.lead);
    if (values) drawStrip(context, strip, values, waveform.rate, settings);
  }
  context.fillStyle = ink.label;
  context.font = "600 3.4px system-ui, sans-serif";
  context.textBaseline = "alphabetic";
  for (const strip of sheet.strips) {
    if (strip.continued) context.fillRect(strip.x - 0.15, strip.y - 4, 0.3, 3);
    context.fillText(labelOf(strip), strip.x + 1, strip.y - Math.max(4, sheet.pitch / 2 - 5));
  }
}

/** 1 mV for 5 mm, in as many steps as there are gains: what the reader checks the scale against. */
function drawPulse(context: CanvasRenderingContext2D, { y, gains }: Pulse): void {
  const step = 5 / Math.max(1, gains.length);
  context.beginPath();
  context.moveTo(1, y);
  context.lineTo(2.5, y);
  gains.forEach((gain, index) => {
    context.lineTo(2.5 + index * step, y - gain);
    context.lineTo(2.5 + (index + 1) * step, y - gain);
  });
  context.lineTo(7.5, y);
  context.lineTo(9, y);
  context.stroke();
}

function drawStrip(
  context: CanvasRenderingContext2D,
  strip: Strip,
  values: Float32Array,
  rate: number,
  settings: Settings,
): void {
  const first = Math.max(0, Math.round(strip.from * rate));
  const last = Math.min(values.length - 1, Math.round(strip.to * rate));
  context.beginPath();
  let drawing = false;
  for (let i = first; i <= last; i++) {
    const value = values[i] ?? Number.NaN;
    if (Number.isNaN(value)) {
      // What was not recorded is not drawn: no line over a gap.
      drawing = false;
      continue;
    }
    const x = strip.x + (i / rate - strip.from) * settings.speed;
    const y = strip.y - strip.sign * value * strip.gain;
    if (drawing) context.lineTo(x, y);
    else context.moveTo(x, y);
    drawing = true;
  }
  context.stroke();
}

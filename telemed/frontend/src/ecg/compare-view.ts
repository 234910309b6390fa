/** Two representative beats lead by lead: upon each other, or one beside the other. */
import type { Beat } from "./beat";
import { drawBeat } from "./beat-view";
import { currentScale } from "./calibration";
import { drawGrid, type InkName, inks } from "./draw";

export const compareModes = ["overlay", "beside"] as const;
export type CompareMode = (typeof compareModes)[number];

const LEADS = [
  ["I", "aVR", "V1", "V4"],
  ["II", "aVL", "V2", "V5"],
  ["III", "aVF", "V3", "V6"],
] as const;
/** Millimetres of one lead's place. */
const CELL = { width: 50, height: 25 } as const;
/** Of it the base line stands so far from the top. */
const BASE = 14;
/** Seconds before QRS onset that are shown. */
const BEFORE = 0.3;
export const COMPARE_GAIN = 10;
/** mm/s; beside each other two beats share the place of one. */
export const compareSpeeds: Record<CompareMode, number> = { overlay: 50, beside: 25 };

/** `now` in the colour of a trace, `last` dashed in the colour of a mark: told apart without colour too. */
export function drawComparison(
  canvas: HTMLCanvasElement,
  now: Beat,
  last: Beat,
  mode: CompareMode,
  ink: InkName,
): void {
  const ratio = window.devicePixelRatio || 1;
  const scale = currentScale().cssPxPerMm * ratio;
  const sheet = { width: CELL.width * LEADS[0].length, height: CELL.height * LEADS.length };
  canvas.width = Math.ceil(sheet.width * scale) + 1;
  canvas.height = Math.ceil(sheet.height * scale) + 1;
  canvas.style.width = `${canvas.width / ratio}px`;
  canvas.style.height = `${canvas.height / ratio}px`;
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser gives no 2D canvas");
  drawGrid(context, sheet, scale, inks[ink]);
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.lineWidth = Math.max(0.3, 1.2 / scale);
  context.lineJoin = "round";
  context.font = "600 3.2px system-ui, sans-serif";
  const half = mode === "beside" ? CELL.width / 2 : 0;
  LEADS.forEach((row, line) => {
    row.forEach((lead, column) => {
      const [x, y] = [column * CELL.width, line * CELL.height];
      const place = (beat: Beat, from: number, width: number): void => {
        const values = beat.millivolts.get(lead);
        if (!values) return;
        context.save();
        context.beginPath();
        // Cut at the sides only: a deep S reaches into the row below, as it does on the sheet.
        context.rect(from, 0, width, sheet.height);
        context.clip();
        const speed = compareSpeeds[mode];
        // On QRS onset they lie upon each other, whichever point each recording's own beats share.
        const start = from + (BEFORE + (beat.from - (beat.marks.qrs_onset_ms ?? 0)) / 1000) * speed;
        drawBeat(context, values, speed / beat.rate, start, y + BASE, COMPARE_GAIN);
        context.restore();
      };
      context.strokeStyle = inks[ink].mark;
      context.setLineDash(mode === "overlay" ? [1, 0.7] : []);
      place(last, x + half, CELL.width - half);
      context.setLineDash([]);
      context.strokeStyle = inks[ink].trace;
      place(now, x, CELL.width - half);
      context.fillStyle = inks[ink].label;
      context.fillText(lead, x + 1, y + 4);
    });
  });
}

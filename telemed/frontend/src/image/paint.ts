/** Draws a picture into the viewport's canvas: every pixel by the table of grey levels, then placed by the browser. */
import type { Types } from "@cornerstonejs/core";
import type { VoiWindow } from "./description";
import { type Grey, shaded, shadesOf, userFunction } from "./grey";

type Enabled = Parameters<NonNullable<Types.IImage["render"]>>[0];

/** While a hand moves, quickly; in rest, with every stored pixel weighed in. */
const REST_MS = 120;

export type Draw = NonNullable<Types.IImage["render"]>;

/** Drawn again only when something of it changed; one sheet for each viewport, whatever comes onto it. */
interface Sheet {
  canvas: HTMLCanvasElement;
  shown: string;
}

const sheets = new WeakMap<HTMLCanvasElement, Sheet>();
let painted = 0;

/** `ready` is the picture as the object's own window shows it, where it was made beforehand. */
export function greyDraw(grey: Grey, ready: ImageBitmap | null): Draw {
  painted += 1;
  const name = painted;
  const { rows, columns } = grey.description;
  return (enabled) => {
    if (!enabled.canvas) return;
    const { voi, invert } = enabled.viewport ?? {};
    const own = !voi || (voi.windowCenter === grey.own.center && voi.windowWidth === grey.own.width);
    if (own && !invert && ready) {
      place(enabled, ready);
      return;
    }
    const chosen = { center: Number(voi?.windowCenter), width: Number(voi?.windowWidth) };
    const shown = `${name} ${own} ${chosen.center} ${chosen.width} ${invert}`;
    let sheet = sheets.get(enabled.canvas);
    if (!sheet || sheet.canvas.width !== columns || sheet.canvas.height !== rows) {
      sheet = { canvas: sized(columns, rows), shown: "" };
      sheets.set(enabled.canvas, sheet);
    }
    if (sheet.shown !== shown) {
      fill(sheet.canvas, grey, own ? null : { ...chosen, function: userFunction(grey) }, invert === true);
      sheet.shown = shown;
    }
    place(enabled, sheet.canvas);
  };
}

export function colourDraw(picture: HTMLCanvasElement | ImageBitmap): Draw {
  return (enabled) => place(enabled, picture);
}

export function sized(width: number, height: number): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return canvas;
}

function fill(canvas: HTMLCanvasElement, grey: Grey, window: VoiWindow | null, invert: boolean): void {
  const context = contextOf(canvas);
  const image = context.createImageData(canvas.width, canvas.height);
  shaded(grey.keys, shadesOf(grey, window, invert), image.data);
  context.putImageData(image, 0, 0);
}

/**
 * Drawn in the memory of the page; the first who asks for its context decides. What is written pixel by pixel would
 * travel to the graphics card and back, which takes longer than to draw it here, and where there is no card a program
 * plays one.
 */
export function inPage(canvas: HTMLCanvasElement): HTMLCanvasElement {
  contextOf(canvas);
  return canvas;
}

function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  if (!context) throw new Error("this browser has no canvas");
  return context;
}

const settling = new WeakMap<HTMLCanvasElement, number>();

function place(enabled: Enabled, picture: HTMLCanvasElement | ImageBitmap): void {
  const { canvas } = enabled;
  if (!canvas) return;
  onto(enabled, canvas, picture, "low");
  window.clearTimeout(settling.get(canvas));
  settling.set(
    canvas,
    window.setTimeout(() => onto(enabled, canvas, picture, "high"), REST_MS),
  );
}

function onto(
  enabled: Enabled,
  canvas: HTMLCanvasElement,
  picture: HTMLCanvasElement | ImageBitmap,
  quality: ImageSmoothingQuality,
): void {
  const context = contextOf(canvas);
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.fillStyle = "black";
  context.fillRect(0, 0, canvas.width, canvas.height);
  // The one by which measurements are drawn too: they lie where the picture does.
  const [a = 1, b = 0, c = 0, d = 1, e = 0, f = 0] = enabled.transform?.getMatrix() ?? [];
  context.setTransform(a, b, c, d, e, f);
  // A pixel that is shown as it is stays as it is.
  context.imageSmoothingEnabled = !enabled.viewport?.pixelReplication && !isWhole(a, b);
  context.imageSmoothingQuality = quality;
  context.drawImage(picture, 0, 0);
}

function isWhole(a: number, b: number): boolean {
  return Math.abs(Math.hypot(a, b) - 1) < 1e-9;
}

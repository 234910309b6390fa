/** Draws a picture into the viewport's canvas: every pixel by the table of grey levels, then placed by the browser. */
import type { Types } from "@cornerstonejs/core";
import { type Grey, levels, userFunction } from "./grey";

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

export function greyDraw(grey: Grey): Draw {
  painted += 1;
  const name = painted;
  const { rows, columns } = grey.description;
  return (enabled) => {
    if (!enabled.canvas) return;
    const { voi, invert } = enabled.viewport ?? {};
    const own = !voi || (voi.windowCenter === grey.own.center && voi.windowWidth === grey.own.width);
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

export function colourDraw(picture: HTMLCanvasElement): Draw {
  return (enabled) => place(enabled, picture);
}

export function sized(width: number, height: number): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return canvas;
}

function fill(
  canvas: HTMLCanvasElement,
  grey: Grey,
  window: Parameters<typeof levels>[3],
  invert: boolean,
): void {
  const context = canvas.getContext("2d", { alpha: false });
  if (!context) throw new Error("this browser has no canvas");
  const { values } = grey.samples;
  const [first, last] = extent(grey);
  const shades = Uint32Array.from(levels(grey, first, last, window), (level) => {
    const shade = invert ? 255 - level : level;
    return 0xff000000 | (shade << 16) | (shade << 8) | shade;
  });
  const image = context.createImageData(canvas.width, canvas.height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let at = 0; at < pixels.length; at++) pixels[at] = shades[(values[at] ?? first) - first] ?? 0xff000000;
  context.putImageData(image, 0, 0);
}

/** All stored values there may be, padding too. */
function extent({ description, samples }: Grey): [number, number] {
  const bits = Math.min(Math.max(description.bitsStored, 1), samples.values.BYTES_PER_ELEMENT * 8);
  return description.signed ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
}

const settling = new WeakMap<HTMLCanvasElement, number>();

function place(enabled: Enabled, picture: HTMLCanvasElement): void {
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
  picture: HTMLCanvasElement,
  quality: ImageSmoothingQuality,
): void {
  const context = canvas.getContext("2d");
  if (!context) return;
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

/** How one viewport shows its picture: turned, enlarged, moved; and where the pixels of the picture then lie. */
import type { Types } from "@cornerstonejs/core";
import { h } from "../core/dom";
import { currentScale } from "../ecg/calibration";
import { loadedOf } from "./loader";

/** What Cornerstone has and its types do not show. */
export type Viewport = Types.IStackViewport & { getZoom(): number; setRotation(degrees: number): void };

const LEAST = 0.02;
const MOST = 40;

export abstract class View {
  readonly surface = h("div", { class: "image-surface" });
  abstract readonly viewport: Viewport;

  get loaded(): ReturnType<typeof loadedOf> {
    const id = this.viewport.getCurrentImageId();
    return id ? loadedOf(id) : undefined;
  }

  invert(): void {
    this.viewport.setProperties({ invert: !this.inverted });
    this.viewport.render();
  }

  get inverted(): boolean {
    return this.viewport.getProperties().invert === true;
  }

  rotate(degrees: number): void {
    const turned = (this.viewport.getViewPresentation().rotation ?? 0) + degrees;
    this.viewport.setRotation(((turned % 360) + 360) % 360);
    this.settle();
  }

  /** Left and right of the screen change places, however the picture was turned before. */
  flip(): void {
    const { flipHorizontal, flipVertical } = this.viewport.getCamera();
    const lying = (this.viewport.getViewPresentation().rotation ?? 0) % 180 !== 0;
    this.settle(lying ? { flipVertical: !flipVertical } : { flipHorizontal: !flipHorizontal });
  }

  fit(): void {
    this.viewport.resetCamera();
    this.settle();
  }

  get scale(): number {
    return this.viewport.getZoom();
  }

  /** Pixels of the screen for one of the picture. */
  setScale(scale: number): void {
    this.settle({ scale: Math.max(LEAST, Math.min(MOST, scale)) });
  }

  /** One pixel of the picture on exactly one of the screen. */
  oneToOne(): void {
    this.setScale(1);
    const { e, f } = this.matrix;
    const ratio = window.devicePixelRatio || 1;
    const off = (at: number): number => (Math.round(at * ratio) - at * ratio) / ratio;
    this.pan(off(e), off(f));
  }

  /** False where nobody knows how large the pixels were. */
  trueSize(): boolean {
    const spacing = this.loaded?.description.spacing;
    if (!spacing) return false;
    // With unequal pixels the smaller side carries the scale, as the viewport draws them.
    const millimetres = Math.min(spacing.row, spacing.column);
    this.setScale(millimetres * currentScale().cssPxPerMm * window.devicePixelRatio);
    return true;
  }

  zoom(factor: number, at?: [number, number]): void {
    const before = at && this.viewport.canvasToWorld(at);
    this.setScale(this.scale * factor);
    if (!at || !before) return;
    // What is under the pointer stays under it.
    const after = this.viewport.canvasToWorld(at);
    const { focalPoint } = this.viewport.getCamera();
    if (!focalPoint) return;
    const moved = focalPoint.map((one, axis) => one + (before[axis] ?? 0) - (after[axis] ?? 0));
    this.settle({ focalPoint: moved as Types.Point3 });
  }

  pan(x: number, y: number): void {
    const middle: [number, number] = [this.surface.clientWidth / 2, this.surface.clientHeight / 2];
    const to = this.viewport.canvasToWorld([middle[0] - x, middle[1] - y]);
    this.settle({ focalPoint: to });
  }

  /** Drawn and measured by the same place of the picture, whatever changed it. */
  protected settle(camera: Types.ICamera = {}): void {
    this.viewport.setCamera(camera);
    this.viewport.render();
  }

  resized(): void {
    const { canvas } = enabledOf(this.viewport);
    const ratio = window.devicePixelRatio || 1;
    const { clientWidth, clientHeight } = this.surface;
    if (!canvas || clientWidth === 0 || clientHeight === 0) return;
    const fitting = Math.abs(this.scale - this.fitting) < 1e-6;
    canvas.width = Math.round(clientWidth * ratio);
    canvas.height = Math.round(clientHeight * ratio);
    if (!this.loaded) return;
    if (fitting) this.fit();
    else this.settle();
    this.fitting = this.scale;
  }

  private fitting = -1;

  remember(): void {
    this.fitting = this.scale;
  }

  pixelAt(clientX: number, clientY: number): [number, number] {
    const box = this.surface.getBoundingClientRect();
    const { transform } = enabledOf(this.viewport);
    const ratio = window.devicePixelRatio || 1;
    if (!transform) return [-1, -1];
    const [a = 1, b = 0, c = 0, d = 1, e = 0, f = 0] = transform.getMatrix();
    const back = new DOMMatrix([a, b, c, d, e, f]).inverse();
    const point = back.transformPoint({ x: (clientX - box.left) * ratio, y: (clientY - box.top) * ratio });
    return [Math.floor(point.x), Math.floor(point.y)];
  }

  /** From pixels of the picture to CSS pixels of the surface. */
  get matrix(): DOMMatrix {
    const [a = 1, b = 0, c = 0, d = 1, e = 0, f = 0] = enabledOf(this.viewport).transform?.getMatrix() ?? [];
    const ratio = window.devicePixelRatio || 1;
    return new DOMMatrix([a / ratio, b / ratio, c / ratio, d / ratio, e / ratio, f / ratio]);
  }
}

type Enabled = Parameters<NonNullable<Types.IImage["render"]>>[0];

/** The viewport's own state, which Cornerstone hands to every picture that draws itself. */
export function enabledOf(viewport: Types.IStackViewport): Enabled {
  return (viewport as unknown as { _cpuFallbackEnabledElement: Enabled })._cpuFallbackEnabledElement;
}

/** One viewport: a stack of pictures, how they are shown, and what is said about them at the edges. */
import { Enums, type RenderingEngine, type Types } from "@cornerstonejs/core";
import { h, setText } from "../core/dom";
import { t } from "../core/page";
import { currentScale } from "../ecg/calibration";
import { loadAhead, loadedOf, placeOf, ready } from "./loader";
import { describeSeries } from "./source";
import type { Stack } from "./stacks";
import type { Shown } from "./windows";

export interface PaneHost {
  /** Another picture, or the same one in another way. */
  drawn(pane: Pane): void;
  failed(pane: Pane, cause: unknown): void;
  leafed(pane: Pane, index: number): void;
  /** A person leafed through this one, pointing at it. */
  byHand(pane: Pane): void;
}

/** What Cornerstone has and its types do not show. */
type Viewport = Types.IStackViewport & { getZoom(): number; setRotation(degrees: number): void };

const LEAST = 0.02;
const MOST = 40;
/** Slices that are fetched before and behind the one on the screen, the nearest first. */
const AHEAD = 400;
const CINE_PER_SECOND = 12;

export class Pane {
  readonly element = h("div", { class: "image-pane" });
  readonly surface = h("div", { class: "image-surface" });
  readonly title = h("p", { class: "image-title" });
  readonly viewport: Viewport;
  stack: Stack | null = null;
  /** Until a person chooses another, every picture is shown with its own window. */
  private chosen: Shown | null = null;
  private timer = 0;
  private round = 0;
  private readonly host: PaneHost;
  private readonly corner = h("output", { class: "image-corner" });
  private readonly under = h("output", { class: "image-under" });
  private readonly engine: RenderingEngine;

  constructor(engine: RenderingEngine, name: string, host: PaneHost) {
    this.engine = engine;
    this.host = host;
    this.element.append(this.surface, this.title, this.corner, this.under);
    engine.enableElement({
      viewportId: name,
      type: Enums.ViewportType.STACK,
      element: this.surface,
      defaultOptions: { background: [0, 0, 0] },
    });
    this.viewport = engine.getViewport(name) as unknown as Viewport;
    // The focus stays with the frame: Cornerstone would keep every key from the page.
    this.surface.removeAttribute("tabindex");
    this.surface.addEventListener(Enums.Events.IMAGE_RENDERED, () => this.say());
    this.surface.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    this.surface.addEventListener("pointermove", (event) => this.probe(event));
    this.surface.addEventListener("pointerleave", () => setText(this.under, ""));
    this.surface.addEventListener("contextmenu", (event) => event.preventDefault());
    this.surface.addEventListener(Enums.Events.VOI_MODIFIED, () => this.keepWindow());
  }

  get index(): number {
    return this.viewport.getTargetImageIdIndex();
  }

  /** Where leafing has come to, though the picture may still be on its way. */
  private wanted = 0;

  get count(): number {
    return this.stack?.pictures.length ?? 0;
  }

  get playing(): boolean {
    return this.timer !== 0;
  }

  get window(): Shown | null {
    return this.chosen;
  }

  /** The object's own window, of the picture that is shown. */
  get own(): Shown | null {
    const grey = this.loaded?.grey;
    return grey ? { center: grey.own.center, width: grey.own.width } : null;
  }

  get loaded(): ReturnType<typeof loadedOf> {
    const id = this.viewport.getCurrentImageId();
    return id ? loadedOf(id) : undefined;
  }

  /** On the screen when it returns. */
  async open(stack: Stack, index = 0): Promise<void> {
    this.stop();
    this.round += 1;
    const { round } = this;
    const ids = stack.pictures.map(({ id }) => id);
    const first = Math.min(index, ids.length - 1);
    await ready(ids[first] ?? "");
    // Meanwhile somebody went on to others.
    if (round !== this.round) return;
    this.stack = stack;
    this.chosen = null;
    this.wanted = first;
    await this.viewport.setStack(ids, first);
    this.viewport.render();
    void this.loadRest(this.round);
  }

  private async loadRest(round: number): Promise<void> {
    const pictures = this.stack?.pictures ?? [];
    const at = this.index;
    if (pictures.length > 1) {
      const all = new Set(pictures.map(({ id }) => placeOf(id)?.instance ?? ""));
      // One answer for all headers; without it each is asked for by itself.
      await describeSeries([...all]).catch((cause: unknown) =>
        console.warn("no headers of the series", cause),
      );
    }
    const near = pictures
      .map(({ id }, index) => ({ id, distance: Math.abs(index - at) }))
      .filter(({ distance }) => distance > 0 && distance <= AHEAD)
      .sort((one, other) => one.distance - other.distance);
    const lane = async (): Promise<void> => {
      for (let next = near.shift(); next && round === this.round; next = near.shift())
        await loadAhead(next.id);
    };
    await Promise.all([lane(), lane(), lane()]);
  }

  /** Leafs; at the ends nothing happens. True when there is another picture. */
  async turn(step: number): Promise<boolean> {
    const index = Math.max(0, Math.min(this.count - 1, this.wanted + step));
    if (index === this.wanted) return false;
    await this.to(index);
    return true;
  }

  async turnTo(index: number): Promise<void> {
    await this.to(Math.max(0, Math.min(this.count - 1, index)));
  }

  async to(index: number): Promise<void> {
    const { round } = this;
    this.wanted = index;
    try {
      await ready(this.stack?.pictures[index]?.id ?? "");
      // Leafed on while it came: the last one that was wanted is shown.
      if (round !== this.round || this.wanted !== index) return;
      await this.viewport.setImageIdIndex(index);
      this.applyWindow();
      this.host.leafed(this, index);
    } catch (cause) {
      this.stop();
      this.host.failed(this, cause);
    }
  }

  play(): void {
    if (this.timer !== 0 || this.count < 2) return;
    const given = this.loaded?.description.frameTime ?? 0;
    const every = given > 0 ? Math.max(given, 20) : 1000 / CINE_PER_SECOND;
    this.timer = window.setInterval(() => void this.to((this.index + 1) % this.count), every);
    this.host.drawn(this);
  }

  stop(): void {
    if (this.timer === 0) return;
    window.clearInterval(this.timer);
    this.timer = 0;
    this.host.drawn(this);
  }

  setWindow(window: Shown | null): void {
    this.chosen = window;
    this.applyWindow();
  }

  private applyWindow(): void {
    const shown = this.chosen ?? this.own;
    if (!shown) return;
    // Both ends as Cornerstone turns them into a window again, so that the own one is told from a chosen one.
    const lower = shown.center - 0.5 - (shown.width - 1) / 2;
    this.viewport.setProperties({ voiRange: { lower, upper: lower + shown.width - 1 } }, true);
    this.exactly(shown);
    this.viewport.render();
  }

  /** Half a grey level is lost on the way through the ends; what was asked for is what is shown. */
  private exactly({ center, width }: Shown): void {
    const { viewport } = enabledOf(this.viewport);
    if (!viewport?.voi) return;
    viewport.voi.windowCenter = center;
    viewport.voi.windowWidth = width;
  }

  private keepWindow(): void {
    const voi = enabledOf(this.viewport).viewport?.voi;
    if (voi) this.chosen = { center: Number(voi.windowCenter), width: Number(voi.windowWidth) };
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

  flip(): void {
    const { flipHorizontal } = this.viewport.getCamera();
    this.settle({ flipHorizontal: !flipHorizontal });
  }

  fit(): void {
    this.viewport.resetCamera();
    this.settle();
  }

  reset(): void {
    this.viewport.setRotation(0);
    this.viewport.setProperties({ invert: false });
    this.settle({ flipHorizontal: false });
    this.setWindow(null);
    this.fit();
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
  private settle(camera: Types.ICamera = {}): void {
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

  close(): void {
    this.stop();
    this.round += 1;
    this.engine.disableElement(this.viewport.id);
    this.element.remove();
  }

  private onWheel(event: WheelEvent): void {
    event.preventDefault();
    if (this.count > 1 && !event.ctrlKey) {
      const step = Math.sign(event.deltaY);
      void this.turn(step).then((turned) => turned && this.host.byHand(this));
      return;
    }
    const box = this.surface.getBoundingClientRect();
    const at: [number, number] = [event.clientX - box.left, event.clientY - box.top];
    this.zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15, at);
  }

  /** The value under the pointer, in the picture's own units. */
  private probe(event: PointerEvent): void {
    const loaded = this.loaded;
    const [x, y] = this.pixelAt(event.clientX, event.clientY);
    const { grey, description } = loaded ?? {};
    const inside = description && x >= 0 && y >= 0 && x < description.columns && y < description.rows;
    const value = inside ? grey?.values[y * description.columns + x] : undefined;
    const unit = description?.modality === "CT" ? " HU" : "";
    setText(
      this.under,
      value === undefined ? "" : `x ${x} · y ${y} · ${Math.round(value * 100) / 100}${unit}`,
    );
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

  private say(): void {
    const { loaded } = this;
    if (!loaded) return;
    const { voi } = enabledOf(this.viewport).viewport ?? {};
    const parts = [
      this.count > 1 ? t("ui.picture.number", { number: this.index + 1, count: this.count }) : "",
      loaded.grey && voi
        ? t("ui.image.window", {
            center: Math.round(Number(voi.windowCenter)),
            width: Math.round(Number(voi.windowWidth)),
          })
        : "",
      t("ui.picture.zoom", { percent: Math.round(this.scale * 100) }),
    ];
    setText(this.corner, parts.filter(Boolean).join("  ·  "));
    this.host.drawn(this);
  }
}

type Enabled = Parameters<NonNullable<Types.IImage["render"]>>[0];

/** The viewport's own state, which Cornerstone hands to every picture that draws itself. */
function enabledOf(viewport: Types.IStackViewport): Enabled {
  return (viewport as unknown as { _cpuFallbackEnabledElement: Enabled })._cpuFallbackEnabledElement;
}

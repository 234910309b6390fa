/** One viewport: a stack of pictures, how they are shown, and what is said about them at the edges. */
import { Enums, type RenderingEngine } from "@cornerstonejs/core";
import { h } from "../core/dom";
import { Labels } from "./labels";
import { loadAhead, placeOf, ready } from "./loader";
import { describeSeries } from "./source";
import type { Stack } from "./stacks";
import { enabledOf, View, type Viewport } from "./view";
import type { Shown } from "./windows";

export interface PaneHost {
  /** Another picture, or the same one in another way. */
  drawn(pane: Pane): void;
  failed(pane: Pane, cause: unknown): void;
  leafed(pane: Pane, index: number): void;
  /** A person leafed through this one, pointing at it. */
  byHand(pane: Pane): void;
}

/** Slices that are fetched before and behind the one on the screen, the nearest first. */
const AHEAD = 400;
const CINE_PER_SECOND = 12;

export class Pane extends View {
  readonly element = h("div", { class: "image-pane" });
  readonly title = h("p", { class: "image-title" });
  readonly viewport: Viewport;
  stack: Stack | null = null;
  /** Until a person chooses another, every picture is shown with its own window. */
  private chosen: Shown | null = null;
  private timer = 0;
  private round = 0;
  private readonly host: PaneHost;
  private readonly labels = new Labels(this);
  private readonly engine: RenderingEngine;

  constructor(engine: RenderingEngine, name: string, host: PaneHost) {
    super();
    this.engine = engine;
    this.host = host;
    this.element.append(this.surface, this.title, ...this.labels.elements);
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
    this.surface.addEventListener(Enums.Events.STACK_VIEWPORT_SCROLL, (event) => this.scrolled(event));
    this.surface.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
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

  /** By the tool that leafs: keys and the exam beside go on from there. */
  private scrolled(event: Event): void {
    const { newImageIdIndex: index } = (event as CustomEvent<{ newImageIdIndex: number }>).detail;
    if (index !== this.wanted) void this.to(index).then(() => this.host.byHand(this));
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

  reset(): void {
    this.viewport.setRotation(0);
    this.viewport.setProperties({ invert: false });
    this.settle({ flipHorizontal: false, flipVertical: false });
    this.setWindow(null);
    this.fit();
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

  private say(): void {
    if (!this.loaded) return;
    this.labels.say(this.index, this.count);
    this.host.drawn(this);
  }
}

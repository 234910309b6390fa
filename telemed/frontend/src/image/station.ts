/** The image station: full grey values, tools, and a second picture beside. Fetched when the first picture is opened. */
import { cache, init, RenderingEngine, setCanvasCreator, setUseCPURendering } from "@cornerstonejs/core";
import { h } from "../core/dom";
import type { Case, Series } from "../core/types";
import { Beside } from "./beside";
import { warmUp } from "./decoders";
import { isReady, loadAhead, register } from "./loader";
import { inPage, sized } from "./paint";
import { Pane } from "./pane";
import type { Compared } from "./prior";
import { type Picture, type Stack, stacksOf } from "./stacks";
import { choose, prepare, type ToolName } from "./tools";
import { presetsFor } from "./windows";

export interface StationHost {
  /** Something of what is shown changed: the bar of tools shows it too. */
  drawn(): void;
  failed(cause: unknown): void;
}

/** Bytes of pictures that are kept: a study of CT and three films. */
const KEPT = 700 * 2 ** 20;

let begun = false;

/**
 * Pictures are drawn by a table of grey levels on a plain canvas, not by WebGL: shown is exactly what the standard
 * says for each stored value, a VOI LUT included, and a computer without a graphics card shows the same.
 */
function begin(): void {
  if (begun) return;
  setUseCPURendering(true, false);
  setCanvasCreator((width: number, height: number) => inPage(sized(width, height)));
  init();
  cache.setMaxCacheSize(KEPT);
  register();
  prepare();
  warmUp();
  begun = true;
}

export class ImageStation {
  readonly element = h("div", { class: "image-station" });
  tool: ToolName = "window";
  /** The window that every series of this exam is opened in, by number; the first is its own. */
  private hung = 0;
  private stacks: Stack[] = [];
  private at = 0;
  private readonly engine: RenderingEngine;
  private readonly host: StationHost;
  private readonly main: Pane;
  private beside: Beside | null = null;

  constructor(host: StationHost) {
    begin();
    this.host = host;
    this.engine = new RenderingEngine("image-station");
    this.main = this.pane("image-main");
    this.element.append(this.main.element);
    choose(this.tool);
    new ResizeObserver(() => this.resized()).observe(this.element);
  }

  private pane(name: string): Pane {
    const made = new Pane(this.engine, name, {
      drawn: (pane) => this.drawn(pane),
      failed: (_pane, cause) => this.host.failed(cause),
      leafed: (pane, index) => {
        if (pane === this.main) void this.beside?.follow(index);
      },
      byHand: (pane) => {
        if (pane !== this.main) this.beside?.align();
      },
    });
    prepare().addViewport(name, this.engine.id);
    return made;
  }

  get comparing(): boolean {
    return this.beside?.on === true;
  }

  /** The series on the screen: the first one before anything is. */
  get series(): string {
    return this.stacks[this.at]?.series ?? "";
  }

  /** Another exam at the right, leafed together with this one. */
  async compare(compared: Compared): Promise<void> {
    this.beside ??= new Beside(this.main, this.pane("image-prior"), { placed: () => this.resized() });
    await this.beside.open(compared);
    this.host.drawn();
  }

  alone(): void {
    if (!this.comparing) return;
    this.beside?.close();
    this.host.drawn();
  }

  /** The first picture of these is on the screen when it returns. */
  async open(series: readonly Series[]): Promise<void> {
    this.alone();
    this.stacks = stacksOf(series);
    this.at = 0;
    this.hung = 0;
    await this.show(0);
  }

  private async show(index: number, picture = 0): Promise<void> {
    const stack = this.stacks[index];
    if (!stack) return;
    this.at = index;
    this.beside?.part();
    await this.main.open(stack, picture);
    // Meanwhile somebody went on to others.
    if (this.main.stack !== stack) return;
    this.main.remember();
    if (this.hung > 0) this.preset(this.hung);
    this.drawn(this.main);
    const ahead = this.stacks[index + 1]?.pictures[0];
    if (ahead) void loadAhead(ahead.id);
    this.beside?.match().catch((cause: unknown) => this.host.failed(cause));
  }

  private drawn(pane: Pane): void {
    if (pane === this.main) this.host.drawn();
  }

  get all(): readonly Stack[] {
    return this.stacks;
  }

  get picture(): Picture | undefined {
    return this.main.stack?.pictures[this.main.index];
  }

  pictureOf(id: string): Picture | undefined {
    return this.stacks.flatMap(({ pictures }) => pictures).find((one) => one.id === id);
  }

  get view(): Pane {
    return this.main;
  }

  /** Through the pictures of a stack, then to the next stack. */
  async turn(step: number): Promise<void> {
    if (await this.main.turn(step)) return;
    const next = this.at + step;
    if (next < 0 || next >= this.stacks.length) return;
    await this.enter(next, step < 0 ? Number.POSITIVE_INFINITY : 0);
  }

  private async enter(index: number, picture = 0): Promise<void> {
    try {
      await this.show(index, picture);
    } catch (cause) {
      this.host.failed(cause);
    }
  }

  async toSeries(uid: string): Promise<void> {
    const index = this.stacks.findIndex(({ series }) => series === uid);
    if (index >= 0) await this.enter(index);
  }

  /** False at the ends, where nothing happens. */
  async turnSeries(step: number): Promise<boolean> {
    const all = [...new Set(this.stacks.map(({ series }) => series))];
    const next = all[all.indexOf(this.series) + step];
    if (next === undefined) return false;
    await this.toSeries(next);
    return true;
  }

  /** False when there is no such picture, or it did not come. */
  async goTo(instance: string, frame: number): Promise<boolean> {
    for (const [index, { pictures }] of this.stacks.entries()) {
      const at = pictures.findIndex(
        (one) => one.instance.sop_instance_uid === instance && one.frame === frame,
      );
      if (at < 0) continue;
      if (index === this.at) await this.main.to(at);
      else await this.show(index, at);
      return this.picture?.instance.sop_instance_uid === instance;
    }
    return false;
  }

  get number(): { number: number; count: number } {
    const before = this.stacks.slice(0, this.at).reduce((sum, { pictures }) => sum + pictures.length, 0);
    const count = this.stacks.reduce((sum, { pictures }) => sum + pictures.length, 0);
    return { number: before + this.main.index + 1, count };
  }

  setTool(name: ToolName): void {
    this.tool = name;
    choose(name);
    this.host.drawn();
  }

  get presets(): ReturnType<typeof presetsFor> {
    const own = this.main.own;
    return own ? presetsFor(this.main.stack?.modality ?? "", own) : [];
  }

  preset(index: number): void {
    const chosen = this.presets[index];
    if (!chosen) return;
    this.main.setWindow(chosen.window);
    this.beside?.setWindow(chosen.window);
  }

  hang(window: number): void {
    this.hung = window;
    if (window > 0) this.preset(window);
  }

  cine(): void {
    if (this.main.playing) this.main.stop();
    else this.main.play();
  }

  close(): void {
    this.main.stop();
  }

  private resized(): void {
    this.main.resized();
    this.beside?.resized();
  }
}

/** Into the memory before the case is opened: its first picture, as far as it is to be looked at first. */
export async function prefetch(item: Case): Promise<boolean> {
  begin();
  const first = firstOf(item.series);
  return first !== undefined && loadAhead(first.id);
}

function firstOf(series: readonly Series[]): Picture | undefined {
  return stacksOf(series)[0]?.pictures[0];
}

/** Its first picture is in the memory: the server's need not be asked for. */
export function isThere(series: readonly Series[]): boolean {
  const first = firstOf(series);
  return first !== undefined && isReady(first.id);
}

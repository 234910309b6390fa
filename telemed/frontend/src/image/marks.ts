/** What is measured in the pictures of a case: kept with it, and there again for whoever opens it next. */
import { eventTarget, type Types } from "@cornerstonejs/core";
import { annotation, Enums } from "@cornerstonejs/tools";
import { get, send } from "../core/api";
import type { Case } from "../core/types";
import type { Description } from "./description";
import { loadedOf } from "./loader";
import { type Found, type Measured, valuesOf } from "./measures";
import type { Picture } from "./stacks";
import { type MeasuringTool, toolOf, tools } from "./tools";

interface Mark extends Found {
  id: string;
  kind: MeasuringTool;
  sop_instance_uid: string;
  frame: number;
  /** In pixels from the upper left corner of the picture. */
  points: [number, number][];
}

interface Answer {
  rows: Mark[];
}

export interface MarksHost {
  picture(id: string): Picture | undefined;
  failed(cause: unknown): void;
  /** What was measured in the case before did not reach the server. */
  lost(cause: unknown): void;
  /** Something was measured by somebody who does not hold the case. */
  unkept(): void;
}

const { ANNOTATION_COMPLETED, ANNOTATION_MODIFIED, ANNOTATION_REMOVED } = Enums.Events;
/** A hand that moves a mark, and still holds it, has come to rest. */
const REST_MS = 400;
/** What was let go of is kept at once: the next key may be the one that signs. The tool works out its values first. */
const LET_GO_MS = 20;

export class Marks {
  private item: Case | null = null;
  private kept = new Map<string, Mark>();
  private readonly waiting = new Map<string, number>();
  private readonly placed = new Set<string>();
  private told = false;
  private held = false;
  private readonly host: MarksHost;

  constructor(host: MarksHost) {
    this.host = host;
    for (const event of [ANNOTATION_COMPLETED, ANNOTATION_MODIFIED])
      eventTarget.addEventListener(event, (given: Event) => this.moved(uidOf(given)));
    document.addEventListener("pointerdown", () => this.hold(true), { capture: true });
    for (const event of ["pointerup", "pointercancel"])
      document.addEventListener(event, () => this.hold(false), { capture: true });
    eventTarget.addEventListener(ANNOTATION_REMOVED, (given: Event) => void this.removed(uidOf(given)));
  }

  /** Those of the case before leave the screen with it. */
  async open(item: Case): Promise<void> {
    this.close();
    this.item = item;
    this.told = false;
    const { rows } = await get<Answer>(this.path(item));
    if (item.id !== this.item?.id) return;
    this.kept = new Map(rows.map((row) => [row.id, row]));
    this.placed.clear();
  }

  /** The case was fetched anew: who has it now can keep what was measured before. */
  renew(item: Case): void {
    if (item.id !== this.item?.id) return;
    const newly = item.can.write && !this.item.can.write;
    this.item = item;
    if (newly)
      for (const { annotationUID: uid } of annotation.state.getAllAnnotations()) this.moved(uid ?? "");
  }

  /** What was not yet sent is sent now: the case and its pictures are still there to say what it is. */
  close(): void {
    for (const [uid, timer] of [...this.waiting]) {
      window.clearTimeout(timer);
      void this.keep(uid);
    }
    this.item = null;
    this.kept = new Map();
    annotation.state.removeAllAnnotations();
  }

  /** Draws what is kept of a picture that comes onto the screen; true when there is something. */
  place({ id, instance, frame }: Picture, element: HTMLDivElement): boolean {
    const loaded = loadedOf(id);
    if (this.placed.has(id) || !loaded || !this.item) return false;
    const here = [...this.kept.values()].filter(
      (one) => one.sop_instance_uid === instance.sop_instance_uid && one.frame === frame,
    );
    this.placed.add(id);
    for (const mark of here) annotation.state.addAnnotation(drawn(mark, id, loaded.description), element);
    return here.length > 0;
  }

  private path(item: Case): string {
    return `/api/v1/cases/${encodeURIComponent(item.id)}/marks`;
  }

  private hold(held: boolean): void {
    this.held = held;
    if (!held) for (const uid of this.waiting.keys()) this.moved(uid);
  }

  private moved(uid: string): void {
    window.clearTimeout(this.waiting.get(uid));
    const rest = this.held ? REST_MS : LET_GO_MS;
    this.waiting.set(
      uid,
      window.setTimeout(() => void this.keep(uid), rest),
    );
  }

  private async keep(uid: string): Promise<void> {
    this.waiting.delete(uid);
    const { item } = this;
    const mark = item && this.markOf(uid);
    if (!item || !mark || same(mark, this.kept.get(uid))) return;
    if (!item.can.write) {
      // Once for a case: it would stand in the place of what is said later.
      if (!this.told) this.host.unkept();
      this.told = true;
      return;
    }
    const { id, ...body } = mark;
    try {
      await send<Answer>("PUT", `${this.path(item)}/${encodeURIComponent(id)}`, body);
      if (this.item?.id === item.id) this.kept.set(id, mark);
    } catch (cause) {
      if (this.item?.id === item.id) this.host.failed(cause);
      else this.host.lost(cause);
    }
  }

  private async removed(uid: string): Promise<void> {
    window.clearTimeout(this.waiting.get(uid));
    this.waiting.delete(uid);
    const { item } = this;
    if (!item || !this.kept.delete(uid)) return;
    try {
      await send<Answer>("DELETE", `${this.path(item)}/${encodeURIComponent(uid)}`);
    } catch (cause) {
      if (this.item?.id === item.id) this.host.failed(cause);
    }
  }

  private markOf(uid: string): Mark | undefined {
    const made = annotation.state.getAnnotation(uid);
    const id = made?.metadata?.referencedImageId ?? "";
    const [picture, loaded, kind] = [
      this.host.picture(id),
      loadedOf(id),
      toolOf(made?.metadata?.toolName ?? ""),
    ];
    const points = made?.data.handles?.points;
    const found = made && valuesOf(made.data as Measured, loaded?.description);
    if (!picture || !loaded || !kind || !points || !found) return undefined;
    const { instance, frame } = picture;
    const there = points.map((point) => toPixels(loaded.description, point));
    return { id: uid, kind, sop_instance_uid: instance.sop_instance_uid, frame, points: there, ...found };
  }
}

function uidOf(event: Event): string {
  const { detail } = event as CustomEvent<{ annotation?: { annotationUID?: string } }>;
  return detail.annotation?.annotationUID ?? "";
}

const digits = (value: number): number => Math.round(value * 100) / 100;

/** To a hundredth of a pixel: what was drawn again from what is kept is no other mark. */
function same(one: Mark, other: Mark | undefined): boolean {
  const near = (a: number, b: number | undefined): boolean => Math.abs(a - (b ?? Number.NaN)) < 0.02;
  return (
    other?.kind === one.kind &&
    one.points.every(([x, y], at) => near(x, other.points[at]?.[0]) && near(y, other.points[at]?.[1]))
  );
}

interface Plane {
  origin: readonly number[];
  along: readonly number[];
  down: readonly number[];
  width: number;
  height: number;
}

function planeOf({ orientation, position, spacing }: Description): Plane {
  const axes = orientation ?? [1, 0, 0, 0, 1, 0];
  return {
    origin: position ?? [0, 0, 0],
    along: axes.slice(0, 3),
    down: axes.slice(3),
    width: spacing?.column ?? 1,
    height: spacing?.row ?? 1,
  };
}

function toPixels(description: Description, point: readonly number[]): [number, number] {
  const { origin, along, down, width, height } = planeOf(description);
  const on = (axis: readonly number[]): number =>
    axis.reduce((sum, part, at) => sum + part * ((point[at] ?? 0) - (origin[at] ?? 0)), 0);
  return [digits(on(along) / width), digits(on(down) / height)];
}

function toWorld(description: Description, [x, y]: readonly [number, number]): Types.Point3 {
  const { origin, along, down, width, height } = planeOf(description);
  return origin.map(
    (part, at) => part + (along[at] ?? 0) * x * width + (down[at] ?? 0) * y * height,
  ) as Types.Point3;
}

type Annotation = Parameters<typeof annotation.state.addAnnotation>[0];

function drawn({ id, kind, points }: Mark, picture: string, description: Description): Annotation {
  const { along, down } = planeOf(description);
  const [a = 0, b = 0, c = 0] = along;
  const [d = 0, e = 0, f = 0] = down;
  return {
    annotationUID: id,
    highlighted: false,
    invalidated: true,
    isLocked: false,
    isVisible: true,
    metadata: {
      toolName: tools[kind].name,
      referencedImageId: picture,
      FrameOfReferenceUID: description.frameOfReference || picture,
      viewPlaneNormal: [b * f - c * e, c * d - a * f, a * e - b * d],
      viewUp: [-d, -e, -f],
    },
    data: {
      handles: {
        points: points.map((point) => toWorld(description, point)),
        activeHandleIndex: null,
        textBox: { hasMoved: false, worldPosition: [0, 0, 0], worldBoundingBox: null },
      },
      label: "",
      cachedStats: {},
    },
  } as unknown as Annotation;
}

/** The place a repeat is about: a box drawn over the picture, or the leads of a recording. */
import { h } from "../core/dom";
import { t } from "../core/page";
import type { Case, Mark } from "../core/types";
import { instancesOf } from "./case-cache";

const leads = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"];
const SIZE = 360;

export interface MarkField {
  element: HTMLElement;
  read(): Mark | undefined;
}

export function markField(item: Case): MarkField | undefined {
  const instances = instancesOf(item);
  const recording = instances.find((one) => one.kind === "ecg");
  if (recording) return leadField(recording.sop_instance_uid);
  const pictures = instances.filter((one) => one.kind === "image" && one.rendered_url);
  return pictures.length > 0 ? boxField(pictures) : undefined;
}

function leadField(sop: string): MarkField {
  const boxes = leads.map((name) => h("input", { type: "checkbox", value: name }));
  const chosen = (): string[] => boxes.filter((box) => box.checked).map((box) => box.value);
  const second = (name: string): HTMLInputElement =>
    h("input", { type: "number", name, min: "0", max: "3600", step: "0.1", inputmode: "decimal" });
  const [from, to] = [second("from"), second("to")];
  const element = h(
    "fieldset",
    { class: "mark-leads" },
    h("legend", {}, t("ui.repeat.mark_leads")),
    ...boxes.map((box) => h("label", {}, box, box.value)),
    h("label", { class: "mark-span" }, t("ui.repeat.from"), from),
    h("label", { class: "mark-span" }, t("ui.repeat.to"), to),
  );
  return {
    element,
    read: () => {
      const span =
        from.value && to.value ? [from, to].map((one) => Math.round(one.valueAsNumber * 1000)) : [];
      const [from_ms = null, to_ms = null] = span;
      if (chosen().length === 0 && from_ms === null) return undefined;
      return { sop_instance_uid: sop, x: 0, y: 0, width: 0, height: 0, leads: chosen(), from_ms, to_ms };
    },
  };
}

function boxField(pictures: readonly { sop_instance_uid: string; rendered_url: string | null }[]): MarkField {
  const picture = h("img", { alt: t("ui.repeat.mark_box"), draggable: "false" });
  const box = h("div", { class: "mark-box", hidden: true });
  const frame = h(
    "div",
    {
      class: "mark-picture",
      tabindex: "0",
      role: "application",
      "aria-label": t("ui.repeat.mark_box"),
      onkeydown: (event: KeyboardEvent) => {
        const moved = byKey(mark, event);
        if (moved === undefined) return;
        event.preventDefault();
        event.stopPropagation();
        mark = moved;
        drawBox(box, mark);
      },
    },
    picture,
    box,
  );
  let from: { x: number; y: number } | null = null;
  let mark: Box | null = null;
  let at = 0;
  const show = (index: number): void => {
    at = index;
    mark = null;
    box.hidden = true;
    const url = pictures[index]?.rendered_url ?? "";
    picture.src = `${url}${url.includes("?") ? "&" : "?"}viewport=${SIZE},${SIZE}`;
  };
  const place = (event: PointerEvent): { x: number; y: number } => {
    const area = picture.getBoundingClientRect();
    const share = (value: number): number => Math.min(1, Math.max(0, value));
    return {
      x: share((event.clientX - area.left) / area.width),
      y: share((event.clientY - area.top) / area.height),
    };
  };
  frame.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    frame.setPointerCapture(event.pointerId);
    from = place(event);
  });
  frame.addEventListener("pointermove", (event) => {
    if (!from) return;
    const to = place(event);
    mark = {
      x: Math.min(from.x, to.x),
      y: Math.min(from.y, to.y),
      width: Math.abs(to.x - from.x),
      height: Math.abs(to.y - from.y),
    };
    drawBox(box, mark);
  });
  frame.addEventListener("pointerup", () => {
    from = null;
  });
  show(0);
  const choose = h(
    "select",
    { "aria-label": t("ui.repeat.mark_box"), onchange: () => show(Number(choose.value)) },
    ...pictures.map((_, index) => h("option", { value: index }, String(index + 1))),
  );
  return {
    element: h(
      "div",
      { class: "mark-field" },
      h("p", { class: "muted" }, t("ui.repeat.mark_box")),
      pictures.length > 1 && choose,
      frame,
    ),
    read: () => {
      const shown = pictures[at];
      if (!mark || !shown || mark.width < 0.01 || mark.height < 0.01) return undefined;
      return { sop_instance_uid: shown.sop_instance_uid, ...mark, leads: [], from_ms: null, to_ms: null };
    },
  };
}

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

const MIDDLE: Box = { x: 0.35, y: 0.35, width: 0.3, height: 0.3 };
const STEP = 0.02;
const arrows: Record<string, readonly [number, number]> = {
  ArrowLeft: [-STEP, 0],
  ArrowRight: [STEP, 0],
  ArrowUp: [0, -STEP],
  ArrowDown: [0, STEP],
};

/** Without a mouse: an arrow moves the box, with Shift its lower right corner. Undefined: not a key of the box. */
function byKey(box: Box | null, event: KeyboardEvent): Box | null | undefined {
  if (event.ctrlKey || event.altKey || event.metaKey) return undefined;
  if (event.key === "Delete" || event.key === "Backspace") return null;
  if (event.key === " ") return box ?? MIDDLE;
  const arrow = arrows[event.key];
  if (!arrow) return undefined;
  if (!box) return MIDDLE;
  const [right, down] = arrow;
  const within = (value: number, least: number, most: number): number =>
    Math.min(most, Math.max(least, value));
  if (event.shiftKey)
    return {
      ...box,
      width: within(box.width + right, STEP, 1 - box.x),
      height: within(box.height + down, STEP, 1 - box.y),
    };
  return {
    ...box,
    x: within(box.x + right, 0, 1 - box.width),
    y: within(box.y + down, 0, 1 - box.height),
  };
}

/** Shares of the picture as a box over it. */
function drawBox(element: HTMLElement, box: Box | null): void {
  element.hidden = box === null;
  if (!box) return;
  element.style.left = `${box.x * 100}%`;
  element.style.top = `${box.y * 100}%`;
  element.style.width = `${box.width * 100}%`;
  element.style.height = `${box.height * 100}%`;
}

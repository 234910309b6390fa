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
  const element = h(
    "fieldset",
    { class: "mark-leads" },
    h("legend", {}, t("ui.repeat.mark_leads")),
    ...boxes.map((box) => h("label", {}, box, box.value)),
  );
  const nowhere = { x: 0, y: 0, width: 0, height: 0 };
  return {
    element,
    read: () => (chosen().length > 0 ? { sop_instance_uid: sop, ...nowhere, leads: chosen() } : undefined),
  };
}

function boxField(pictures: readonly { sop_instance_uid: string; rendered_url: string | null }[]): MarkField {
  const picture = h("img", { alt: t("ui.repeat.mark_box"), draggable: "false" });
  const box = h("div", { class: "mark-box", hidden: true });
  const frame = h("div", { class: "mark-picture" }, picture, box);
  let from: { x: number; y: number } | null = null;
  let mark: { x: number; y: number; width: number; height: number } | null = null;
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
      return { sop_instance_uid: shown.sop_instance_uid, ...mark, leads: [] };
    },
  };
}

/** Shares of the picture as a box over it. */
function drawBox(box: HTMLElement, mark: { x: number; y: number; width: number; height: number }): void {
  box.hidden = false;
  box.style.left = `${mark.x * 100}%`;
  box.style.top = `${mark.y * 100}%`;
  box.style.width = `${mark.width * 100}%`;
  box.style.height = `${mark.height * 100}%`;
}

/** What the doctor marked, where the technician looks: the box on the picture, or the leads by name. */
import { h } from "../core/dom";
import { t } from "../core/page";
import type { Exam } from "../core/types";

export function repeatMark(exam: Exam): HTMLElement | null {
  const mark = exam.repeat_mark;
  if (!mark) return null;
  if (mark.leads.length > 0)
    return h("span", { class: "note-line" }, t("ui.repeat.leads", { leads: mark.leads.join(" ") }));
  const box = h("div", { class: "mark-box" });
  for (const [name, share] of [
    ["left", mark.x],
    ["top", mark.y],
    ["width", mark.width],
    ["height", mark.height],
  ] as const)
    box.style[name] = `${share * 100}%`;
  const picture = h("img", { src: mark.picture_url, alt: t("ui.repeat.marked"), loading: "lazy" });
  return h("div", { class: "mark-picture" }, picture, box);
}

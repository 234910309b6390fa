/** What the doctor marked, where the technician looks: the box on the picture, or leads and seconds in words. */
import { h } from "../core/dom";
import { t } from "../core/page";
import type { Exam, Mark } from "../core/types";

export function repeatMark(exam: Exam): HTMLElement | null {
  const mark = exam.repeat_mark;
  if (!mark) return null;
  if (!mark.picture_url) return h("span", { class: "note-line" }, placeInRecording(mark));
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

function placeInRecording({ leads, from_ms, to_ms }: Mark): string {
  const parts: string[] = [];
  if (leads.length > 0) parts.push(t("ui.repeat.leads", { leads: leads.join(" ") }));
  if (typeof from_ms === "number" && typeof to_ms === "number")
    parts.push(t("ui.repeat.span", { from: seconds(from_ms), to: seconds(to_ms) }));
  return parts.join(" · ");
}

const seconds = (ms: number): string => (ms / 1000).toFixed(1);

/** What is to be made again: since when, what came since, and that it is done, or why it will not be. */
import { send } from "../core/api";
import { find, h, setText } from "../core/dom";
import { problemMessage } from "../core/messages";
import { t } from "../core/page";
import { dateTime } from "../core/time";
import { markTitle } from "../core/title-marks";
import type { Exam, Repeat } from "../core/types";

/** Said aloud when the number changes, and in the title while there are any. */
export function tellRepeats(exams: readonly Exam[]): void {
  const count = exams.filter((exam) => exam.repeat?.open).length;
  markTitle("repeat", count > 0 ? `(${count})` : "");
  setText(find("#repeat-line"), count > 0 ? t("ui.exams.repeat.waiting", { count }) : "");
}

export function repeatNotes(exam: Exam, changed: () => void): HTMLElement[] {
  const { repeat } = exam;
  if (!repeat) return [];
  const line = (text: string): HTMLElement => h("span", { class: "note-line" }, text);
  const notes: HTMLElement[] = [];
  if (repeat.open) notes.push(line(t("ui.exams.repeat.asked", { time: dateTime(repeat.asked_at) })));
  if (repeat.answer_at) {
    const time = dateTime(repeat.answer_at);
    notes.push(line(t(repeat.open ? "ui.exams.repeat.maybe" : "ui.exams.repeat.answered", { time })));
  }
  if (repeat.open) notes.push(closing(exam, repeat, changed));
  return notes;
}

function closing(exam: Exam, repeat: Repeat, changed: () => void): HTMLElement {
  const messages = h("div", { class: "messages" });
  const close = async (reason: string): Promise<void> => {
    try {
      const path = `/api/v1/studies/${encodeURIComponent(exam.study_instance_uid)}/repeat/close`;
      await send("POST", path, { reason });
      changed();
    } catch (cause) {
      messages.replaceChildren(problemMessage(cause));
    }
  };
  const why = h("input", { type: "text", required: true, maxlength: "400", autocomplete: "off" });
  const form = h(
    "form",
    {
      onsubmit: (event: SubmitEvent) => {
        event.preventDefault();
        void close(why.value.trim());
      },
    },
    h("label", {}, t("ui.exams.repeat.reason"), why),
    h("button", { type: "submit", class: "small" }, t("ui.exams.repeat.close_now")),
  );
  const details = h("details", {}, h("summary", {}, t("ui.exams.repeat.close")), form);
  details.addEventListener("toggle", () => details.open && why.focus());
  const done = h(
    "button",
    { type: "button", class: "small primary", onclick: () => void close("") },
    t("ui.exams.repeat.done"),
  );
  return h("div", { class: "close-repeat" }, repeat.answer_at && done, details, messages);
}

/** The keys of corrections: from question to question, into one, and its answer sent. */
import type { Command } from "../core/keys";
import { enter, FocusRows, leaveField, submitHere } from "../core/rows";

const rows = new FocusRows("article.correction");

export const commands: readonly Command[] = [
  { keys: ["j"], label: "ui.key.next_question", run: () => rows.move(1) },
  { keys: ["k"], label: "ui.key.previous_question", run: () => rows.move(-1) },
  { keys: ["Enter", "e"], label: "ui.key.answer", run: () => enter(rows.current) },
  { keys: ["/"], label: "ui.correction.search", run: () => enter(rows.current, "input[type=search]") },
  {
    keys: ["r"],
    label: "ui.key.resident",
    run: () => enter(document.querySelector("#residents"), "input[type=search]"),
  },
  {
    keys: ["Ctrl+Enter"],
    label: "ui.key.send_form",
    run: () => submitHere("form.decide"),
    whileTyping: true,
  },
  { keys: ["Escape"], label: "ui.key.leave_field", run: leaveField, whileTyping: true },
];

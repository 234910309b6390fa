/** The technician's keys: send, see what became of it, print, and order. */
import { toCriticalCard } from "../core/critical-key";
import type { Command } from "../core/keys";
import { enter, FocusRows, leaveField, submitHere } from "../core/rows";

const rows = new FocusRows("#exam-rows tr");
const [files, folder] = Array.from(
  document.querySelectorAll<HTMLInputElement>("#drop-zone input[type=file]"),
);

export const commands: readonly Command[] = [
  { keys: ["f"], label: "ui.key.choose_files", run: () => files?.click() },
  { keys: ["d"], label: "ui.key.choose_folder", run: () => folder?.click() },
  { keys: ["t"], label: "ui.key.send_now", run: () => press("#upload-notes .waiting button") },
  { keys: ["l"], label: "ui.key.upload_list", run: () => press("#upload-details:not([hidden]) summary") },
  { keys: ["j"], label: "ui.key.next_exam", run: () => rows.move(1) },
  { keys: ["k"], label: "ui.key.previous_exam", run: () => rows.move(-1) },
  { keys: ["p"], label: "ui.key.report_pdf", run: () => press("td.action a", rows.current) },
  { keys: ["w"], label: "ui.exams.wrong_person", run: () => press("a.wrong-person", rows.current) },
  { keys: ["x"], label: "ui.key.repeat_done", run: settleRepeat },
  { keys: ["o"], label: "ui.key.new_order", run: newOrder },
  { keys: ["i"], label: "ui.key.order_file", run: () => press("#order-csv") },
  toCriticalCard,
  { keys: ["Ctrl+Enter"], label: "ui.key.send_form", run: () => submitHere("form"), whileTyping: true },
  { keys: ["Escape"], label: "ui.key.leave_field", run: leaveField, whileTyping: true },
];

function press(selector: string, within: ParentNode | null = document): boolean {
  const found = within?.querySelector<HTMLElement>(selector);
  found?.click();
  return found !== null && found !== undefined;
}

/** In the row with the focus, else in the first one that waits: to what can be said of it. */
function settleRepeat(): boolean {
  const place = (rows.current ?? document).querySelector<HTMLElement>(".close-repeat");
  return enter(place, "button.primary, summary, input");
}

function newOrder(): void {
  const name = document.querySelector<HTMLElement>("#o-name");
  name?.focus();
  name?.scrollIntoView({ block: "center" });
}

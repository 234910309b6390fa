/** The family doctor's keys: one report after the other, opened, printed and acknowledged. */

import { toCriticalCard } from "../core/critical-key";
import type { Command } from "../core/keys";
import { FocusRows, leaveField, submitHere } from "../core/rows";

const rows = new FocusRows(".delivery");

export const commands: readonly Command[] = [
  { keys: ["j"], label: "ui.key.next", run: () => rows.move(1) },
  { keys: ["k"], label: "ui.key.previous", run: () => rows.move(-1) },
  { keys: ["Enter", "o"], label: "ui.key.unfold", run: unfold },
  { keys: ["p"], label: "ui.key.report_pdf", run: () => press("a.pdf") },
  { keys: ["c"], label: "ui.key.acknowledge", run: () => press("form button") },
  { keys: ["n"], label: "ui.key.acknowledge_normal", run: acknowledgeNormal },
  { keys: ["v"], label: "ui.key.other_view", run: otherView },
  toCriticalCard,
  {
    keys: ["Ctrl+Enter"],
    label: "ui.key.send_form",
    run: () => submitHere("#critical-values form"),
    whileTyping: true,
  },
  { keys: ["Escape"], label: "ui.key.leave_field", run: leaveField, whileTyping: true },
];

function unfold(): boolean {
  const details = rows.current?.querySelector("details");
  if (details) details.open = !details.open;
  return details !== null && details !== undefined;
}

function press(selector: string): boolean {
  const row = rows.current;
  const found = row?.querySelector<HTMLElement>(selector);
  if (!row || !found) return false;
  found.click();
  // An acknowledged report loses its button; the keys go on from the same one.
  row.focus();
  return true;
}

function acknowledgeNormal(): boolean {
  const button = document.querySelector<HTMLButtonElement>("#acknowledge-normal:not([hidden])");
  button?.click();
  return button !== null;
}

function otherView(): boolean {
  const link = document.querySelector<HTMLAnchorElement>(".views a:not([aria-current])");
  link?.click();
  return link !== null;
}

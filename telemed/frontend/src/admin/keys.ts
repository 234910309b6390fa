/** The keys of the administrator's pages: rows to walk through, forms to open, fill in and save. */
import { find } from "../core/dom";
import type { Command } from "../core/keys";
import type { Entry } from "../core/palette";
import { enter, FocusRows, leaveField, seen, submitHere } from "../core/rows";

const main = find<HTMLElement>("#main");
const rows = new FocusRows(
  "#main tbody tr, #main .model, #main .notice, #main form.signing, #main details.add, #main .own-password",
);
const FIELDS = "input:not([type=hidden]), select, textarea";
const REMOVES = "form[data-method=DELETE] button, form[data-removes] button";

export const commands: readonly Command[] = [
  { keys: ["j"], label: "ui.key.next_row", run: () => rows.move(1) },
  { keys: ["k"], label: "ui.key.previous_row", run: () => rows.move(-1) },
  { keys: ["Enter"], label: "ui.key.into_row", run: () => enter(rows.current) },
  { keys: ["a"], label: "ui.key.add_here", run: () => unfold(adding()) },
  { keys: ["e"], label: "ui.key.change_row", run: () => unfold(rows.current?.querySelector("details")) },
  // To the button, not upon it: what is removed is pressed by its own name.
  { keys: ["Delete"], label: "ui.key.remove_row", run: () => enter(rows.current, REMOVES) },
  { keys: ["Ctrl+Enter"], label: "ui.key.save", run: () => submitHere("#main form"), whileTyping: true },
  { keys: ["Escape"], label: "ui.key.fold", run: fold, whileTyping: true },
];

/** Every button and every form that can be seen, by what it is about: asked for when the palette opens. */
export function named(): Entry[] {
  const all = main.querySelectorAll<HTMLElement>(
    "summary, form[data-api] button[type=submit]:not(:disabled)",
  );
  return Array.from(all)
    .filter(seen)
    .map((one) => ({
      label: `${subject(one)} · ${one.textContent?.trim() ?? ""}`,
      keys: [],
      run: () => (one.tagName === "SUMMARY" ? unfold(one.closest("details")) : one.click()),
    }));
}

function subject(element: Element): string {
  const row = element.closest("tbody tr");
  if (row) return text(row.querySelector("td"));
  const notice = element.closest(".notice");
  if (notice) return text(notice.querySelector("p")).slice(0, 40);
  return text(element.closest("form.signing, .model")?.querySelector("h3") ?? headingOf(element));
}

function text(element: Element | null | undefined): string {
  return element?.textContent?.trim() ?? "";
}

/** The last heading above it: a section may have several parts. */
function headingOf(element: Element): Element | null {
  const headings = Array.from(main.querySelectorAll("h1, h2, section > h3"));
  const above = headings.filter(
    (one) => one.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING,
  );
  return above[above.length - 1] ?? null;
}

/** The form that adds to the part where the focus stands, or the first one below it. */
function adding(): Element | null {
  const forms = Array.from(main.querySelectorAll("details.add"));
  const from = document.activeElement;
  if (!from || !main.contains(from)) return forms[0] ?? null;
  const here = from.closest("details.add");
  const below = forms.find((one) => from.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING);
  return here ?? below ?? null;
}

function unfold(details: Element | null | undefined): boolean {
  if (!(details instanceof HTMLDetailsElement)) return false;
  details.open = true;
  if (!enter(details, FIELDS)) enter(details);
  details.scrollIntoView({ block: "nearest" });
  return true;
}

/** One step a press: out of the field, then the form is folded again. */
function fold(): boolean {
  if (leaveField()) return true;
  const open = main.querySelector<HTMLDetailsElement>("details.add[open], details.change[open]");
  if (!open) return false;
  open.open = false;
  open.querySelector("summary")?.focus();
  return true;
}

/** Rows that keys walk through: the focus stands on one of them, or in it. */
export class FocusRows {
  private readonly selector: string;

  constructor(selector: string) {
    this.selector = selector;
  }

  get current(): HTMLElement | null {
    return document.activeElement?.closest<HTMLElement>(this.selector) ?? null;
  }

  /** From the row with the focus, or from the first one below it; false at the ends, the key then scrolls. */
  move(step: number): boolean {
    const rows = Array.from(document.querySelectorAll<HTMLElement>(this.selector)).filter(seen);
    const here = this.current;
    const at = here ? rows.indexOf(here) + step : this.firstBelow(rows, step);
    const row = rows[at];
    if (!row) return false;
    if (row.tabIndex < 0) row.tabIndex = -1;
    row.focus();
    row.scrollIntoView({ block: "nearest" });
    return true;
  }

  private firstBelow(rows: readonly HTMLElement[], step: number): number {
    const from = document.activeElement;
    if (!from || from === document.body) return step > 0 ? 0 : -1;
    const below = rows.findIndex(
      (row) => from.compareDocumentPosition(row) & Node.DOCUMENT_POSITION_FOLLOWING,
    );
    return step > 0 ? below : (below < 0 ? rows.length : below) - 1;
  }
}

/** A closed details element hides what it holds, and not its own summary. */
export function seen(element: HTMLElement): boolean {
  const holder = element.tagName === "SUMMARY" ? element.parentElement?.parentElement : element.parentElement;
  return !holder?.closest("details:not([open])") && !element.closest("[hidden]");
}

/** The button of the form somebody is in; pressed like by hand, so that a form on its way is not sent twice. */
export function submitHere(selector: string): boolean {
  const form = document.activeElement?.closest<HTMLFormElement>(selector);
  const button = form?.querySelector<HTMLButtonElement>("button[type=submit], button:not([type])");
  button?.click();
  return button !== null && button !== undefined;
}

/** To the first thing in it that can be filled in or pressed. */
export function enter(element: Element | null | undefined, selector = CONTROLS): boolean {
  const found = Array.from(element?.querySelectorAll<HTMLElement>(selector) ?? []).find(seen);
  found?.focus();
  return found !== undefined;
}

const CONTROLS =
  "input:not([type=hidden]):not(:disabled), select:not(:disabled), textarea, button:not(:disabled), summary, a[href]";

/** Out of a field: its letters are keys again. */
export function leaveField(): boolean {
  const field = document.activeElement;
  if (!(field instanceof HTMLElement) || !field.matches("input, select, textarea")) return false;
  field.blur();
  return true;
}

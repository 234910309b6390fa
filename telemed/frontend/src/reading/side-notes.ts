/** What a reader must know of other cases than the open one: beside the work, with one key to go there. */
import { h } from "../core/dom";
import { message, type Tone } from "../core/messages";
import { t } from "../core/page";

export interface SideNote {
  /** One note for one thing: what is told again takes its place. */
  key: string;
  /** The case it leads to. */
  caseId: string;
  tone: Tone;
  text: string;
  go: string;
}

/** More would hide the work; the others are counted, and come as these are dealt with. */
const SHOWN = 3;

export class SideNotes {
  readonly element = h("aside", { class: "side-notes", hidden: true, "aria-label": t("ui.side.title") });
  /** The first is the one that the key leads to. */
  private notes: SideNote[] = [];
  private readonly shown = new Map<string, { note: SideNote; element: HTMLElement }>();
  private readonly rest = h("p", { class: "muted" });
  private readonly open: (caseId: string) => void;

  constructor(open: (caseId: string) => void) {
    this.open = open;
  }

  /** What failed stands before what merely came. */
  tell(note: SideNote): void {
    this.notes = this.notes.filter(({ key }) => key !== note.key);
    const first = this.notes.findIndex(({ tone }) => tone !== "problem");
    if (note.tone === "problem") this.notes.unshift(note);
    else this.notes.splice(first < 0 ? this.notes.length : first, 0, note);
    this.draw();
  }

  /** No longer so. */
  withdraw(gone: (note: SideNote) => boolean): void {
    const before = this.notes.length;
    this.notes = this.notes.filter((note) => !gone(note));
    if (this.notes.length !== before) this.draw();
  }

  /** The reader is there. */
  reached(caseId: string): void {
    this.withdraw((note) => note.caseId === caseId);
  }

  /** One key: to what stands first. */
  go(): boolean {
    const [first] = this.notes;
    if (first) this.open(first.caseId);
    return first !== undefined;
  }

  /** One key: seen, and nothing to be done. */
  dismiss(): boolean {
    const [first] = this.notes;
    if (first) this.withdraw((note) => note === first);
    return first !== undefined;
  }

  /** Those that stay are not touched: what is read aloud already is not read again. */
  private draw(): void {
    const wanted = this.notes.slice(0, SHOWN);
    for (const [key, { note, element }] of this.shown) {
      if (wanted.includes(note)) continue;
      element.remove();
      this.shown.delete(key);
    }
    wanted.forEach((note, index) => {
      const known = this.shown.get(note.key);
      const element = known?.element ?? this.noteElement(note);
      if (!known) this.shown.set(note.key, { note, element });
      const there = this.element.children[index] ?? null;
      if (there !== element) this.element.insertBefore(element, there);
    });
    const more = this.notes.length - wanted.length;
    this.rest.textContent = t("ui.side.more", { count: more });
    this.rest.hidden = more === 0;
    this.element.append(this.rest);
    this.element.hidden = wanted.length === 0;
  }

  private noteElement(note: SideNote): HTMLElement {
    const element = message(note.tone, note.text, [
      { label: note.go, run: () => this.open(note.caseId) },
      { label: t("ui.close"), run: () => this.withdraw((one) => one === note) },
    ]);
    // The keys are of the first alone: the style sheet shows them there.
    for (const [at, button] of Array.from(element.querySelectorAll("button")).entries())
      button.append(h("kbd", {}, at === 0 ? "Alt + G" : "Alt + X"));
    return element;
  }
}

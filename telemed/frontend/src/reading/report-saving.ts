/** What became of the words that were typed: saved, on their way, written over by another, left by a crash. */
import type { Problem } from "../core/api";
import { h } from "../core/dom";
import { message, problemMessage } from "../core/messages";
import { t } from "../core/page";
import { clock } from "../core/time";
import type { Case } from "../core/types";
import type { Autosave, Fields, SaveState } from "./autosave";
import { blank, same } from "./report-form";

export class SaveLine {
  readonly element = h("span", { class: "save-state", role: "status" });
  private readonly notes: HTMLElement;
  /** What is said of the saving itself. */
  private fault: HTMLElement | null = null;
  /** The reader chose between two texts: the case is to be shown anew. */
  private readonly settle: (use: "theirs" | "mine") => Promise<void>;

  constructor(notes: HTMLElement, settle: (use: "theirs" | "mine") => Promise<void>) {
    this.notes = notes;
    this.settle = settle;
  }

  show(state: SaveState): void {
    this.element.className = `save-state ${state.name}`;
    this.element.textContent =
      state.name === "clean"
        ? ""
        : state.name === "saved"
          ? t("ui.save.saved", { time: clock(state.at) })
          : t(`ui.save.${state.name}`);
    if (state.name === "conflict") this.conflict(state.cause);
    if (state.name === "refused") this.tell(problemMessage(state.cause));
    // Saved is not signed: what stands there of a signature stays.
    if (state.name === "saved") this.fault?.remove();
  }

  conflict(cause: Problem): void {
    const choose = async (use: "theirs" | "mine"): Promise<void> => {
      try {
        this.notes.replaceChildren();
        await this.settle(use);
      } catch (problem) {
        this.notes.replaceChildren(problemMessage(problem));
      }
    };
    this.tell(
      problemMessage(cause, [
        { label: t("ui.conflict.theirs"), run: () => void choose("theirs") },
        { label: t("ui.conflict.mine"), run: () => void choose("mine") },
      ]),
    );
  }

  private tell(fault: HTMLElement): void {
    this.fault = fault;
    this.notes.replaceChildren(fault);
  }

  /** What a crashed tab or a lost line left behind, for whoever may still write. */
  offerCopy(item: Case, autosave: Autosave, writable: boolean, restore: (fields: Fields) => void): void {
    const copy = autosave.copy();
    if (!copy) return;
    if (same(copy.fields, item.report ?? blank)) {
      autosave.dropCopy();
      return;
    }
    if (!writable) return;
    const newer = (item.report?.revision ?? 0) !== copy.revision;
    const text = t(newer ? "ui.copy.found_older" : "ui.copy.found", { time: clock(copy.at) });
    const done = (run: () => void) => (): void => {
      run();
      this.notes.replaceChildren();
    };
    this.notes.replaceChildren(
      message("warning", text, [
        { label: t("ui.copy.restore"), run: done(() => restore(copy.fields)) },
        { label: t("ui.copy.drop"), run: done(() => autosave.dropCopy()) },
      ]),
    );
  }
}

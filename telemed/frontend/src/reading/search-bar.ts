/** One field for whoever is meant, one for the kind of exam. What is typed is sought by the server in all cases. */
import { h } from "../core/dom";
import { t } from "../core/page";
import { modalities, type Query } from "./worklist";

export interface SearchHost {
  changed(change: Partial<Query>): void;
  entered(): void;
}

const PAUSE = 220;

export class SearchBar {
  readonly field = h("input", {
    type: "search",
    class: "filter",
    placeholder: t("ui.list.search"),
    "aria-label": t("ui.list.search_label"),
    title: t("ui.list.search_label"),
    autocomplete: "off",
    spellcheck: "false",
  });
  readonly modality = h(
    "select",
    { class: "modality-filter", "aria-label": t("ui.list.modality") },
    h("option", { value: "" }, t("ui.list.modality_all")),
    ...modalities.map((name) => h("option", { value: name }, name)),
  );
  readonly element = h("div", { class: "search", role: "search" }, this.modality, this.field);
  private timer = 0;
  private readonly host: SearchHost;

  constructor(host: SearchHost) {
    this.host = host;
    this.field.addEventListener("input", (event) => {
      // While an input method composes, the letters are not yet what is meant.
      if (event instanceof InputEvent && event.isComposing) return;
      this.soon();
    });
    this.field.addEventListener("compositionend", () => this.soon());
    this.field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.isComposing) return;
      event.preventDefault();
      this.now();
      host.entered();
    });
    this.modality.addEventListener("change", () => host.changed({ modality: this.modality.value }));
  }

  /** Shows what the address says, without taking from somebody's hands what they are typing. */
  follow(query: Query): void {
    if (document.activeElement !== this.field) this.field.value = query.text;
    this.modality.value = query.modality;
  }

  /** The address changed by itself: its text counts. */
  reset(text: string): void {
    window.clearTimeout(this.timer);
    this.field.value = text;
  }

  private soon(): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.now(), PAUSE);
  }

  private now(): void {
    window.clearTimeout(this.timer);
    this.host.changed({ text: this.field.value.trim() });
  }
}

/** One field for whoever is meant, one for the kind of exam. What is typed is sought by the server in all cases. */
import { get } from "../core/api";
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
  readonly site = h(
    "select",
    { class: "modality-filter site-filter", "aria-label": t("ui.site.filter") },
    h("option", { value: "" }, t("ui.site.all")),
  );
  readonly element = h("div", { class: "search", role: "search" }, this.modality, this.site, this.field);
  private timer = 0;
  private wanted = "";
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
    this.site.addEventListener("change", () => host.changed({ site: this.site.value }));
    void this.fetchSites();
    this.modality.addEventListener("change", () => host.changed({ modality: this.modality.value }));
  }

  /** Shows what the address says, without taking from somebody's hands what they are typing. */
  follow(query: Query): void {
    if (document.activeElement !== this.field) this.field.value = query.text;
    this.modality.value = query.modality;
    this.wanted = query.site;
    this.site.value = query.site;
  }

  /** The address changed by itself: its text counts. */
  reset(text: string): void {
    window.clearTimeout(this.timer);
    this.field.value = text;
  }

  private async fetchSites(): Promise<void> {
    try {
      const sites = await get<{ id: string; name: string }[]>("/api/v1/worklist/sites");
      this.site.append(...sites.map(({ id, name }) => h("option", { value: id }, name)));
      this.site.value = this.wanted;
    } catch (cause) {
      // Without them the list is whole; the next page asks again.
      console.warn("the names of the sites are not there", cause);
    }
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

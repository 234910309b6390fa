/** Every action by its name: type a part of it, Enter does it. It stands beside the work, and takes no focus trap. */
import { h } from "./dom";
import { keyName } from "./keys";
import { t } from "./page";

export interface Entry {
  label: string;
  keys: readonly string[];
  run: () => unknown;
}

export class Palette {
  readonly element: HTMLElement;
  private readonly field = h("input", {
    type: "text",
    role: "combobox",
    "aria-expanded": "true",
    "aria-controls": "palette-list",
    "aria-label": t("ui.palette.title"),
    autocomplete: "off",
  });
  private readonly found = h("ul", {
    id: "palette-list",
    role: "listbox",
    "aria-label": t("ui.palette.title"),
  });
  private readonly before = document.activeElement;
  private at = 0;
  private shown: Entry[] = [];
  private readonly all: readonly Entry[];
  private readonly search: ((text: string) => Entry) | undefined;
  private readonly close: () => void;

  constructor(all: readonly Entry[], close: () => void, search?: (text: string) => Entry) {
    this.all = all;
    this.search = search;
    this.close = close;
    this.field.placeholder = t(search ? "ui.palette.placeholder" : "ui.palette.placeholder_commands");
    this.field.addEventListener("input", () => this.filter());
    this.field.addEventListener("keydown", (event) => this.onKey(event));
    this.element = h(
      "section",
      { class: "palette", "aria-label": t("ui.palette.title") },
      this.field,
      this.found,
    );
    this.filter();
  }

  open(parent: HTMLElement): void {
    parent.append(this.element);
    this.field.focus();
  }

  leave(): void {
    this.element.remove();
    if (this.before instanceof HTMLElement) this.before.focus();
  }

  private filter(): void {
    const text = this.field.value.trim();
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    this.shown = this.all.filter(({ label }) => words.every((word) => label.toLowerCase().includes(word)));
    if (text && this.search) this.shown.push(this.search(text));
    this.at = 0;
    this.draw();
  }

  private draw(): void {
    this.found.replaceChildren(
      ...this.shown.map((entry, index) =>
        h(
          "li",
          {
            role: "option",
            id: `palette-${index}`,
            "aria-selected": String(index === this.at),
            onclick: () => this.take(entry),
          },
          h("span", {}, entry.label),
          h("span", {}, ...entry.keys.map((key) => h("kbd", {}, keyName(key)))),
        ),
      ),
    );
    if (this.shown.length === 0)
      this.found.append(h("li", { role: "option", "aria-disabled": "true" }, t("ui.palette.none")));
    this.field.setAttribute("aria-activedescendant", this.shown.length > 0 ? `palette-${this.at}` : "");
    this.found.children[this.at]?.scrollIntoView({ block: "nearest" });
  }

  private onKey(event: KeyboardEvent): void {
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      this.at = (this.at + step + this.shown.length) % Math.max(1, this.shown.length);
      this.draw();
    } else if (event.key === "Enter") {
      const entry = this.shown[this.at];
      if (entry) this.take(entry);
    } else if (event.key === "Escape") this.close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  private take(entry: Entry): void {
    this.close();
    entry.run();
  }
}

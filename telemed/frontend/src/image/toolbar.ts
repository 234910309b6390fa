/** Tools and settings above the pictures; each has its key. */
import { h, setText } from "../core/dom";
import { keyName } from "../core/keys";
import { type TextKey, t } from "../core/page";
import type { ImageStation } from "./station";
import { type ToolName, tools } from "./tools";

interface Button {
  element: HTMLButtonElement;
  pressed: () => boolean | undefined;
}

export interface ToolbarHost {
  trueSize(): void;
  compare(): void;
  toggleKey(): void;
  nextKey(): void;
  isKey(): boolean;
  keyNote(): string;
  note(text: string): void;
  keys(): number;
}

export class Toolbar {
  readonly element = h("div", { class: "stage-tools image-tools" });
  private readonly station: ImageStation;
  private readonly attention: HTMLElement;
  private readonly host: ToolbarHost;
  private buttons: Button[] = [];
  private readonly pager = h("span", { class: "pager" });
  private readonly next = h("button", { type: "button", class: "quiet", hidden: true });
  private readonly note = h("input", {
    class: "key-note",
    maxlength: 120,
    hidden: true,
    placeholder: t("ui.image.key.note"),
    "aria-label": t("ui.image.key.note"),
  });
  private waiting = 0;
  private fitted = "";

  constructor(station: ImageStation, attention: HTMLElement, host: ToolbarHost) {
    this.station = station;
    this.host = host;
    this.attention = attention;
  }

  opened(): void {
    this.fitted = this.kind;
    this.build();
    this.update();
  }

  /** What the buttons depend on: other pictures have other windows, and only a stack is leafed by a tool. */
  private get kind(): string {
    const { view, presets } = this.station;
    return JSON.stringify([view.count > 1, presets]);
  }

  private build(): void {
    const { station } = this;
    const { view } = station;
    this.buttons = [];
    const names = Object.keys(tools) as ToolName[];
    const fitting = names.filter((name) => name !== "scroll" || view.count > 1);
    this.element.replaceChildren(
      this.group(
        "ui.image.tools",
        fitting.map((name) =>
          this.button(
            tools[name].label,
            tools[name].key,
            () => station.setTool(name),
            () => station.tool === name,
          ),
        ),
      ),
      this.group(
        "ui.image.windows",
        station.presets.map(({ label, window }, index) =>
          this.button(
            label,
            String(index + 1),
            () => station.preset(index),
            () => isShown(view.window, window),
          ),
        ),
      ),
      this.group("ui.image.view", [
        this.button("ui.picture.fit", "0", () => view.fit()),
        this.button("ui.image.one_to_one", "v", () => view.oneToOne()),
        this.button("ui.image.true_size", "t", () => this.host.trueSize()),
        this.button(
          "ui.picture.invert",
          "i",
          () => view.invert(),
          () => view.inverted,
        ),
        this.button("ui.image.rotate", ".", () => view.rotate(90)),
        this.button("ui.image.flip", "f", () => view.flip()),
        this.button(
          "ui.image.compare",
          "q",
          () => this.host.compare(),
          () => station.comparing,
        ),
        this.button("ui.image.reset", "Home", () => view.reset()),
        ...(view.count > 1
          ? [
              this.button(
                "ui.image.cine",
                "Space",
                () => station.cine(),
                () => view.playing,
              ),
            ]
          : []),
      ]),
      this.group("ui.image.keys", [
        this.button(
          "ui.image.key",
          "y",
          () => this.host.toggleKey(),
          () => this.host.isKey(),
        ),
        this.next,
        this.note,
      ]),
      this.attention,
      this.pager,
    );
    this.note.onchange = () => this.host.note(this.note.value);
    this.note.onkeydown = (event) => {
      if (event.isComposing || (event.key !== "Enter" && event.key !== "Escape")) return;
      // Back to the picture, with what was written or without it; the page's own Escape is not meant.
      event.preventDefault();
      if (event.key === "Escape") this.note.value = this.host.keyNote();
      this.note.blur();
    };
    this.next.onclick = () => this.host.nextKey();
  }

  /** Once for each frame of the screen, however often something moves. */
  update(): void {
    if (this.waiting !== 0) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = 0;
      if (this.fitted !== "" && this.fitted !== this.kind) {
        this.fitted = this.kind;
        this.build();
      }
      for (const { element, pressed } of this.buttons) {
        const state = pressed();
        if (state !== undefined) element.setAttribute("aria-pressed", String(state));
      }
      const keys = this.host.keys();
      this.next.hidden = keys === 0;
      setText(this.next, t("ui.image.key.next", { count: keys }));
      this.note.hidden = !this.host.isKey();
      if (document.activeElement !== this.note) this.note.value = this.host.keyNote();
      const { number, count } = this.station.number;
      setText(this.pager, count > 1 ? t("ui.picture.number", { number, count }) : "");
    });
  }

  writeNote(): void {
    this.note.hidden = false;
    this.note.focus();
  }

  private group(label: TextKey, buttons: HTMLElement[]): HTMLElement {
    return h("span", { class: "tool-group", role: "group", "aria-label": t(label) }, ...buttons);
  }

  private button(
    label: TextKey,
    key: string,
    run: () => unknown,
    pressed: () => boolean | undefined = () => undefined,
  ): HTMLElement {
    const element = h(
      "button",
      { type: "button", class: "quiet", title: `${t(label)} (${keyName(key)})`, onclick: () => void run() },
      t(label),
    );
    this.buttons.push({ element, pressed });
    return element;
  }
}

function isShown(
  now: { center: number; width: number } | null,
  preset: { center: number; width: number } | null,
): boolean {
  if (!now || !preset) return now === preset;
  return now.center === preset.center && now.width === preset.width;
}

/** The templates of this exam, one key press each. */
import { h } from "../core/dom";
import { t } from "../core/page";
import type { ReportText } from "./texts";

export function templateList(
  place: HTMLElement,
  templates: readonly ReportText[],
  take: (text: ReportText) => void,
): void {
  const before = document.activeElement;
  const close = (): void => {
    list.remove();
    if (before instanceof HTMLElement && before.isConnected) before.focus();
  };
  const buttons = templates.map((text, index) =>
    h(
      "button",
      {
        type: "button",
        onclick: () => {
          close();
          take(text);
        },
      },
      text.title,
      h("kbd", {}, index < 9 ? String(index + 1) : `;${text.code}`),
    ),
  );
  const list = h(
    "div",
    {
      class: "ask templates",
      role: "group",
      "aria-label": t("ui.templates.title"),
      onkeydown: (event: KeyboardEvent) => {
        const at = buttons.findIndex((button) => button.contains(document.activeElement));
        const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
        if (event.key === "Escape") close();
        else if (step) buttons[(at + step + buttons.length) % buttons.length]?.focus();
        else if (/^[1-9]$/.test(event.key)) buttons[Number(event.key) - 1]?.click();
        else return;
        event.preventDefault();
        event.stopPropagation();
      },
    },
    h("strong", {}, t("ui.templates.title")),
    buttons.length === 0 && h("p", { class: "muted" }, t("ui.templates.none")),
    h(
      "div",
      { class: "choices" },
      ...buttons,
      h("button", { type: "button", onclick: close }, t("ui.cancel")),
    ),
  );
  place.replaceChildren(list);
  list.querySelector("button")?.focus();
}

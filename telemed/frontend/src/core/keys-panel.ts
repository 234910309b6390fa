/** The keys of this page, beside the work. */
import { h } from "./dom";
import { type Command, keyName, setSingleKeys, singleKeys, words } from "./keys";
import { t } from "./page";

export interface Group {
  title: string;
  commands: readonly Command[];
}

export function keysPanel(groups: readonly Group[], close: () => void): HTMLElement {
  const setting = h("input", {
    type: "checkbox",
    checked: singleKeys(),
    onchange: () => setSingleKeys(setting.checked),
  });
  return h(
    "aside",
    { class: "keys-panel", "aria-label": t("ui.keys.title") },
    h(
      "header",
      {},
      h("h2", {}, t("ui.keys.title")),
      h("button", { type: "button", class: "quiet", onclick: close }, t("ui.close"), h("kbd", {}, "Esc")),
    ),
    ...groups.map((group) =>
      h(
        "section",
        {},
        h("h3", {}, group.title),
        h(
          "dl",
          {},
          ...group.commands.map((command) =>
            h(
              "div",
              {},
              h("dt", {}, ...command.keys.map((key) => h("kbd", {}, keyName(key)))),
              h("dd", {}, words(command)),
            ),
          ),
        ),
      ),
    ),
    h("label", {}, setting, t("ui.keys.single")),
  );
}

/** The keys of every page but the reading room, which has its own: the page's actions, its places, and the help. */
import { find, h } from "./dom";
import { entries, KeyHelp } from "./key-help";
import { type Command, obey } from "./keys";
import { t } from "./page";
import type { Entry } from "./palette";

/** The row of digits from left to right: a page has no more places than that. */
const DIGITS = "1234567890-=";

/** `more` are actions that have a name and no key of their own; it is asked when the palette opens. */
export function pageKeys(own: readonly Command[], more: () => readonly Entry[] = () => []): void {
  const places = placeCommands();
  const help = new KeyHelp(document.body, {
    groups: () => [
      { title: t("ui.keys.page"), commands: [...own, ...help.commands] },
      { title: t("ui.keys.places"), commands: places },
    ],
    entries: () => [...entries([...own, ...places]), ...more(), ...session()],
  });
  const close: Command = { keys: ["Escape"], label: "ui.close", run: () => help.closeKeys() };
  obey(() => [close, ...own, ...places, ...help.commands]);
  find(".session").prepend(
    h(
      "button",
      {
        type: "button",
        class: "quiet keys-button",
        title: t("ui.keys.title"),
        "aria-label": t("ui.keys.title"),
        onclick: () => help.toggleKeys(),
      },
      h("kbd", { "aria-hidden": "true" }, "?"),
    ),
  );
}

/** The contents of a long page, else the doors of this person. */
function placeCommands(): Command[] {
  const inside = Array.from(document.querySelectorAll<HTMLAnchorElement>(".contents a"));
  const doors = Array.from(document.querySelectorAll<HTMLAnchorElement>(".masthead nav a"));
  return (inside.length > 0 ? inside : doors).slice(0, DIGITS.length).map((link, index) => ({
    keys: [DIGITS.charAt(index)],
    label: "ui.key.place",
    text: link.textContent?.trim() ?? "",
    run: () => follow(link),
  }));
}

/** A place of this page takes the focus too: keys go on from there. */
function follow(link: HTMLAnchorElement): void {
  link.click();
  const fragment = link.getAttribute("href")?.match(/^#(.+)$/)?.[1];
  const heading = fragment && document.getElementById(fragment)?.querySelector<HTMLElement>("h2");
  if (!heading) return;
  heading.tabIndex = -1;
  heading.focus();
}

/** Language, account and sign-out, by the words they have on the page. */
export function session(): Entry[] {
  const all = document.querySelectorAll<HTMLElement>(".session a, .session button:not(.keys-button)");
  return Array.from(all, (one) => ({
    label: one.title || (one.textContent?.trim() ?? ""),
    keys: [],
    run: () => one.click(),
  }));
}

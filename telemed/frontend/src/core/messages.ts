/** What went wrong or well, in the page and never over it. */
import { explain, isSignedOut } from "./api";
import { h } from "./dom";
import { t } from "./page";

export type Tone = "problem" | "warning" | "good";

export interface Choice {
  label: string;
  run: () => void;
}

export function message(tone: Tone, text: string, choices: readonly Choice[] = []): HTMLElement {
  const buttons = choices.map((choice) =>
    h("button", { type: "button", class: "small", onclick: choice.run }, choice.label),
  );
  return h(
    "div",
    { class: `message ${tone}`, role: tone === "problem" ? "alert" : "status" },
    h("p", {}, text),
    buttons.length > 0 && h("div", { class: "choices" }, ...buttons),
  );
}

export function problemMessage(cause: unknown, choices: readonly Choice[] = []): HTMLElement {
  const element = message("problem", explain(cause), choices);
  if (isSignedOut(cause)) {
    const next = encodeURIComponent(location.pathname + location.search);
    element.append(h("a", { href: `/sign-in?next=${next}` }, t("ui.sign_in_again")));
  }
  return element;
}

/** Every page: what one is told, the language switch, and a sign-out that leaves no draft behind in this browser. */
import { explain, send } from "../core/api";
import { page } from "../core/page";
import { forgetAll } from "../core/storage";
import { startTold } from "../core/told";

const DRAFTS = "telemed.draft.";

const told = document.querySelector<HTMLElement>("#told");
if (told) startTold(told);

for (const form of Array.from(document.querySelectorAll<HTMLFormElement>("form[data-sign-out]"))) {
  form.addEventListener("submit", () => forgetAll(DRAFTS));
}

for (const link of Array.from(document.querySelectorAll<HTMLAnchorElement>("a[data-language]"))) {
  link.addEventListener("click", async (event) => {
    // Before sign-in there is no one whose language could be kept: the link itself asks for it.
    if (!page.user) return;
    event.preventDefault();
    try {
      await send("POST", "/api/v1/session/language", { language: link.dataset.language });
      location.reload();
    } catch (cause) {
      link.title = explain(cause);
      location.href = link.href;
    }
  });
}

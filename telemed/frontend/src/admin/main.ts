/** The administrator's buttons: each says what it calls, and the page is read again after it. */
import { send } from "../core/api";
import { find } from "../core/dom";
import { message, problemMessage } from "../core/messages";
import { pageKeys } from "../core/page-keys";
import { dependentChoices } from "./choices";
import { commands, named } from "./keys";
import { readAgain, sayWhatWasSaved } from "./saved";

dependentChoices();
pageKeys(commands, named);
sayWhatWasSaved();

for (const form of Array.from(document.querySelectorAll<HTMLFormElement>("form[data-api]"))) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = find<HTMLButtonElement>("button[type=submit]", form);
    const messages = find<HTMLElement>(".messages", form);
    button.disabled = true;
    try {
      const method = form.dataset.method as "PUT" | "DELETE" | undefined;
      await send(method ?? "POST", form.dataset.api ?? "", Object.fromEntries(new FormData(form)));
      const { done } = form.dataset;
      if (!done) return readAgain(form);
      messages.replaceChildren(message("good", done));
      form.reset();
      button.disabled = false;
    } catch (cause) {
      messages.replaceChildren(problemMessage(cause));
      button.disabled = false;
    }
  });
}

// A model may be approved only by someone who has its card open.
for (const card of Array.from(document.querySelectorAll<HTMLDetailsElement>("details[data-card]"))) {
  const buttons = card.closest(".model")?.querySelectorAll<HTMLButtonElement>("button[data-needs-card]");
  card.addEventListener("toggle", () => {
    if (card.open) for (const button of Array.from(buttons ?? [])) button.disabled = false;
  });
}

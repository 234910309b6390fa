/** A page that is read again says what was just saved, where it was done. */
import { message } from "../core/messages";
import { t } from "../core/page";

const KEY = "telemed.saved";

interface Saved {
  path: string;
  api: string | null;
  method: string | null;
  section: string | null;
}

export function readAgain(form: HTMLFormElement): void {
  const saved: Saved = {
    path: location.pathname,
    api: form.getAttribute("data-api"),
    method: form.getAttribute("data-method"),
    section: form.closest("section[id]")?.id ?? null,
  };
  try {
    sessionStorage.setItem(KEY, JSON.stringify(saved));
  } catch (cause) {
    console.warn("the next page will not say what was saved", cause);
  }
  location.reload();
}

export function sayWhatWasSaved(): void {
  const saved = taken();
  if (saved?.path !== location.pathname) return;
  const word = message("good", t("ui.saved"));
  const form = Array.from(document.querySelectorAll<HTMLFormElement>("form[data-api]")).find(
    (one) => one.getAttribute("data-api") === saved.api && one.getAttribute("data-method") === saved.method,
  );
  // What is folded up again shows nothing inside of it; what is gone with its row left its section.
  const folded = form?.closest("details:not([open])");
  const section = saved.section === null ? null : document.getElementById(saved.section);
  if (folded) folded.before(word);
  else if (form) form.querySelector(".messages")?.replaceChildren(word);
  else (section?.querySelector("h2") ?? document.querySelector("main h1"))?.after(word);
}

function taken(): Saved | null {
  try {
    const text = sessionStorage.getItem(KEY);
    sessionStorage.removeItem(KEY);
    return text === null ? null : (JSON.parse(text) as Saved);
  } catch (cause) {
    console.warn("it is not known what was saved", cause);
    return null;
  }
}

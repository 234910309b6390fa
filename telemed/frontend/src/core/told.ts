/** What this person was told by name or at their institution: it stays on every page until it was read. */
import { get, send } from "./api";
import { h } from "./dom";
import { problemMessage } from "./messages";
import { t } from "./page";

interface Told {
  id: string;
  code: string;
  text: string;
  created_at: string;
  about: { name: string; patient_id: string } | null;
}

const EVERY = 60_000;
/** Something happened that this person may have been told of: asked for now, not at the next round. */
export const TOLD = "telemed-told";
const SHOWN = new Set([
  "notice.report_withdrawn",
  "notice.case_withdrawn",
  "notice.critical_withdrawn",
  "notice.critical_withdrawn_here",
  "notice.patient_corrected",
  "notice.not_your_resident",
  "notice.earlier_exams_of_another",
  "notice.recording_moved",
  "notice.objects_missing",
  "notice.archive_holds_former",
  "notice.case_taken_over",
  "notice.report_revised",
]);

/** What somebody may have acted on about the wrong person. */
const STRONG = new Set([
  "notice.report_withdrawn",
  "notice.critical_withdrawn",
  "notice.critical_withdrawn_here",
  "notice.not_your_resident",
]);

export function startTold(place: HTMLElement): void {
  async function ask(): Promise<void> {
    try {
      const { notices } = await get<{ notices: Told[] }>("/api/v1/notices");
      const mine = notices.filter((one) => SHOWN.has(one.code));
      const shown = mine.map((one) => one.id).join(" ");
      if (place.dataset.shown !== shown) {
        place.dataset.shown = shown;
        place.replaceChildren(...mine.map((one) => card(one)));
      }
    } catch (cause) {
      // What is shown stays; the next round asks again.
      console.warn("notices could not be read", cause);
    }
  }
  async function refresh(): Promise<void> {
    await ask();
    window.setTimeout(() => void refresh(), EVERY);
  }
  void refresh();
  window.addEventListener(TOLD, () => void ask());
}

function card(one: Told): HTMLElement {
  const strong = STRONG.has(one.code);
  const button = h("button", { type: "button", class: "small" }, t("ui.told.read"));
  const element = h(
    "div",
    { class: `message ${strong ? "problem" : "warning"}`, role: strong ? "alert" : "status" },
    h(
      "p",
      {},
      one.about &&
        h("strong", {}, `${t("ui.told.about", { name: one.about.name, number: one.about.patient_id })} `),
      one.text,
    ),
    h("div", { class: "choices" }, button),
  );
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await send("POST", `/api/v1/notices/${encodeURIComponent(one.id)}/resolve`);
      element.remove();
    } catch (cause) {
      button.disabled = false;
      element.append(problemMessage(cause));
    }
  });
  return element;
}

/** Which resident a patient stands under: shown beside the patient, undone or changed with a reason. */
import { get, send } from "../core/api";
import { h } from "../core/dom";
import { message, problemMessage } from "../core/messages";
import { t } from "../core/page";
import { dateTime } from "../core/time";
import { HolderSearch } from "./holder-search";
import { asPerson, sides } from "./sides";
import type { Relinked, Standing } from "./types";

type Action = "link" | "unlink";

export function residentLink(id: string): HTMLElement {
  return h("a", { href: `/corrections?patient=${encodeURIComponent(id)}` }, t("ui.resident.correct"));
}

export async function showStanding(
  place: HTMLElement,
  id: string,
  onDone: (said: HTMLElement) => void,
): Promise<void> {
  try {
    const found = await get<Standing>(addressOf(id));
    place.replaceChildren(card(found, onDone));
    place.querySelector<HTMLInputElement>("form input")?.focus();
  } catch (cause) {
    const again = { label: t("ui.try_again"), run: () => void showStanding(place, id, onDone) };
    place.replaceChildren(problemMessage(cause, [again]));
  }
}

function addressOf(id: string): string {
  return `/api/v1/patients/${encodeURIComponent(id)}/resident`;
}

function card(found: Standing, onDone: (said: HTMLElement) => void): HTMLElement {
  const { resident } = found;
  return h(
    "article",
    { class: "correction" },
    h(
      "header",
      {},
      h("strong", {}, t("ui.resident.title")),
      found.linked_at &&
        h("span", { class: "muted" }, t("ui.resident.since", { time: dateTime(found.linked_at) })),
    ),
    sides(
      { title: t("ui.resident.patient"), person: { ...found.person, id_last4: "" } },
      {
        title: resident ? t("ui.resident.stands_under") : t("ui.resident.none"),
        person: resident && asPerson(resident),
      },
      [],
    ),
    resident && h("p", { class: "muted doctors" }, doctorsText(found.doctors)),
    found.delivered > 0 && message("warning", t("ui.resident.delivered", { count: found.delivered })),
    form(found, onDone),
  );
}

function doctorsText(doctors: readonly string[]): string {
  if (doctors.length === 0) return t("ui.resident.doctors_none");
  return t("ui.resident.doctors", { names: doctors.join(t("ui.resident.comma")) });
}

function form(found: Standing, onDone: (said: HTMLElement) => void): HTMLFormElement {
  const holder = new HolderSearch(found);
  const reason = h("input", { id: "link-reason", maxlength: 400, required: true, autocomplete: "off" });
  const notes = h("div", { class: "messages", "aria-live": "polite" });
  const submit = h("button", { type: "submit", class: "primary" }, t("ui.correction.confirm"));
  const actions: readonly Action[] = found.resident ? ["link", "unlink"] : ["link"];
  let action: Action | null = null;

  function choose(chosen: Action): void {
    action = chosen;
    holder.element.hidden = chosen !== "link";
    submit.textContent = t(`ui.resident.confirm.${chosen}`);
    submit.disabled = false;
  }

  const choices = actions.map((one) => {
    const radio = h("input", { type: "radio", name: "link-action", value: one });
    radio.addEventListener("change", () => choose(one));
    const hint = h("small", { class: "muted" }, t(`ui.resident.action.${one}_hint`));
    return h("label", { class: "decision" }, radio, h("span", {}, t(`ui.resident.action.${one}`), hint));
  });
  holder.element.hidden = true;
  submit.disabled = true;
  if (!found.resident) choose("link");

  const element = h(
    "form",
    { class: "decide", autocomplete: "off" },
    actions.length > 1 && h("div", { class: "decisions", role: "radiogroup" }, ...choices),
    holder.element,
    h("div", { class: "field" }, h("label", { for: reason.id }, t("ui.correction.reason")), reason),
    notes,
    h("div", { class: "choices" }, submit),
  );
  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!action) return;
    const obstacle = action === "link" ? holder.obstacle : "";
    if (obstacle) {
      notes.replaceChildren(message("warning", obstacle));
      holder.focus();
      return;
    }
    submit.disabled = true;
    try {
      const done = await send<Relinked>("POST", `${addressOf(found.id)}/${action}`, {
        shown: found.resident?.id ?? "",
        reason: reason.value.trim(),
        ...(action === "link" ? { id_card_number: holder.number } : {}),
      });
      onDone(message("good", doneText(done)));
    } catch (cause) {
      notes.replaceChildren(problemMessage(cause));
      submit.disabled = false;
    }
  });
  return element;
}

function doneText(done: Relinked): string {
  if (!done.changed) return t("ui.resident.unchanged");
  const { person, resident, taken_back, told } = done;
  const who = { name: person.name || t("ui.name.none"), number: person.patient_id };
  const first = resident
    ? t("ui.resident.linked", { ...who, resident: resident.name, last4: resident.id_last4 })
    : t("ui.resident.unlinked", who);
  if (taken_back === 0 && told === 0) return first;
  return `${first} ${t("ui.resident.told", { taken: taken_back, told })}`;
}

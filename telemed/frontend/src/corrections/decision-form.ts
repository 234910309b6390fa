/** One decision: what it is, for whom, and why. Nothing happens before the reason is written. */
import { h } from "../core/dom";
import { message, problemMessage } from "../core/messages";
import { t } from "../core/page";
import { PersonSearch } from "./person-search";
import type { Decision, Outcome } from "./types";

export interface Answer {
  decision: Decision;
  reason: string;
  patient_id: string;
  accession_number: string;
}

export interface Question {
  own: string;
  modality: string;
  decisions: readonly Decision[];
  hint: (decision: Decision) => string | undefined;
  send: (answer: Answer) => Promise<Outcome>;
  done: (outcome: Outcome) => void;
}

let forms = 0;

export function decisionForm(question: Question, ...above: HTMLElement[]): HTMLFormElement {
  const name = `decision-${++forms}`;
  const search = new PersonSearch(question.own, question.modality);
  const reason = h("input", { id: `${name}-reason`, maxlength: 400, required: true, autocomplete: "off" });
  const notes = h("div", { class: "messages", "aria-live": "polite" });
  const submit = h("button", { type: "submit", class: "primary" }, t("ui.correction.confirm"));
  let decision: Decision | null = question.decisions.length === 1 ? (question.decisions[0] ?? null) : null;

  function choose(chosen: Decision): void {
    decision = chosen;
    search.element.hidden = chosen !== "reassign";
    submit.textContent = t(
      chosen === "reassign" ? "ui.correction.confirm_reassign" : "ui.correction.confirm",
    );
    submit.disabled = false;
  }

  const choices = question.decisions.map((one) => {
    const radio = h("input", { type: "radio", name, value: one });
    radio.addEventListener("change", () => choose(one));
    const hint = question.hint(one);
    return h(
      "label",
      { class: "decision" },
      radio,
      h("span", {}, t(`ui.correction.decision.${one}`), hint && h("small", { class: "muted" }, hint)),
    );
  });
  search.element.hidden = decision !== "reassign";
  submit.disabled = decision === null;
  if (decision) choose(decision);

  const form = h(
    "form",
    { class: "decide", autocomplete: "off" },
    question.decisions.length > 1 && h("div", { class: "decisions", role: "radiogroup" }, ...choices),
    ...above,
    search.element,
    h("div", { class: "field" }, h("label", { for: reason.id }, t("ui.correction.reason")), reason),
    notes,
    h("div", { class: "choices" }, submit),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!decision) return;
    if (decision === "reassign" && !search.chosen) {
      notes.replaceChildren(message("warning", t("ui.correction.choose_person")));
      search.focus();
      return;
    }
    submit.disabled = true;
    try {
      const outcome = await question.send({
        decision,
        reason: reason.value.trim(),
        patient_id: decision === "reassign" ? (search.chosen?.patient_id ?? "") : "",
        accession_number: decision === "reassign" ? search.accession : "",
      });
      question.done(outcome);
    } catch (cause) {
      notes.replaceChildren(problemMessage(cause));
      submit.disabled = false;
    }
  });
  return form;
}

/** What followed, in words: where it is now, what was withdrawn, how many were told. */
export function outcomeText(outcome: Outcome): string {
  const { person, withdrawn, told } = outcome;
  const first = person
    ? t("ui.correction.changed", { name: person.name || t("ui.name.none"), number: person.patient_id })
    : t("ui.correction.done");
  return withdrawn > 0 || told > 0 ? `${first} ${t("ui.correction.told", { withdrawn, told })}` : first;
}

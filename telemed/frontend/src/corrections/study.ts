/** A study that somebody saw to be another person's: the whole of it, or one recording. */
import { get, send } from "../core/api";
import { h } from "../core/dom";
import { message, problemMessage } from "../core/messages";
import { t } from "../core/page";
import { dateTime } from "../core/time";
import { decisionForm, outcomeText } from "./decision-form";
import { residentLink } from "./resident";
import { sides } from "./sides";
import type { Identity, Outcome } from "./types";

export async function correctStudy(
  place: HTMLElement,
  uid: string,
  onDone: (said: HTMLElement) => void,
): Promise<void> {
  try {
    place.replaceChildren(
      study(await get<Identity>(`/api/v1/studies/${encodeURIComponent(uid)}/identity`), onDone),
    );
    place.querySelector<HTMLInputElement>("input[type=search]")?.focus();
  } catch (cause) {
    place.replaceChildren(
      problemMessage(cause, [{ label: t("ui.try_again"), run: () => void correctStudy(place, uid, onDone) }]),
    );
  }
}

function study(found: Identity, onDone: (said: HTMLElement) => void): HTMLElement {
  const { recordings } = found;
  const scope = h(
    "select",
    { id: "scope" },
    h("option", { value: "" }, t("ui.correction.scope.whole", { count: recordings.length })),
    ...recordings.map((one, index) =>
      h(
        "option",
        { value: one.sop_instance_uid },
        t("ui.correction.scope.one", {
          number: one.instance_number ?? index + 1,
          time: dateTime(one.received_at),
        }),
      ),
    ),
  );
  const scopeField = h(
    "div",
    { class: "field", hidden: recordings.length < 2 },
    h("label", { for: "scope" }, t("ui.correction.recordings")),
    scope,
  );
  const parts: HTMLElement[] = [scopeField];
  if (found.signed > 0) parts.unshift(message("warning", t("ui.correction.warning_signed")));
  const form = decisionForm(
    {
      own: found.filed.patient_id,
      modality: found.modality,
      decisions: ["reassign"],
      hint: () => undefined,
      send: ({ patient_id, accession_number, reason }) =>
        send<Outcome>("POST", `/api/v1/studies/${encodeURIComponent(found.study_instance_uid)}/reassign`, {
          from_patient_id: found.filed.patient_id,
          patient_id,
          accession_number,
          reason,
          sop_instance_uid: scope.value,
        }),
      done: (outcome) => onDone(message("good", outcomeText(outcome))),
    },
    ...parts,
  );
  return h(
    "article",
    { class: "correction" },
    h(
      "header",
      {},
      h("span", { class: "modality" }, found.modality),
      h("strong", {}, found.exam),
      h("time", { class: "muted" }, dateTime(found.received_at)),
      h("span", { class: "muted" }, found.accession_number),
    ),
    sides(
      { title: t("ui.correction.filed"), person: found.filed, numberMissing: found.number_missing },
      { title: t("ui.correction.received"), person: found.received },
      [],
    ),
    h("p", {}, residentLink(found.filed_id)),
    form,
  );
}

/** Who this is: at least two identifiers in view wherever someone reads. */
import { h } from "../core/dom";
import { page, type TextKey, t } from "../core/page";
import { ageText, last4, sexAge, sexText } from "../core/patient";
import type { Case } from "../core/types";
import { dueMark, holderMark, priorityMark } from "./row";
import { viewerButton } from "./viewer-link";

function fact(label: TextKey, value: string, extra = ""): HTMLElement {
  return h("div", { class: `fact ${extra}` }, h("dt", {}, t(label)), h("dd", {}, value));
}

export function identityBar(item: Case, now: number, ...actions: HTMLElement[]): HTMLElement {
  const { patient } = item;
  return h(
    "header",
    { class: "identity", "aria-label": t("ui.identity.title") },
    h(
      "div",
      { class: "who" },
      h("h1", {}, patient.name || t("ui.name.none")),
      h("span", {}, `${sexText(patient.sex)} ${ageText(patient.age)}`),
    ),
    h(
      "dl",
      { class: "facts" },
      fact("ui.identity.id_last4", last4(patient)),
      fact("ui.identity.patient_id", patient.patient_id || "-"),
      fact("ui.identity.accession", item.accession_number || "-"),
      fact("ui.identity.exam", examText(item)),
      fact("ui.identity.site", item.site),
    ),
    h("div", { class: "urgency" }, priorityMark(item), dueMark(item, now), holderMark(item)),
    h("div", { class: "actions" }, ...actions),
  );
}

/** An exam that has no name but its modality's is named once. */
function examText({ modality, exam }: Case): string {
  return exam === modality ? modality : `${modality} ${exam}`;
}

/** The same on one line, for paper. */
export function identityLine(item: Case): string {
  const { patient, accession_number: accession, site } = item;
  const parts = [
    patient.name || t("ui.name.none"),
    sexAge(patient),
    `${t("ui.identity.patient_id")} ${patient.patient_id || "-"}`,
    `${t("ui.identity.accession")} ${accession || "-"}`,
    examText(item),
    site,
  ];
  return parts.join(" · ");
}

export interface CaseActions {
  back(): void;
  claim(): void;
  release(): void;
  failed(cause: unknown): void;
}

/** What may be done with the case as a whole. */
export function caseActions(item: Case, actions: CaseActions): HTMLElement[] {
  const button = (label: string, key: string, run: () => void): HTMLElement =>
    h("button", { type: "button", onclick: run }, label, h("kbd", {}, key));
  const found = [button(t("ui.case.back"), "Esc", actions.back)];
  if (item.holder?.mine) found.push(button(t("ui.case.release"), "U", actions.release));
  else if (item.can.claim) found.push(button(t("ui.case.claim"), "C", actions.claim));
  if (page.viewer) found.push(viewerButton(item, actions.failed));
  return found;
}

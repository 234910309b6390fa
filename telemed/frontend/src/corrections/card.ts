/** One question of the list: both sides, and the answers a person may give. */
import { get, send } from "../core/api";
import { h } from "../core/dom";
import { message, problemMessage } from "../core/messages";
import { maybe, t } from "../core/page";
import { dateTime } from "../core/time";
import { decisionForm, outcomeText } from "./decision-form";
import { sides } from "./sides";
import type { Correction, CorrectionDetail, Outcome } from "./types";

export function card(row: Correction, onDecided: (said: HTMLElement) => void): HTMLElement {
  const body = h("div", { class: "correction-body" });
  const element = h(
    "article",
    { class: "correction" },
    h(
      "header",
      {},
      h("span", { class: "modality" }, row.modality),
      h("strong", {}, row.exam),
      h("time", { class: "muted" }, dateTime(row.received_at)),
      row.count > 1 && h("span", { class: "badge" }, t("ui.correction.count", { count: row.count })),
    ),
    h("p", { class: "why" }, row.text),
    body,
  );

  async function fill(): Promise<void> {
    try {
      const detail = await get<CorrectionDetail>(`/api/v1/corrections/${encodeURIComponent(row.id)}`);
      body.replaceChildren(...compared(detail), form(detail));
    } catch (cause) {
      body.replaceChildren(problemMessage(cause, [{ label: t("ui.try_again"), run: () => void fill() }]));
    }
  }

  function form(detail: CorrectionDetail): HTMLElement {
    return decisionForm({
      own: detail.filed.patient_id,
      modality: detail.modality,
      decisions: detail.decisions,
      hint: (decision) => {
        const about = detail.code.replace("notice.", "");
        return maybe(`ui.correction.decision.${decision}_hint.${about}`);
      },
      send: (answer) =>
        send<Outcome>("POST", `/api/v1/corrections/${encodeURIComponent(row.id)}/resolve`, {
          ...answer,
          from_patient_id: detail.filed.patient_id,
        }),
      done: (outcome) => onDecided(message("good", outcomeText(outcome))),
    });
  }

  void fill();
  return element;
}

function compared(detail: CorrectionDetail): HTMLElement[] {
  const filed = {
    title: t("ui.correction.filed"),
    person: detail.filed,
    numberMissing: detail.number_missing,
  };
  if (detail.ordered) {
    const other = { title: t("ui.correction.ordered"), person: detail.ordered };
    return [sides(filed, other, different(detail))];
  }
  if (!detail.received) return [message("warning", t("ui.correction.received_none"))];
  const received = { title: t("ui.correction.received"), person: detail.received.person };
  return [sides(filed, received, detail.differing)];
}

/** Of an order's person and the study's: here nothing is a spelling of the same. */
function different(detail: CorrectionDetail): string[] {
  const { filed, ordered } = detail;
  if (!ordered) return [];
  return (["name", "patient_id", "sex", "birth_date", "id_last4"] as const).filter(
    (field) => filed[field] !== ordered[field],
  );
}

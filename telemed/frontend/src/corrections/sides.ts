/** Two sides of one doubt beside each other; a difference is told in words, not by colour alone. */
import { h } from "../core/dom";
import { t } from "../core/page";
import { sexText } from "../core/patient";
import type { Person, Resident } from "./types";

export interface Side {
  title: string;
  person: Person | null;
  /** No number came with it: the one it is filed under was made here. */
  numberMissing?: boolean;
}

export function sides(left: Side, right: Side, differing: readonly string[]): HTMLElement {
  const row = (field: string, label: string, value: (side: Side) => string): HTMLElement => {
    const differs = differing.includes(field);
    return h(
      "tr",
      { class: differs ? "differs" : null },
      h("th", { scope: "row" }, label, differs && h("span", { class: "mark" }, t("ui.correction.differs"))),
      h("td", {}, value(left) || "—"),
      h("td", {}, value(right) || "—"),
    );
  };
  const of =
    (read: (person: Person) => string) =>
    (side: Side): string =>
      side.person ? read(side.person) : "";
  return h(
    "table",
    { class: "sides" },
    h(
      "thead",
      {},
      h("tr", {}, h("td", {}), h("th", { scope: "col" }, left.title), h("th", { scope: "col" }, right.title)),
    ),
    h(
      "tbody",
      {},
      row(
        "name",
        t("ui.correction.name"),
        of((person) => person.name),
      ),
      row("patient_id", t("ui.correction.id_number"), numberOf),
      row(
        "sex",
        t("ui.correction.sex"),
        of((person) => (person.sex ? sexText(person.sex) : "")),
      ),
      row(
        "birth_date",
        t("ui.correction.birth_date"),
        of((person) => person.birth_date ?? ""),
      ),
      row(
        "id_last4",
        t("ui.correction.id_card"),
        of((person) => (person.id_last4 ? `···${person.id_last4}` : "")),
      ),
    ),
  );
}

/** A resident has no number of an institution's own. */
export function asPerson(resident: Resident): Person {
  return { ...resident, patient_id: "" };
}

function numberOf(side: Side): string {
  if (!side.person) return "";
  return side.numberMissing ? t("ui.correction.number_missing") : side.person.patient_id;
}

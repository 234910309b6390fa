/** What changed between two recordings, as a table. */
import { h } from "../core/dom";
import { maybe, t } from "../core/page";
import { type Change, changes, difference, type Recording, ST_CHANGE, stChanges } from "./changes";
import type { Earlier } from "./earlier";
import { hundredths, measured } from "./measured";

export function changeTable(now: Recording, last: Recording, { corrected }: Earlier): HTMLElement[] {
  const st = stChanges(now, last);
  const millivolts = (value: number | undefined): string => (value === undefined ? "–" : hundredths(value));
  // A reader's own marks are another measurement than a machine's.
  const before = t(corrected ? "ui.compare.column.last_read" : "ui.compare.column.last");
  const table = h(
    "table",
    {},
    h(
      "tr",
      {},
      h("th", {}, t("ui.compare.changes")),
      ...[before, t("ui.compare.column.now"), "Δ"].map((text) => h("th", { class: "number" }, text)),
    ),
    ...changes(now, last).map((one) =>
      changeRow(maybe(`ui.measurement.${one.name}`) ?? one.name, one, (value) =>
        value === undefined ? "–" : measured(one.name, value),
      ),
    ),
    ...st.map((one) => changeRow(`ST ${one.name}`, one, millivolts, 2)),
  );
  if (st.length > 0) return [table];
  return [table, h("p", { class: "muted" }, t("ui.compare.no_st", { limit: ST_CHANGE }))];
}

function changeRow(
  label: string,
  one: Change,
  text: (value: number | undefined) => string,
  digits = 0,
): HTMLElement {
  const by = difference(one);
  const rounded = by === undefined ? undefined : Number(by.toFixed(digits));
  const signed = rounded === undefined ? "–" : `${rounded > 0 ? "+" : ""}${(rounded + 0).toFixed(digits)}`;
  return h(
    "tr",
    { "data-name": one.name },
    h("th", { scope: "row" }, label),
    h("td", { class: "number" }, text(one.last)),
    h("td", { class: "number" }, text(one.now)),
    h("td", { class: rounded ? "number changed" : "number" }, signed),
  );
}

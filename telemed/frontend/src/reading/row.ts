/** One case in one line: what next, how late, why, who, what, where, and who holds it. */
import { h } from "../core/dom";
import { maybe, t } from "../core/page";
import { last4, sexAge } from "../core/patient";
import { clock, countdown, dateTime } from "../core/time";
import type { Priority, Row } from "../core/types";

/** Word and shape; the colour only repeats them. */
const shapes: Record<Priority, string> = { stat: "▲", urgent: "◆", routine: "○" };

export function priorityMark(row: Row): HTMLElement {
  const level = row.effective_priority;
  const because = row.raised_because && t("ui.raised_because", { finding: findingText(row.raised_because) });
  return h(
    "span",
    { class: `priority ${level}`, title: because || null },
    h("span", { "aria-hidden": "true" }, shapes[level]),
    ` ${t(`ui.priority.${level}`)}`,
    because && h("span", { class: "visually-hidden" }, because),
  );
}

export function findingText(name: string): string {
  return maybe(`ui.finding.${name}`) ?? name;
}

export function dueMark(row: Row, now: number): HTMLElement {
  const done = ["final", "repeat_requested", "closed"].includes(row.state);
  const due = done
    ? { text: t(`ui.case_state.${row.state}`), lateness: "done" }
    : countdown(row.deadline, now);
  const deadline = done ? null : row.deadline;
  return h("span", { class: `due ${due.lateness}`, "data-deadline": deadline }, due.text);
}

/** Moves every countdown below an element, without touching what did not change. */
export function tick(root: ParentNode, now: number): void {
  for (const element of Array.from(root.querySelectorAll<HTMLElement>("[data-deadline]"))) {
    const due = countdown(element.dataset.deadline ?? "", now);
    if (element.textContent === due.text) continue;
    element.textContent = due.text;
    element.className = `due ${due.lateness}`;
  }
}

/** What the machine found that is not "normal": only that asks for attention. */
export function alarms(row: Row): string[] {
  return row.ai.flags.filter((name) => name !== "NORM");
}

export function aiMark(row: Row): HTMLElement {
  const { state, flags } = row.ai;
  if (state !== "done") return h("span", { class: `ai-mark ${state}` }, t(`ui.ai.short.${state}`));
  const found = alarms(row);
  if (found.length > 0) {
    const names = found.map(findingText).join(" · ");
    return h("span", { class: "ai-mark flagged" }, h("span", { "aria-hidden": "true" }, "⚑ "), names);
  }
  return h("span", { class: "ai-mark" }, t(flags.length > 0 ? "ui.ai.short.normal" : "ui.ai.short.nothing"));
}

export function holderMark(row: Row): HTMLElement {
  if (row.holder?.mine) return h("span", { class: "holder mine" }, t("ui.holder.mine"));
  if (row.holder)
    return h("span", { class: "holder other" }, t("ui.holder.other", { name: row.holder.name }));
  return h(
    "span",
    { class: "holder" },
    row.state === "waiting" ? t("ui.holder.nobody") : t(`ui.case_state.${row.state}`),
  );
}

/** Why it stands so high, in words: what raised it, a critical value, a report sent back. */
export function reasonMark(row: Row): HTMLElement {
  const because =
    row.raised_because && row.raised_because !== "critical" ? findingText(row.raised_because) : "";
  const parts = [
    row.critical &&
      h(
        "span",
        { class: `tag ${row.critical}` },
        t(row.critical === "critical" ? "ui.tag.critical" : "ui.tag.warning"),
      ),
    row.returned && h("span", { class: "tag returned" }, t("ui.tag.returned")),
    because && h("span", { class: "because", title: because }, `↑ ${because}`),
  ];
  return h("span", { class: "second" }, ...parts);
}

export function priorsMark(row: Row): HTMLElement[] {
  const { count, latest } = row.priors;
  if (count === 0) return [h("span", { class: "muted" }, t("ui.priors.none"))];
  return [
    h("span", {}, t("ui.priors.count", { count })),
    h("span", { class: "second" }, dateTime(latest).slice(0, 10)),
  ];
}

export function rowElement(row: Row, href: string, now: number): HTMLElement {
  const cell = (name: string, ...children: (Node | string | false)[]): HTMLElement =>
    h("div", { role: "gridcell", class: `cell ${name}` }, ...children);
  const second = (text: string): HTMLElement => h("span", { class: "second", title: text || null }, text);
  return h(
    "div",
    { role: "row", class: `row ${row.effective_priority}`, tabindex: "-1", "aria-selected": "false" },
    cell("c-priority", priorityMark(row), reasonMark(row)),
    cell("c-due", dueMark(row, now), second(t("ui.due.at", { time: clock(row.deadline, new Date(now)) }))),
    cell(
      "c-patient",
      h(
        "span",
        {},
        h("a", { href, tabindex: "-1" }, row.patient.name || t("ui.name.none")),
        h("span", { class: "muted" }, ` ${sexAge(row.patient)}`),
      ),
      second(`${last4(row.patient)} · ${row.accession_number || row.patient.patient_id}`),
    ),
    cell(
      "c-exam",
      h(
        "span",
        {},
        h("span", { class: "modality" }, row.modality),
        row.exam === row.modality ? "" : ` ${row.exam}`,
      ),
      second(row.site),
    ),
    cell("c-history", h("span", { title: row.history || null }, row.history || t("ui.history.none"))),
    cell("c-ai", aiMark(row)),
    cell("c-priors", ...priorsMark(row)),
    cell("c-holder", holderMark(row)),
  );
}

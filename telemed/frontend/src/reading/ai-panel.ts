/** What the machine says, by which model, or in words why it says nothing. */
import { h } from "../core/dom";
import { maybe, t } from "../core/page";
import type { Analysis, Case, Finding } from "../core/types";
import { considered, textOf } from "./machine-draft";
import { measured } from "./measured";
import { findingText } from "./row";

/** Name in the answer, digits after the point. The unit is part of the text. */
const measurements: readonly string[] = [
  "heart_rate_bpm",
  "pr_ms",
  "qrs_ms",
  "qt_ms",
  "qtc_ms",
  "qtc_fridericia_ms",
  "p_axis_deg",
  "qrs_axis_deg",
  "t_axis_deg",
];

export function measurementTable(item: Case): HTMLElement | null {
  const found = mostMeasured(item.analyses);
  if (!found) return null;
  const { values, known, model } = found;
  return h(
    "div",
    { class: "block" },
    h(
      "h3",
      {},
      `${t("ui.ai.measurements")} `,
      h("span", { class: "muted" }, `${model.name} ${model.version}`),
    ),
    h(
      "dl",
      { class: "measurements" },
      ...known.map((name) =>
        h(
          "div",
          {},
          h("dt", {}, maybe(`ui.measurement.${name}`) ?? name),
          h("dd", {}, measured(name, values[name])),
        ),
      ),
    ),
  );
}

/** The answer that measured most: several models may give a heart rate, one alone the intervals. */
function mostMeasured(analyses: readonly Analysis[]) {
  const rows = analyses.map(({ measurements: given, model }) => {
    const values = given ?? {};
    return { values, model, known: measurements.filter((name) => typeof values[name] === "number") };
  });
  return rows.reduce<(typeof rows)[number] | null>(
    (most, row) => (row.known.length > (most?.known.length ?? 0) ? row : most),
    null,
  );
}

export function aiPanel(item: Case): HTMLElement {
  // The table of measurements has said all that a measuring model says.
  const measuring = mostMeasured(item.analyses)?.model;
  const blocks = item.analyses
    .filter((one) => one.model !== measuring || !one.in_domain || saysMore(one))
    .map(analysisBlock);
  const { state } = item.ai;
  return h(
    "section",
    { class: "ai", "aria-label": t("ui.ai.title") },
    h("h2", {}, t("ui.ai.title"), h("span", { class: "note" }, t("ui.ai.assists"))),
    state !== "done" && h("p", { class: `ai-state ${state}` }, stateText(item)),
    h("div", { class: "blocks" }, measurementTable(item), ...blocks),
  );
}

function saysMore(analysis: Analysis): boolean {
  return analysis.findings.length > 0 || (analysis.statements ?? []).length > 0;
}

/** The server's reason where it gives one, else what the state means. */
function stateText(item: Case): string {
  const { state } = item.ai;
  if (state === "done") return "";
  const reason = reasonText(item.ai_reason);
  return reason
    ? t("ui.ai.state_because", { state: t(`ui.ai.state.${state}`), reason })
    : t(`ui.ai.state.${state}`);
}

function reasonText(reason: string | null): string {
  return reason ? (maybe(`ui.ai.reason.${reason}`) ?? reason) : "";
}

function analysisBlock(analysis: Analysis): HTMLElement {
  const { model } = analysis;
  const statements = analysis.statements ?? [];
  const findings = [...analysis.findings].sort(
    (a, b) => Number(b.flag) - Number(a.flag) || b.probability - a.probability,
  );
  return h(
    "div",
    { class: "block analysis" },
    h(
      "h3",
      {},
      `${model.name} `,
      h("span", { class: "muted" }, t("ui.ai.version", { version: model.version })),
    ),
    !analysis.in_domain && h("p", { class: "ai-state out_of_domain" }, outOfDomain(analysis)),
    statements.length > 0 &&
      h(
        "ul",
        { class: "statements" },
        ...statements.map((one) =>
          considered(one)
            ? h("li", { class: "consider" }, `${t("ui.ai.consider")} `, textOf(one))
            : h("li", {}, textOf(one)),
        ),
      ),
    findings.length > 0 && h("div", { class: "findings" }, ...findings.map(findingRow)),
    findings.length > 0 &&
      !findings.some((finding) => finding.flag) &&
      h("p", { class: "muted" }, t("ui.ai.no_flag")),
  );
}

function outOfDomain(analysis: Analysis): string {
  const reason = analysis.reason_text ?? reasonText(analysis.reason);
  return reason
    ? t("ui.ai.state_because", { state: t("ui.ai.state.out_of_domain"), reason })
    : t("ui.ai.state.out_of_domain");
}

function findingRow(finding: Finding): HTMLElement {
  const bar = h(
    "span",
    { class: "bar", "aria-hidden": "true" },
    h("span", { class: "fill" }),
    h("span", { class: "limit" }),
  );
  // The width is data; a style attribute in the page would be refused by its content policy, a property is not.
  bar.style.setProperty("--p", String(finding.probability));
  bar.style.setProperty("--limit", String(finding.threshold));
  const params = { probability: finding.probability.toFixed(2), threshold: finding.threshold.toFixed(2) };
  return h(
    "div",
    { class: `finding ${finding.flag ? (finding.name === "NORM" ? "flagged calm" : "flagged") : ""}` },
    h(
      "span",
      { class: "name" },
      finding.flag && h("span", { "aria-hidden": "true" }, "⚑ "),
      maybe(`ui.finding.${finding.name}`) ?? finding.code?.display ?? findingText(finding.name),
    ),
    bar,
    h("span", { class: "number" }, t("ui.ai.probability", params)),
  );
}

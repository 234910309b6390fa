/** What the machine says, by which model, or in words why it says nothing. */
import { h } from "../core/dom";
import { modelName } from "../core/model-name";
import { maybe, t } from "../core/page";
import type { Analysis, Case, Finding } from "../core/types";
import { considered } from "./machine-draft";
import { measured, mostMeasured } from "./measured";
import { isNormal, shownFlags } from "./normal-flag";
import type { OwnReading, Verdict } from "./own-reading";
import { findingText } from "./row";
import { type Judged, judgedFinding, judgedStatements, nextOpen, verdictButtons } from "./verdicts";

/** What the reader says of it; where nobody may say anything there are no buttons. */
export interface Judging {
  own: OwnReading;
  judge(one: Judged, verdict: Verdict): void;
}

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

export function aiPanel(item: Case, judging: Judging): HTMLElement {
  // The table of measurements has said all that a measuring model says.
  const measuring = mostMeasured(item.analyses)?.model;
  const blocks = item.analyses
    .filter((one) => one.model !== measuring || !one.in_domain || saysMore(one))
    .map((one) => analysisBlock(one, item, judging));
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

function analysisBlock(analysis: Analysis, item: Case, judging: Judging): HTMLElement {
  const { model } = analysis;
  const statements = analysis.statements ?? [];
  const judged = judgedStatements(analysis);
  const flags = shownFlags(analysis.findings, item);
  const findings = [...analysis.findings].sort(
    (a, b) => Number(flags.includes(b)) - Number(flags.includes(a)) || b.probability - a.probability,
  );
  return h(
    "div",
    { class: "block analysis" },
    h("h3", {}, `${modelName(model.name)} `, h("span", { class: "muted" }, `${model.name} ${model.version}`)),
    !analysis.in_domain && h("p", { class: "ai-state out_of_domain" }, outOfDomain(analysis)),
    statements.length > 0 &&
      h(
        "ul",
        { class: "statements" },
        ...statements.map((one, index) =>
          h(
            "li",
            considered(one) ? { class: "consider" } : {},
            h(
              "span",
              { class: "statement" },
              considered(one) && `${t("ui.ai.consider")} `,
              judged[index]?.text,
            ),
            ...verdictOf(judged[index], item, judging),
          ),
        ),
      ),
    findings.length > 0 &&
      h(
        "div",
        { class: "findings" },
        ...findings.map((one) => findingRow(one, flags.includes(one), analysis, item, judging)),
      ),
    findings.some((one) => one.flag && !flags.includes(one)) &&
      h("p", { class: "muted" }, t("ui.ai.normal_beside")),
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

/** Its buttons, and before them a mark where a key would judge this one. */
function verdictOf(
  one: Judged | undefined,
  item: Case,
  { own, judge }: Judging,
): (HTMLElement | null | false)[] {
  if (!one || !(item.can.write || item.can.claim)) return [];
  const next = nextOpen(item, own);
  const here = next?.analysis === one.analysis && next.finding === one.finding;
  return [
    here && h("span", { class: "next-verdict", "aria-label": t("ui.verdict.next") }, "▸"),
    verdictButtons(one, own, judge),
  ];
}

function findingRow(
  finding: Finding,
  flagged: boolean,
  analysis: Analysis,
  item: Case,
  judging: Judging,
): HTMLElement {
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
    { class: `finding ${flagged ? (isNormal(finding) ? "flagged calm" : "flagged") : ""}` },
    h(
      "span",
      { class: "name" },
      flagged && h("span", { "aria-hidden": "true" }, "⚑ "),
      maybe(`ui.finding.${finding.name}`) ?? finding.code?.display ?? findingText(finding.name),
    ),
    bar,
    h("span", { class: "number" }, t("ui.ai.probability", params)),
    ...(flagged ? verdictOf(judgedFinding(analysis, finding), item, judging) : []),
  );
}

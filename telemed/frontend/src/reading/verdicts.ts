/** Accept, edit or reject what the machine found, one finding at a time, by mouse or by one key each. */
import { h } from "../core/dom";
import { t } from "../core/page";
import type { Analysis, Case, Finding } from "../core/types";
import { textOf } from "./machine-draft";
import { shownFlags } from "./normal-flag";
import type { OwnReading, Verdict } from "./own-reading";

/** Something of an answer that a reader can judge. */
export interface Judged {
  analysis: string;
  finding: string;
  /** What is written into the report when it is accepted; a label of a class is no sentence. */
  text: string;
}

export const verdictNames = ["accepted", "edited", "rejected"] as const satisfies readonly Verdict[];
const signs: Record<Verdict, string> = { accepted: "✓", edited: "✎", rejected: "✗" };

export function judgedStatements(answer: Analysis): Judged[] {
  return (answer.statements ?? []).map((one) => ({
    analysis: answer.id ?? "",
    finding: one.code,
    text: textOf(one),
  }));
}

export function judgedFinding(answer: Analysis, finding: Finding): Judged {
  return { analysis: answer.id ?? "", finding: finding.name, text: "" };
}

/** All that stands on the page to be judged, in its order: statements, and the findings that are flagged. */
export function judgeable(item: Case): Judged[] {
  return item.analyses
    .filter((one) => one.in_domain && one.id)
    .flatMap((one) => [
      ...judgedStatements(one),
      ...shownFlags(one.findings, item)
        .sort((a, b) => b.probability - a.probability)
        .map((finding) => judgedFinding(one, finding)),
    ]);
}

/** The one that a key would judge now. */
export function nextOpen(item: Case, own: OwnReading): Judged | undefined {
  return judgeable(item).find((one) => own.verdict(one.analysis, one.finding) === undefined);
}

export function verdictButtons(
  one: Judged,
  own: OwnReading,
  judge: (one: Judged, verdict: Verdict) => void,
): HTMLElement | null {
  if (!one.analysis) return null;
  const said = own.verdict(one.analysis, one.finding);
  return h(
    "span",
    { class: "verdicts", role: "group", "aria-label": t("ui.verdict.title") },
    ...verdictNames.map((verdict) =>
      h(
        "button",
        {
          type: "button",
          class: `quiet verdict ${verdict}`,
          "aria-pressed": String(said === verdict),
          "aria-label": t(`ui.verdict.${verdict}`),
          title: t(`ui.verdict.${verdict}`),
          onclick: () => judge(one, verdict),
        },
        signs[verdict],
      ),
    ),
  );
}

/** The machine's draft of a report: grey text that nobody signed, taken by one key and changed like any other. */
import { h } from "../core/dom";
import { modelName } from "../core/model-name";
import { maybe, page, t } from "../core/page";
import type { Analysis, Case } from "../core/types";
import type { Fields } from "./autosave";
import { measured, measuredValues } from "./measured";

interface Statement {
  code: string;
  text: { zh: string; en: string };
  level?: string;
}

interface Placed {
  model: Analysis["model"];
  sop_instance_uid?: string;
}

export interface MachineDraft {
  fields: Fields;
  /** Statements that are worth a look; they are never put into the report by themselves. */
  consider: string[];
  model: string;
}

const NORMAL = "ecg.normal";
const SINUS = ["ecg.sinus_rhythm", "ecg.sinus_arrhythmia"];
const shown: readonly string[] = ["heart_rate_bpm", "pr_ms", "qrs_ms", "qt_ms", "qtc_ms", "qrs_axis_deg"];

export function textOf(one: Statement): string {
  return page.language === "en" ? one.text.en : one.text.zh;
}

export function considered(one: Statement): boolean {
  return one.level === "consider";
}

/** The statements of the newest rules; none where the study holds several recordings: whose would they be? */
function stated(item: Case): Analysis | undefined {
  const answers = item.analyses.filter((one) => one.in_domain && (one.statements ?? []).length > 0);
  const rules = answers.filter((one) => one.model.name === "ecg-statements");
  const recordings = new Set(rules.map((one: Placed) => one.sop_instance_uid));
  return recordings.size === 1 ? rules[rules.length - 1] : undefined;
}

/** Undefined where the machine has nothing to say: out of its domain, or nothing sure enough to be written down. */
export function machineDraft(item: Case): MachineDraft | undefined {
  const answer = stated(item);
  if (!answer) return undefined;
  const all: readonly Statement[] = answer.statements ?? [];
  const sure = all.filter((one) => !considered(one));
  if (sure.length === 0) return undefined;
  return {
    fields: {
      findings: measurementLine(item),
      impression: sure.map(textOf).join("\n"),
      recommendation: "",
      critical: false,
      abnormal: !sure.some((one) => one.code === NORMAL),
    },
    consider: all.filter(considered).map(textOf),
    model: `${modelName(answer.model.name)} · ${answer.model.name} ${answer.model.version}`,
  };
}

/** What the machine states that a normal report would contradict. */
export function againstNormal(item: Case): string[] {
  const said: readonly Statement[] = stated(item)?.statements ?? [];
  return said
    .filter((one) => one.code !== NORMAL && !SINUS.includes(one.code) && !considered(one))
    .map(textOf);
}

function measurementLine(item: Case): string {
  const values = measuredValues(item);
  const parts = shown
    .filter((name) => typeof values[name] === "number")
    .map((name) => `${maybe(`ui.measurement.${name}`) ?? name} ${measured(name, values[name])}`);
  if (parts.length === 0) return "";
  return t("ui.draft.sentence", { text: parts.join(t("ui.draft.comma")) });
}

/** Grey, beside the empty report: not its text before somebody takes it. */
export function draftBlock(draft: MachineDraft, take: () => void): HTMLElement {
  const { findings, impression } = draft.fields;
  return h(
    "aside",
    { class: "machine-draft", "aria-label": t("ui.draft.title") },
    h("header", {}, h("strong", {}, t("ui.draft.title")), h("span", { class: "muted" }, draft.model)),
    findings && h("p", { class: "draft-text" }, findings),
    h("p", { class: "draft-text" }, impression),
    draft.consider.length > 0 &&
      h(
        "p",
        { class: "muted" },
        t("ui.draft.consider", { statements: draft.consider.join(t("ui.draft.semicolon")) }),
      ),
    h("button", { type: "button", onclick: take }, t("ui.draft.take"), h("kbd", {}, "D")),
  );
}

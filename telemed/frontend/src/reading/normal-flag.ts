/** What the page holds for a flag: a "normal" beside anything abnormal is none, whatever its figure. */
import type { Case, Finding } from "../core/types";
import { againstNormal } from "./machine-draft";

const NORMAL = "NORM";

export function isNormal(finding: Finding): boolean {
  return finding.name === NORMAL;
}

/** Another answer, or the same, says for sure what a normal curve does not show. */
export function contradicted(item: Case): boolean {
  const flags = item.analyses
    .filter((one) => one.in_domain)
    .flatMap(({ findings }) => findings.filter(({ flag }) => flag));
  return flags.some((one) => !isNormal(one)) || againstNormal(item).length > 0;
}

/** The machine's own flags of one answer, without a normal that the rest of the case contradicts. */
export function shownFlags(findings: readonly Finding[], item: Case): Finding[] {
  const against = contradicted(item);
  return findings.filter((one) => one.flag && !(against && isNormal(one)));
}

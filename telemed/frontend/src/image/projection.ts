/** From which side a film was made: as its header says it, else as its series is named. */

export type Projection = "frontal" | "lateral" | "oblique" | "CC" | "MLO" | "";

/** View Position (0018,5101) of films and mammograms. */
const VIEWS: Readonly<Record<string, Projection>> = {
  PA: "frontal",
  AP: "frontal",
  LL: "lateral",
  RL: "lateral",
  LAT: "lateral",
  LATERAL: "lateral",
  RLO: "oblique",
  LLO: "oblique",
  RAO: "oblique",
  LAO: "oblique",
  CC: "CC",
  MLO: "MLO",
};

/** A word by itself: an underscore or a Chinese character may stand beside it. */
const word = (...any: string[]): string => `(?<![A-Z])(?:${any.join("|")})(?![A-Z])`;

const NAMES: readonly [RegExp, Projection][] = [
  [RegExp(`${word("PA", "AP")}|正位|后前位|前后位`, "u"), "frontal"],
  [RegExp(`${word("LAT", "LATERAL", "LL", "RL")}|侧位`, "u"), "lateral"],
  [RegExp(`${word("OBL", "OBLIQUE")}|斜位`, "u"), "oblique"],
  [RegExp(`${word("CC")}|头尾位`, "u"), "CC"],
  [RegExp(`${word("MLO")}|内外斜`, "u"), "MLO"],
];

/** Empty where neither says it, or the name says more than one ("PA and lateral"). */
export function projectionOf(view: string, named: string): Projection {
  const said = VIEWS[view.trim().toUpperCase()];
  if (said) return said;
  const found = NAMES.filter(([pattern]) => pattern.test(named.toUpperCase()));
  return found.length === 1 ? (found[0]?.[1] ?? "") : "";
}

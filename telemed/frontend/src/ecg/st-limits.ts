/** From which ST level at the J point a lead is worth a look, by lead, sex and age. */

/** Who lies on the couch; years are null where nobody knows the age. */
export interface Person {
  sex: string;
  years: number | null;
}

interface Limit {
  /** All leads where none are named. */
  leads?: readonly string[];
  sex?: "M" | "F";
  /** Only of those who are known to be younger. */
  under?: number;
  millivolts: number;
}

const RIGHT = ["V3R", "V4R"] as const;
const BACK = ["V7", "V8", "V9"] as const;

/**
 * The first row that fits holds. Fourth universal definition of myocardial infarction (Thygesen 2018, Circulation
 * 138:e618), table 2 and the text on V7-V9 and V3R-V4R. Of unknown sex the lower limit of V2 and V3 holds.
 */
export const elevations: readonly Limit[] = [
  { leads: ["V2", "V3"], sex: "M", under: 40, millivolts: 0.25 },
  { leads: ["V2", "V3"], sex: "M", millivolts: 0.2 },
  { leads: ["V2", "V3"], millivolts: 0.15 },
  { leads: RIGHT, sex: "M", under: 30, millivolts: 0.1 },
  { leads: BACK, sex: "M", under: 40, millivolts: 0.1 },
  { leads: [...RIGHT, ...BACK], millivolts: 0.05 },
  { millivolts: 0.1 },
];

/** mV below zero in any lead but aVR, whose depression is another lead's elevation. */
export const DEPRESSION = 0.05;
const UNMARKED_BELOW = "aVR";
/** Of a level that is exactly the limit, a float may fall short by this. */
const ROUNDING = 1e-9;

export function elevationLimit(lead: string, { sex, years }: Person): number {
  const row = elevations.find(
    (one) =>
      (one.leads?.includes(lead) ?? true) &&
      (one.sex === undefined || one.sex === sex) &&
      (one.under === undefined || (years !== null && years < one.under)),
  );
  return row?.millivolts ?? Number.POSITIVE_INFINITY;
}

/** Whether a lead's level at J, in mV, reaches the limit for this person, up or down. */
export function notableAtJ(lead: string, level: number, person: Person): boolean {
  if (level >= elevationLimit(lead, person) - ROUNDING) return true;
  return lead !== UNMARKED_BELOW && level <= -DEPRESSION + ROUNDING;
}

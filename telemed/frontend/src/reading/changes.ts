/** What differs between this ECG and the last one, as numbers. */
import type { Case } from "../core/types";
import { type Beat, intervals, type Marks, stLevels } from "../ecg/beat";
import { mostMeasured } from "./measured";

export interface Recording {
  item: Case;
  beat: Beat;
  /** The reader's own, where they were kept. */
  marks: Marks;
}

export interface Change {
  name: string;
  last: number | undefined;
  now: number | undefined;
}

const compared = [
  "heart_rate_bpm",
  "pr_ms",
  "qrs_ms",
  "qt_ms",
  "qtc_ms",
  "p_axis_deg",
  "qrs_axis_deg",
  "t_axis_deg",
] as const;
/** mV at J: less is within what two recordings of one heart differ by. */
export const ST_CHANGE = 0.05;

function values({ item, beat, marks }: Recording): Record<string, number | null | undefined> {
  return { ...mostMeasured(item.analyses)?.values, ...intervals(marks, beat.rr) };
}

export function changes(now: Recording, last: Recording): Change[] {
  const [here, before] = [values(now), values(last)];
  const number = (value: number | null | undefined): number | undefined => value ?? undefined;
  return compared
    .map((name) => ({ name, now: number(here[name]), last: number(before[name]) }))
    .filter((one) => one.now !== undefined || one.last !== undefined);
}

/** Leads whose J level moved, in mV. */
export function stChanges(now: Recording, last: Recording): Change[] {
  const before = stLevels(last.beat, last.marks);
  return [...stLevels(now.beat, now.marks)]
    .map(([name, levels]) => ({ name, now: levels[0], last: before.get(name)?.[0] }))
    .filter((one) => Math.abs((one.now ?? Number.NaN) - (one.last ?? Number.NaN)) >= ST_CHANGE);
}

/** The shorter way round the circle for an axis. */
export function difference({ name, now, last }: Change): number | undefined {
  if (now === undefined || last === undefined) return undefined;
  const plain = now - last;
  return name.endsWith("_deg") ? ((((plain + 180) % 360) + 360) % 360) - 180 : plain;
}

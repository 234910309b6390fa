/** The representative beat: what the machine measured on, and what follows from marks that stand in it. */

/** As the server gives it: base64 of int16 little endian, lead after lead. */
export interface GivenBeat {
  analysis: string;
  sop_instance_uid: string;
  leads: string[];
  sampling_rate: number;
  fiducial: number;
  waves: Record<string, number>;
  beats: number;
  of: number;
  rr_ms: number | null;
  microvolts_per_unit: number;
  missing: number;
  samples: string;
}

export const markNames = [
  "p_onset_ms",
  "p_offset_ms",
  "qrs_onset_ms",
  "qrs_offset_ms",
  "t_offset_ms",
] as const;
export type MarkName = (typeof markNames)[number];
/** Milliseconds from the point that all beats share; a wave that is not there has no marks. */
export type Marks = Partial<Record<MarkName, number>>;

export interface Beat {
  analysis: string;
  rate: number;
  /** ms before the shared point at which the samples begin, and after it at which they end. */
  from: number;
  to: number;
  beats: number;
  of: number;
  rr: number | null;
  marks: Marks;
  /** mV; NaN where too few beats reach. */
  millivolts: ReadonlyMap<string, Float32Array>;
}

export function readBeat(given: GivenBeat): Beat {
  const raw = Uint8Array.from(atob(given.samples), (letter) => letter.charCodeAt(0));
  const view = new DataView(raw.buffer);
  const length = raw.byteLength / 2 / given.leads.length;
  const millivolts = new Map<string, Float32Array>();
  given.leads.forEach((lead, index) => {
    const values = new Float32Array(length);
    for (let i = 0; i < length; i++) {
      const unit = view.getInt16((index * length + i) * 2, true);
      values[i] = unit === given.missing ? Number.NaN : (unit * given.microvolts_per_unit) / 1000;
    }
    millivolts.set(lead, values);
  });
  const marks: Marks = {};
  for (const name of markNames) {
    const at = given.waves[name];
    if (at !== undefined) marks[name] = at;
  }
  const step = 1000 / given.sampling_rate;
  return {
    analysis: given.analysis,
    rate: given.sampling_rate,
    from: -given.fiducial * step,
    to: (length - given.fiducial) * step,
    beats: given.beats,
    of: given.of,
    rr: given.rr_ms,
    marks,
    millivolts,
  };
}

/** Bazett 1920, Fridericia 1920: formulas and rounding to 0.1 are the server's, which computes what is kept. */
export function intervals(marks: Marks, rr: number | null): Record<string, number> {
  const found: Record<string, number> = {};
  const span = (name: string, start: number | undefined, end: number | undefined): void => {
    if (start !== undefined && end !== undefined) found[name] = end - start;
  };
  if (rr) found.heart_rate_bpm = 60_000 / rr;
  span("p_ms", marks.p_onset_ms, marks.p_offset_ms);
  span("pr_ms", marks.p_onset_ms, marks.qrs_onset_ms);
  span("qrs_ms", marks.qrs_onset_ms, marks.qrs_offset_ms);
  span("qt_ms", marks.qrs_onset_ms, marks.t_offset_ms);
  if (rr && found.qt_ms !== undefined) {
    found.qtc_ms = found.qt_ms / Math.sqrt(rr / 1000);
    found.qtc_fridericia_ms = found.qt_ms / Math.cbrt(rr / 1000);
  }
  for (const [name, value] of Object.entries(found)) found[name] = Math.round(value * 10) / 10;
  return found;
}

/** Mean of a lead over some milliseconds; NaN where it is not whole. */
function mean(beat: Beat, values: Float32Array, from: number, to: number): number {
  const first = Math.round(((from - beat.from) * beat.rate) / 1000);
  const last = Math.round(((to - beat.from) * beat.rate) / 1000);
  if (first < 0 || last >= values.length) return Number.NaN;
  let sum = 0;
  for (let i = first; i <= last; i++) sum += values[i] ?? Number.NaN;
  return sum / (last - first + 1);
}

export const stPoints = [0, 60, 80] as const;

/**
 * ST of each lead at J and 60 and 80 ms after it, mV: the mean over 8 ms against the 16 ms that end 4 ms before QRS
 * onset (Thygesen 2018, Circulation 138:e618: at the J point against the onset of QRS).
 */
export function stLevels(beat: Beat, marks: Marks): Map<string, number[]> {
  const found = new Map<string, number[]>();
  const { qrs_onset_ms: onset, qrs_offset_ms: j } = marks;
  if (onset === undefined || j === undefined) return found;
  for (const [lead, values] of beat.millivolts) {
    const zero = mean(beat, values, onset - 20, onset - 4);
    const levels = stPoints.map((after) => mean(beat, values, j + after - 4, j + after + 4) - zero);
    found.set(lead, levels);
  }
  return found;
}

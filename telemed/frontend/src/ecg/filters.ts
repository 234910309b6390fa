/**
 * Filters of the drawn line only: what is stored and what is measured stays as it was recorded.
 *
 * Each runs forward and backward over the samples, so that no wave is moved in time. Second-order sections by the
 * bilinear transform (R. Bristow-Johnson, Cookbook formulae for audio EQ biquad filter coefficients).
 */
import type { Waveform } from "./waveform";

/** Hz; 0 is off. AHA/ACC/HRS 2007: 0.05 Hz keeps ST true, a higher limit only where the phase is kept. */
export const baselines = [0, 0.05, 0.5] as const;
export const lowPasses = [0, 150, 100, 40, 35] as const;

export interface Filter {
  baseline: (typeof baselines)[number];
  lowPass: (typeof lowPasses)[number];
  /** 50 Hz, the mains. */
  notch: boolean;
}

export const unfiltered: Filter = { baseline: 0, lowPass: 0, notch: false };

const MAINS = 50;
const NOTCH_Q = 12;
/** Two passes of a second-order Butterworth are 3 dB down at 0.802 of its own limit: (sqrt(2) - 1)^(1/4). */
const TWICE = (Math.SQRT2 - 1) ** 0.25;
/** Too near half the sampling rate a limit would be another one than it says. */
const HIGHEST = 0.45;

export function possible(frequency: number, rate: number): boolean {
  return frequency < HIGHEST * rate;
}

/** What of a setting can be done at this sampling rate, and so what is done. */
export function effective(filter: Filter, rate: number): Filter {
  return {
    baseline: filter.baseline,
    lowPass: possible(filter.lowPass, rate) ? filter.lowPass : 0,
    notch: filter.notch && possible(MAINS, rate),
  };
}

interface Section {
  b: readonly [number, number, number];
  a: readonly [number, number];
}

function section(kind: "low" | "high" | "notch", frequency: number, rate: number, q: number): Section {
  const w = (2 * Math.PI * frequency) / rate;
  const cos = Math.cos(w);
  const alpha = Math.sin(w) / (2 * q);
  const a0 = 1 + alpha;
  const edge = kind === "low" ? (1 - cos) / 2 : kind === "high" ? (1 + cos) / 2 : 1;
  const middle = kind === "low" ? 2 * edge : kind === "high" ? -2 * edge : -2 * cos;
  return { b: [edge / a0, middle / a0, edge / a0], a: [(-2 * cos) / a0, (1 - alpha) / a0] };
}

function sections(filter: Filter, rate: number): Section[] {
  const found: Section[] = [];
  const { baseline, lowPass, notch } = effective(filter, rate);
  if (baseline) found.push(section("high", baseline * TWICE, rate, Math.SQRT1_2));
  if (lowPass) found.push(section("low", lowPass / TWICE, rate, Math.SQRT1_2));
  if (notch) found.push(section("notch", MAINS, rate, NOTCH_Q));
  return found;
}

/** In place; begins as if the first value had lasted for ever, so that a level makes no wave of its own. */
function pass(values: Float64Array, { b, a }: Section): void {
  const first = values[0] ?? 0;
  const settled = (first * (b[0] + b[1] + b[2])) / (1 + a[0] + a[1]);
  let [x1, x2, y1, y2] = [first, first, settled, settled];
  for (let i = 0; i < values.length; i++) {
    const x = values[i] ?? 0;
    const y = b[0] * x + b[1] * x1 + b[2] * x2 - a[0] * y1 - a[1] * y2;
    x2 = x1;
    x1 = x;
    y2 = y1;
    y1 = y;
    values[i] = y;
  }
}

/** A stretch without gaps, forward and backward, with its ends turned about themselves beyond it. */
function smooth(stretch: Float32Array, chain: readonly Section[]): Float32Array {
  const n = stretch.length;
  const beyond = n - 1;
  const [first, last] = [stretch[0] ?? 0, stretch[n - 1] ?? 0];
  const whole = new Float64Array(n + 2 * beyond);
  for (let i = 0; i < beyond; i++) {
    whole[i] = 2 * first - (stretch[beyond - i] ?? 0);
    whole[n + beyond + i] = 2 * last - (stretch[n - 2 - i] ?? 0);
  }
  whole.set(stretch, beyond);
  for (const one of chain) {
    pass(whole, one);
    whole.reverse();
    pass(whole, one);
    whole.reverse();
  }
  return Float32Array.from(whole.subarray(beyond, beyond + n));
}

function filtered(values: Float32Array, chain: readonly Section[]): Float32Array {
  const result = new Float32Array(values);
  let start = 0;
  while (start < values.length) {
    if (Number.isNaN(values[start])) {
      start += 1;
      continue;
    }
    let end = start;
    while (end < values.length && !Number.isNaN(values[end])) end += 1;
    result.set(smooth(values.subarray(start, end), chain), start);
    start = end;
  }
  return result;
}

/** The recording as it is drawn; the recording itself where nothing is filtered. */
export function display(waveform: Waveform, filter: Filter): Waveform {
  const chain = sections(filter, waveform.rate);
  if (chain.length === 0) return waveform;
  const millivolts = new Map<string, Float32Array>();
  for (const [lead, values] of waveform.millivolts) millivolts.set(lead, filtered(values, chain));
  return { ...waveform, millivolts };
}

/** The same person's earlier ECGs: which there are, and one of them with all that this one is compared with. */
import { bytes, get } from "../core/api";
import type { Case } from "../core/types";
import { type GivenBeat, type Marks, readBeat } from "../ecg/beat";
import { readWaveform, type Waveform } from "../ecg/waveform";
import { instancesOf } from "./case-cache";
import type { Recording } from "./changes";

export interface Prior {
  id: string;
  arrived_at: string;
  comparable: boolean;
  impression: string;
  site: string;
}

interface OwnReading {
  measurements: { analysis: string; marks: Marks }[];
}

export interface Earlier {
  prior: Prior;
  item: Case;
  /** Null where no representative beat was kept of it: its curves alone can be compared. */
  recording: Recording | null;
  /** A reader moved the machine's marks: theirs are compared. */
  corrected: boolean;
  /** Fetched once, when the curves are first looked at; null where it is on paper alone. */
  waveform: (() => Promise<Waveform>) | null;
}

/** Looking for a beat goes no further back by itself: each look opens another case, and is recorded. */
const LOOKED_AT = 5;

const path = (id: string): string => `/api/v1/cases/${encodeURIComponent(id)}`;

/** Newest first. */
export async function earlierEcgs(item: Case): Promise<Prior[]> {
  const { rows } = await get<{ rows: Prior[] }>(`${path(item.id)}/priors`);
  const earlier = rows.filter((one) => one.comparable && one.arrived_at < item.arrived_at);
  return earlier.sort((a, b) => b.arrived_at.localeCompare(a.arrived_at));
}

/** The newest that can be measured against, where this one can be measured; else the newest. */
export async function lastOf(priors: readonly Prior[], measured: boolean): Promise<Earlier | null> {
  const [newest] = priors;
  if (!newest) return null;
  for (const prior of measured ? priors.slice(0, LOOKED_AT) : []) {
    const beats = await beatsOf(prior);
    if (beats.length > 0) return read(prior, beats);
  }
  return readEarlier(newest);
}

export async function readEarlier(prior: Prior): Promise<Earlier> {
  return read(prior, await beatsOf(prior));
}

function beatsOf(prior: Prior): Promise<GivenBeat[]> {
  return get<GivenBeat[]>(`${path(prior.id)}/median-beats`);
}

async function read(prior: Prior, beats: readonly GivenBeat[]): Promise<Earlier> {
  const [given] = beats;
  const [item, kept] = await Promise.all([
    get<Case>(path(prior.id)),
    given ? get<OwnReading>(`${path(prior.id)}/own-reading`) : null,
  ]);
  const own = given && kept ? marksIn(kept, given.analysis) : undefined;
  const beat = given && readBeat(given);
  const ecgs = instancesOf(item).filter((one) => one.waveform_url);
  // The recording that was measured, where a study has several.
  const drawn = ecgs.find((one) => one.sop_instance_uid === given?.sop_instance_uid) ?? ecgs[0];
  const url = drawn?.waveform_url;
  let waveform: Promise<Waveform> | undefined;
  return {
    prior,
    item,
    recording: beat ? { item, beat, marks: own ?? beat.marks } : null,
    corrected: own !== undefined,
    waveform: url
      ? () => {
          waveform ??= bytes(url).then(readWaveform);
          return waveform;
        }
      : null,
  };
}

function marksIn({ measurements }: OwnReading, analysis: string): Marks | undefined {
  const kept = measurements.find((one) => one.analysis === analysis)?.marks;
  // A mark that is no number stands for a wave that is not there.
  return kept && Object.fromEntries(Object.entries(kept).filter(([, at]) => typeof at === "number"));
}

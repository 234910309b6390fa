/** Cases that are open or will be next, with their waveforms: the next case is there before it is asked for. */
import { bytes, get } from "../core/api";
import type { Case, Instance } from "../core/types";
import { readWaveform, type Waveform } from "../ecg/waveform";
import { previewUrl } from "./preview";

const KEPT = 4;

export function instancesOf(item: Case): Instance[] {
  return item.series.flatMap((series) => series.instances);
}

function path(id: string): string {
  return `/api/v1/cases/${encodeURIComponent(id)}`;
}

export class CaseCache {
  private readonly cases = new Map<string, Promise<Case>>();
  private readonly waveforms = new Map<string, Promise<Waveform>>();
  private round = 0;

  /** What was fetched ahead, once: whoever opens a case looks again for what has changed since. */
  take(id: string): Promise<Case> | undefined {
    const known = this.cases.get(id);
    this.cases.delete(id);
    return known;
  }

  fetch(id: string): Promise<Case> {
    return get<Case>(path(id));
  }

  waveform(url: string): Promise<Waveform> {
    let found = this.waveforms.get(url);
    if (!found) {
      found = bytes(url).then(readWaveform);
      remember(this.waveforms, url, found);
    }
    return found;
  }

  /** One after the other, the nearest first, until others are asked for. */
  async ahead(ids: readonly string[]): Promise<void> {
    this.round += 1;
    const { round } = this;
    for (const id of ids) {
      if (round !== this.round) return;
      await this.prefetch(id);
    }
  }

  private async prefetch(id: string): Promise<void> {
    if (this.cases.has(id)) return;
    try {
      // On record as fetched, not as opened: nobody has seen this patient yet.
      const coming = get<Case>(`${path(id)}?ahead=1`);
      remember(this.cases, id, coming);
      const item = await coming;
      const first = instancesOf(item).find((instance) => instance.waveform_url || instance.rendered_url);
      if (first?.waveform_url) await this.waveform(first.waveform_url);
      else if (first?.rendered_url) await pictures(item, first.rendered_url);
    } catch (cause) {
      // Ahead of need only: opening the case asks again and tells the reader what is wrong.
      console.warn(`case ${id} was not fetched ahead`, cause);
    }
  }

  forget(id: string): void {
    this.cases.delete(id);
  }
}

/** The full grey values; where they cannot be had, at least the server's picture. */
async function pictures(item: Case, renderedUrl: string): Promise<void> {
  const { prefetch } = await import("../image/room");
  if (!(await prefetch(item))) new Image().src = previewUrl(renderedUrl).href;
}

function remember<T>(map: Map<string, Promise<T>>, key: string, value: Promise<T>): void {
  map.set(key, value);
  // A failure is not an answer: the next request tries again.
  value.catch(() => map.delete(key));
  for (const oldest of map.keys()) {
    if (map.size <= KEPT) break;
    map.delete(oldest);
  }
}

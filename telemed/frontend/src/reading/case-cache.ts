/** Cases that are open or will be next, with their waveforms: the next case is there before it is asked for. */
import { bytes, get } from "../core/api";
import type { Case, Instance } from "../core/types";
import { readWaveform, type Waveform } from "../ecg/waveform";
import { previewUrl } from "./preview";

const KEPT = 4;

export function instancesOf(item: Case): Instance[] {
  return item.series.flatMap((series) => series.instances);
}

export class CaseCache {
  private readonly cases = new Map<string, Promise<Case>>();
  private readonly waveforms = new Map<string, Promise<Waveform>>();

  /** What was fetched ahead, once: whoever opens a case looks again for what has changed since. */
  take(id: string): Promise<Case> | undefined {
    const known = this.cases.get(id);
    this.cases.delete(id);
    return known;
  }

  fetch(id: string): Promise<Case> {
    return get<Case>(`/api/v1/cases/${encodeURIComponent(id)}`);
  }

  waveform(url: string): Promise<Waveform> {
    let found = this.waveforms.get(url);
    if (!found) {
      found = bytes(url).then(readWaveform);
      remember(this.waveforms, url, found);
    }
    return found;
  }

  prefetch(id: string): void {
    if (this.cases.has(id)) return;
    const coming = this.fetch(id);
    remember(this.cases, id, coming);
    coming
      .then((item) => {
        const first = instancesOf(item).find((instance) => instance.waveform_url || instance.rendered_url);
        if (first?.waveform_url) return this.waveform(first.waveform_url);
        if (first?.rendered_url) new Image().src = previewUrl(first.rendered_url).href;
        return undefined;
      })
      // Ahead of need only: opening the case asks again and tells the reader what is wrong.
      .catch((cause: unknown) => console.warn(`case ${id} was not fetched ahead`, cause));
  }

  forget(id: string): void {
    this.cases.delete(id);
  }
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

/** How an exam is hung: data, the first row that fits. */
import type { Case } from "../core/types";

export interface Layout {
  modalities: readonly string[];
  /** Found in the body part or in the name of the exam; none fits all. */
  body?: RegExp;
  /** The last exam of its kind stands beside from the start, where there is one. */
  prior: boolean;
  /** Number of the window to begin with; the first is the object's own. */
  window: number;
}

export const layouts: readonly Layout[] = [
  { modalities: ["CT"], body: /HEAD|BRAIN|SKULL/i, prior: true, window: 5 },
  { modalities: ["CT"], prior: true, window: 1 },
  { modalities: ["MR"], prior: true, window: 1 },
  { modalities: ["DX", "CR", "MG"], prior: true, window: 1 },
  { modalities: [], prior: false, window: 1 },
];

export function layoutFor({ modality, body_part: part, exam }: Case): Layout | undefined {
  return layouts.find(
    ({ modalities, body }) =>
      (modalities.length === 0 || modalities.includes(modality)) &&
      (body === undefined || body.test(`${part} ${exam}`)),
  );
}

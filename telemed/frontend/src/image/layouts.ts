/** How an exam is hung: data, the first row that fits. A centre's own rows come before the usual ones. */
import { get } from "../core/api";
import type { Case } from "../core/types";

export interface Layout {
  /** Empty fits all. */
  modality: string;
  /** Found in the body part or in the name of the exam; empty fits all. */
  body_part: string;
  /** The last exam of its kind stands beside from the start, where there is one. */
  prior: boolean;
  /** Number of the window to begin with; the first is the object's own. */
  window: number;
}

const brains = ["HEAD", "BRAIN", "SKULL"].map((part) => ({
  modality: "CT",
  body_part: part,
  prior: true,
  window: 5,
}));
const compared = ["CT", "MR", "DX", "CR", "MG"].map((name) => ({
  modality: name,
  body_part: "",
  prior: true,
  window: 1,
}));

export const usual: readonly Layout[] = [
  ...brains,
  ...compared,
  { modality: "", body_part: "", prior: false, window: 1 },
];

export function layoutFor(item: Case, own: readonly Layout[] = []): Layout | undefined {
  const named = `${item.body_part} ${item.exam}`.toUpperCase();
  return [...own, ...usual].find(
    ({ modality, body_part: part }) => ["", item.modality].includes(modality) && named.includes(part),
  );
}

let known: Promise<Layout[]> | null = null;

/** The centre's, asked for once a page; while they cannot be had exams are hung as usual. */
export async function ownLayouts(): Promise<readonly Layout[]> {
  known ??= get<Layout[]>("/api/v1/hanging");
  try {
    return await known;
  } catch (cause) {
    known = null;
    console.warn("the centre's layouts could not be read: hung as usual", cause);
    return [];
  }
}

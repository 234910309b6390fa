/** Other exams of the same person, as far as they can stand beside this one. */
import { get } from "../core/api";
import { t } from "../core/page";
import { clock } from "../core/time";
import type { Case } from "../core/types";
import { type Stack, stacksOf } from "./stacks";

/** As the list of a person's other exams has it. */
export interface OtherExam {
  id: string;
  exam: string;
  arrived_at: string;
  earlier: boolean;
  /** Of the same modality. */
  comparable: boolean;
  same_part: boolean;
}

export interface Compared {
  title: string;
  stacks: readonly Stack[];
  /** A person chose this one: it is shown even where none of its series goes with what is looked at. */
  chosen: boolean;
}

const path = (id: string): string => `/api/v1/cases/${encodeURIComponent(id)}`;

/** The last before this one of the same modality and part; null where there is none with pictures. */
export async function priorOf(item: Case): Promise<Compared | null> {
  const { rows } = await get<{ rows: OtherExam[] }>(`${path(item.id)}/priors`);
  const fitting = rows.find((one) => one.earlier && one.comparable && one.same_part);
  return fitting ? picturesOf(fitting, false) : null;
}

export async function picturesOf(other: OtherExam, chosen: boolean): Promise<Compared | null> {
  const stacks = stacksOf((await get<Case>(path(other.id))).series);
  if (stacks.length === 0) return null;
  const named = other.earlier ? "ui.image.prior" : "ui.image.prior.later";
  return { title: t(named, { time: clock(other.arrived_at), exam: other.exam }), stacks, chosen };
}

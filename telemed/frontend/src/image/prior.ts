/** An earlier exam beside this one: which it is, and which of its slices lies where this one's does. */
import { get } from "../core/api";
import type { Case } from "../core/types";
import { known } from "./loader";
import type { Pane } from "./pane";
import { type Stack, stacksOf } from "./stacks";

interface Row {
  id: string;
  body_part: string;
  comparable: boolean;
  arrived_at: string;
  exam: string;
}

export interface Prior {
  arrivedAt: string;
  exam: string;
  stack: Stack;
}

/** The latest of the same modality, of the same part where that is known; null where there is none with pictures. */
export async function priorOf(item: Case, at: number): Promise<Prior | null> {
  const path = (id: string): string => `/api/v1/cases/${encodeURIComponent(id)}`;
  const { rows } = await get<{ rows: Row[] }>(`${path(item.id)}/priors`);
  const alike = rows.filter(({ comparable }) => comparable);
  const chosen = alike.find(({ body_part: part }) => part === item.body_part) ?? alike[0];
  if (!chosen) return null;
  const stacks = stacksOf((await get<Case>(path(chosen.id))).series);
  const stack = stacks[Math.min(at, stacks.length - 1)];
  return stack ? { arrivedAt: chosen.arrived_at, exam: chosen.exam, stack } : null;
}

/** Where its slices lie along their common normal (mm); null where one of them does not say. */
async function placesOf(stack: Stack): Promise<number[] | null> {
  const found: number[] = [];
  for (const { id } of stack.pictures) {
    const { position, orientation } = await known(id);
    if (!position || !orientation) return null;
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = orientation;
    const normal = [b * f - c * e, c * d - a * f, a * e - b * d];
    found.push(normal.reduce((sum, one, axis) => sum + one * (position[axis] ?? 0), 0));
  }
  return found;
}

/** Two stacks that go together: by millimetres where both tell them, else slice by slice. */
export class Link {
  private readonly main: Pane;
  private readonly prior: Pane;
  private from = { main: 0, prior: 0 };
  private places: { main: number[]; prior: number[] } | null = null;

  constructor(main: Pane, prior: Pane) {
    this.main = main;
    this.prior = prior;
    this.align();
  }

  async measure(): Promise<void> {
    const [main, prior] = [this.main.stack, this.prior.stack];
    const places = main && prior ? await Promise.all([placesOf(main), placesOf(prior)]) : [];
    const [mine, others] = places;
    if (!mine || !others || main !== this.main.stack) return;
    this.places = { main: mine, prior: others };
    // What was leafed before was counted in slices: now by where they lie.
    await this.follow(this.main.index);
  }

  /** As they stand now they belong together: after a person leafed through one alone. */
  align(): void {
    this.from = { main: this.main.index, prior: this.prior.index };
  }

  async follow(index: number): Promise<void> {
    const { places, from } = this;
    const step = index - from.main;
    if (!places) {
      await this.prior.turnTo(from.prior + step);
      return;
    }
    const moved = (places.main[index] ?? 0) - (places.main[from.main] ?? 0);
    const wanted = (places.prior[from.prior] ?? 0) + moved;
    let best = 0;
    for (let at = 1; at < places.prior.length; at++)
      if (Math.abs((places.prior[at] ?? 0) - wanted) < Math.abs((places.prior[best] ?? 0) - wanted))
        best = at;
    await this.prior.turnTo(best);
  }
}

/** Two stacks that go together: by millimetres where both tell them, else slice by slice. */
import { known } from "./loader";
import type { Pane } from "./pane";
import type { Stack } from "./stacks";

/** Where its slices lie along their common normal (mm); null where one of them does not say. */
async function placesOf(stack: Stack): Promise<number[] | null> {
  const found: number[] = [];
  for (const { id } of stack.pictures) {
    const { position, orientation } = await known(id);
    if (!position || !orientation) return null;
    const normal = normalOf(orientation);
    found.push(normal.reduce((sum, one, axis) => sum + one * (position[axis] ?? 0), 0));
  }
  return found;
}

/** Of the plane that a picture lies in, from the direction cosines of its rows and columns. */
export function normalOf([a = 0, b = 0, c = 0, d = 0, e = 0, f = 0]: readonly number[]): number[] {
  return [b * f - c * e, c * d - a * f, a * e - b * d];
}

/** Of the two stacks that the panes show when it is made. Another stack is another link. */
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
    if (!mine || !others || main !== this.main.stack || prior !== this.prior.stack) return;
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
    const [now, then, other] = [places?.main[index], places?.main[from.main], places?.prior[from.prior]];
    if (!places || now === undefined || then === undefined || other === undefined) {
      await this.prior.turnTo(from.prior + index - from.main);
      return;
    }
    const wanted = other + now - then;
    let best = 0;
    for (let at = 1; at < places.prior.length; at++)
      if (Math.abs((places.prior[at] ?? 0) - wanted) < Math.abs((places.prior[best] ?? 0) - wanted))
        best = at;
    await this.prior.turnTo(best);
  }
}

/** Which series of one exam goes with one of another: that of the same projection or plane, and of the same name. */
import type { Description } from "./description";
import { normalOf } from "./link";
import { known } from "./loader";
import { projectionOf } from "./projection";
import type { Stack } from "./stacks";

interface Seen {
  stack: Stack;
  description: Description;
}

/** Planes that differ by less are looked at as one: a gantry tilts by up to thirty degrees. */
const SAME_PLANE = Math.cos((35 * Math.PI) / 180);

/** Undefined where none shows the same from the same side. */
export async function matching(stack: Stack, others: readonly Stack[]): Promise<Stack | undefined> {
  const [mine, ...theirs] = await Promise.all([stack, ...others].map(seen));
  let best: { stack: Stack; score: number } | undefined;
  for (const one of theirs) {
    if (!mine || !one || !fits(mine, one)) continue;
    const score = likeness(mine, one);
    if (!best || score > best.score) best = { stack: one.stack, score };
  }
  return best?.stack;
}

async function seen(stack: Stack): Promise<Seen | undefined> {
  const first = stack.pictures[0];
  return first && { stack, description: await known(first.id) };
}

/** What is not said speaks neither for nor against. */
function fits({ stack: one, description: a }: Seen, { stack: other, description: b }: Seen): boolean {
  if (a.orientation && b.orientation) {
    const [mine, theirs] = [normalOf(a.orientation), normalOf(b.orientation)];
    const along = mine.reduce((sum, part, axis) => sum + part * (theirs[axis] ?? 0), 0);
    if (Math.abs(along) < SAME_PLANE) return false;
  }
  const [mine, theirs] = [projectionOf(a.view, one.title), projectionOf(b.view, other.title)];
  if (mine && theirs && mine !== theirs) return false;
  return `${a.laterality}${b.laterality}` !== "LR" && `${a.laterality}${b.laterality}` !== "RL";
}

const words = (text: string): Set<string> => new Set(text.toUpperCase().match(/[\p{L}\d.]+/gu) ?? []);

function likeness({ stack: one, description: a }: Seen, { stack: other, description: b }: Seen): number {
  const [mine, theirs] = [words(one.title), words(other.title)];
  const shared = [...mine].filter((word) => theirs.has(word)).length;
  const said = [
    one.modality === other.modality ? 20 : 0,
    one.title !== "" && one.title === other.title ? 10 : Math.min(shared, 5),
    // A scout is one picture, what it was made for are many.
    one.pictures.length > 1 === other.pictures.length > 1 ? 6 : 0,
    a.rows === b.rows && a.columns === b.columns ? 2 : 0,
    one.number !== null && one.number === other.number ? 1 : 0,
  ];
  return said.reduce((sum, part) => sum + part, 0);
}

/**
 * Which side of the patient lies at which edge: L and R, A and P, H and F, as on the films of every vendor.
 *
 * Axes of the patient (PS3.3 C.7.6.2.1.1): x to the left, y to the back, z to the head.
 */
import type { Description } from "./description";

export interface Edges {
  left: string;
  right: string;
  top: string;
  bottom: string;
}

type Vector = readonly [number, number, number];

const LETTERS = [
  ["R", "L"],
  ["A", "P"],
  ["F", "H"],
] as const;
/** An axis counts from a tilt of fifteen degrees on. */
const COUNTS = Math.sin((15 * Math.PI) / 180);

/** Null where the object does not say how it lies: nothing is guessed of a side. `matrix` is from picture to screen. */
export function edgesOf({ orientation, sides }: Description, matrix: DOMMatrix): Edges | null {
  const along = orientation ? vector(orientation.slice(0, 3)) : sides && ofLetters(sides[0]);
  const down = orientation ? vector(orientation.slice(3)) : sides && ofLetters(sides[1]);
  if (!along || !down) return null;
  const { a, b, c, d } = matrix;
  const turned = a * d - b * c;
  if (turned === 0) return null;
  // Where a step to the right, and one down, on the screen lead in the picture.
  const right = combined(along, d / turned, down, -b / turned);
  const bottom = combined(along, -c / turned, down, a / turned);
  return { left: named(right, -1), right: named(right, 1), top: named(bottom, -1), bottom: named(bottom, 1) };
}

function vector([x = 0, y = 0, z = 0]: readonly number[]): Vector {
  return [x, y, z];
}

function combined(one: Vector, share: number, other: Vector, rest: number): Vector {
  const found = one.map((part, axis) => part * share + (other[axis] ?? 0) * rest);
  const length = Math.hypot(...found) || 1;
  return vector(found.map((part) => part / length));
}

/** Letters of Patient Orientation (0020,0020), the leading one first. */
function ofLetters(letters: string): Vector | null {
  const found: [number, number, number] = [0, 0, 0];
  for (const [at, letter] of [...letters.toUpperCase()].entries()) {
    const axis = LETTERS.findIndex((pair) => (pair as readonly string[]).includes(letter));
    if (axis < 0) return null;
    found[axis] = (letter === LETTERS[axis]?.[1] ? 1 : -1) / 2 ** at;
  }
  return letters ? found : null;
}

/** The letters of a direction, the strongest first. */
function named(direction: Vector, sign: number): string {
  return direction
    .map((part, axis) => ({ part: part * sign, axis }))
    .filter(({ part }) => Math.abs(part) >= COUNTS)
    .sort((one, other) => Math.abs(other.part) - Math.abs(one.part))
    .map(({ part, axis }) => LETTERS[axis]?.[part > 0 ? 1 : 0] ?? "")
    .join("");
}

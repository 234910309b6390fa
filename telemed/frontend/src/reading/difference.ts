/** Two texts as one: what was taken away, and what was put in its place. */
import { h } from "../core/dom";
import { t } from "../core/page";
import type { Report } from "../core/types";

type Piece = { kind: "same" | "gone" | "new"; text: string };
/** Beyond this many pairs the middle is shown as replaced whole: a report is a page, not a book. */
const LARGEST = 4_000_000;
const parts = ["findings", "impression", "recommendation"] as const;

/** Words of Latin letters and numbers whole, Chinese character by character. */
function tokens(text: string): string[] {
  return text.match(/[A-Za-z0-9.]+|\s+|./gsu) ?? [];
}

export function difference(before: string, after: string): Piece[] {
  const old = tokens(before);
  const now = tokens(after);
  let start = 0;
  while (start < Math.min(old.length, now.length) && old[start] === now[start]) start += 1;
  let end = 0;
  while (
    end < Math.min(old.length, now.length) - start &&
    old[old.length - 1 - end] === now[now.length - 1 - end]
  )
    end += 1;
  const pieces: Piece[] = [];
  const add = (kind: Piece["kind"], text: string): void => {
    const last = pieces[pieces.length - 1];
    if (last?.kind === kind) last.text += text;
    else if (text) pieces.push({ kind, text });
  };
  add("same", old.slice(0, start).join(""));
  middle(old.slice(start, old.length - end), now.slice(start, now.length - end), add);
  add("same", old.slice(old.length - end).join(""));
  return pieces;
}

/** The longest common subsequence, walked from the front. */
function middle(old: string[], now: string[], add: (kind: Piece["kind"], text: string) => void): void {
  if (old.length * now.length > LARGEST) {
    add("gone", old.join(""));
    add("new", now.join(""));
    return;
  }
  const width = now.length + 1;
  const common = new Uint16Array((old.length + 1) * width);
  const at = (i: number, j: number): number => common[i * width + j] ?? 0;
  for (let i = old.length - 1; i >= 0; i -= 1)
    for (let j = now.length - 1; j >= 0; j -= 1)
      common[i * width + j] = old[i] === now[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  let i = 0;
  let j = 0;
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      add("same", old[i] ?? "");
      i += 1;
      j += 1;
    } else if (i < old.length && (j === now.length || at(i + 1, j) >= at(i, j + 1))) {
      add("gone", old[i] ?? "");
      i += 1;
    } else {
      add("new", now[j] ?? "");
      j += 1;
    }
  }
}

function pieceElement({ kind, text }: Piece): HTMLElement | string {
  if (kind === "same") return text;
  return h(kind === "gone" ? "del" : "ins", {}, text);
}

/** What the reviewing doctor made of the words that were signed first. */
export function reviewChanges(report: Report): HTMLElement | null {
  const { submitted } = report;
  if (!submitted) return null;
  const changed = parts.filter((name) => submitted[name] !== report[name]);
  return h(
    "section",
    { class: "review-changes", "aria-label": t("ui.review.changes") },
    h("h3", {}, t("ui.review.changes")),
    h("p", { class: "muted" }, t("ui.review.changes_what")),
    ...changed.map((name) =>
      h(
        "p",
        { class: "text" },
        h("strong", {}, `${t(`ui.report.${name}`)} `),
        ...difference(submitted[name], report[name]).map(pieceElement),
      ),
    ),
  );
}

/** What waits, in front of the page's title: seen from another tab too. Each kind of it has its own mark. */
const title = document.title;
const marks = new Map<string, string>();

export function markTitle(kind: string, mark: string): void {
  if (mark) marks.set(kind, mark);
  else marks.delete(kind);
  const found = Array.from(marks.keys()).sort();
  document.title = [...found.map((one) => marks.get(one)), title].join(" · ");
}

/** A choice that depends on another: `data-chooses` names the field whose groups are offered `data-for` a value. */
export function dependentChoices(): void {
  for (const chooser of Array.from(document.querySelectorAll<HTMLSelectElement>("select[data-chooses]"))) {
    const field = chooser.form?.elements.namedItem(chooser.dataset.chooses ?? "");
    if (!(field instanceof HTMLSelectElement)) continue;
    chooser.addEventListener("change", () => offer(chooser.value, field));
    offer(chooser.value, field);
  }
}

/** The group of that value, or the one of every other; what was chosen of another group is not kept. */
function offer(value: string, field: HTMLSelectElement): void {
  const groups = Array.from(field.querySelectorAll<HTMLOptGroupElement>("optgroup[data-for]"));
  const fitting =
    groups.find((group) => group.dataset.for === value) ?? groups.find((group) => group.dataset.for === "");
  for (const group of groups) group.hidden = group.disabled = group !== fitting;
  const chosen = field.selectedOptions[0];
  const first = fitting?.querySelector("option");
  if (first && chosen?.parentElement !== fitting) first.selected = true;
}

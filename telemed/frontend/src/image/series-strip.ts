/** The series of the exam, with their number, name and count; the one on the screen is marked. */
import { h } from "../core/dom";
import { t } from "../core/page";
import type { Stack } from "./stacks";
import type { ImageStation } from "./station";

interface Entry {
  uid: string;
  number: number | null;
  title: string;
  count: number;
}

function entriesOf(stacks: readonly Stack[]): Entry[] {
  const found = new Map<string, Entry>();
  for (const { series, number, title, pictures } of stacks) {
    const known = found.get(series);
    if (known) known.count += pictures.length;
    else found.set(series, { uid: series, number, title, count: pictures.length });
  }
  return [...found.values()];
}

export class SeriesStrip {
  readonly element = h("nav", {
    class: "series-strip",
    hidden: true,
    "aria-label": t("ui.image.series"),
  });
  private readonly station: ImageStation;
  private readonly buttons = new Map<string, HTMLButtonElement>();
  private shown = "";

  constructor(station: ImageStation) {
    this.station = station;
  }

  /** Of another exam; where there is but one series there is nothing to choose. */
  opened(): void {
    const entries = entriesOf(this.station.all);
    this.shown = "";
    this.buttons.clear();
    for (const one of entries) this.buttons.set(one.uid, this.button(one));
    this.element.replaceChildren(...this.buttons.values());
    this.element.hidden = entries.length < 2;
    this.update();
  }

  update(): void {
    const { series } = this.station;
    if (series === this.shown) return;
    this.buttons.get(this.shown)?.removeAttribute("aria-current");
    this.shown = series;
    const button = this.buttons.get(series);
    button?.setAttribute("aria-current", "true");
    button?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  private button({ uid, number, title, count }: Entry): HTMLButtonElement {
    const name = title || t("ui.image.series.unnamed");
    return h(
      "button",
      {
        type: "button",
        class: "quiet",
        title: name,
        onclick: () => void this.station.toSeries(uid),
      },
      number !== null && h("span", { class: "series-number" }, String(number)),
      h("span", { class: "series-name" }, name),
      h("span", { class: "series-count" }, t("ui.image.series.count", { count })),
    );
  }
}

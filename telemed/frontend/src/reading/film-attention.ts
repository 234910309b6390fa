/** Where a film network looked, over the picture. Off until the reader asks for it: attention, not an outline. */
import { explain, get } from "../core/api";
import { h, setText } from "../core/dom";
import { modelName } from "../core/model-name";
import { maybe, t } from "../core/page";
import type { Case } from "../core/types";

interface HeatMap {
  sop_instance_uid: string;
  model: string;
  version: string;
  finding: string;
  cells: number[][];
  /** Left, top, right, bottom as shares of the picture. */
  region: [number, number, number, number];
}

/**
 * The strongest colour covers half of what is under it, and weak evidence nothing. Of a picture that is evidence all
 * over no more than its strongest quarter is coloured, else the map says nothing; how strong is never made up for.
 */
const strongest = 0.5;
const weakest = 0.25;
const coloured = 0.25;

export class FilmAttention {
  /** Lies over the picture and moves with it. */
  readonly canvas = h("canvas", { class: "picture attention", hidden: true, "aria-hidden": "true" });
  readonly element = h("span", { class: "attention-switch" });
  private readonly note = h("span", { class: "muted", role: "status" });
  private readonly button = h(
    "button",
    { type: "button", class: "quiet", "aria-pressed": "false", onclick: () => void this.toggle() },
    t("ui.attention.show"),
  );
  private readonly strength = h("input", {
    type: "range",
    min: 10,
    max: 100,
    step: 10,
    value: 100,
    hidden: true,
    "aria-label": t("ui.attention.strength"),
    title: t("ui.attention.strength"),
  });
  private caseId = "";
  private maps: HeatMap[] | null = null;
  private instance = "";
  private size = { width: 1, height: 1 };
  private on = false;

  constructor() {
    this.strength.addEventListener("input", () => {
      this.canvas.style.opacity = String(Number(this.strength.value) / 100);
    });
    this.element.append(this.button, this.strength, this.note);
  }

  /** Another case: off again, and there is a switch only where an answer has a map. */
  open(item: Case): void {
    if (item.id !== this.caseId) {
      this.maps = null;
      this.on = false;
    }
    this.caseId = item.id;
    this.element.hidden = !item.analyses.some((analysis) => analysis.has_heat_map);
    this.draw();
  }

  /** What is on the screen: whose map is meant, and the picture's own size, to lie exactly over it. */
  over(instance: string, width: number, height: number): void {
    this.instance = instance;
    this.size = { width: Math.max(width, 1), height: Math.max(height, 1) };
    this.draw();
  }

  /** The same, over a picture that moves by a matrix of its own: from its pixels to those of the page. */
  follow(instance: string, size: { rows: number; columns: number }, matrix: DOMMatrix): void {
    const { canvas } = this;
    if (instance !== this.instance || !canvas.classList.contains("placed")) {
      canvas.classList.add("placed");
      canvas.style.width = `${size.columns}px`;
      canvas.style.height = `${size.rows}px`;
      this.over(instance, size.columns, size.rows);
    }
    canvas.style.transform = matrix.toString();
  }

  /** Over the server's picture again, which the style sheet places. */
  unplaced(): void {
    if (!this.canvas.classList.contains("placed")) return;
    this.canvas.classList.remove("placed");
    this.canvas.style.width = "";
    this.canvas.style.height = "";
    this.canvas.style.transform = "";
  }

  async toggle(): Promise<void> {
    this.on = !this.on;
    const { caseId } = this;
    if (this.on && !this.maps) {
      try {
        const found = await get<HeatMap[]>(`/api/v1/cases/${encodeURIComponent(caseId)}/heat-maps`);
        if (caseId !== this.caseId) return;
        this.maps = found;
      } catch (cause) {
        if (caseId !== this.caseId) return;
        this.on = false;
        this.draw();
        setText(this.note, explain(cause));
        return;
      }
    }
    this.draw();
  }

  private draw(): void {
    this.button.setAttribute("aria-pressed", String(this.on));
    const map = this.on ? this.maps?.find((one) => one.sop_instance_uid === this.instance) : undefined;
    this.canvas.hidden = !map;
    this.strength.hidden = !map;
    if (!map) {
      setText(this.note, this.on && this.maps ? t("ui.attention.none") : "");
      return;
    }
    const finding = maybe(`ui.finding.${map.finding}`) ?? map.finding;
    setText(this.note, t("ui.attention.note", { finding, model: `${modelName(map.model)} ${map.version}` }));
    this.paint(map);
  }

  private paint(map: HeatMap): void {
    const rows = map.cells.length;
    const columns = map.cells[0]?.length ?? 0;
    const small = h("canvas", { width: columns, height: rows });
    const cells = small.getContext("2d");
    const context = this.canvas.getContext("2d");
    if (!cells || !context || rows === 0 || columns === 0) return;
    const pixels = cells.createImageData(columns, rows);
    const values = map.cells.flat();
    const least = beginningOfColour(values);
    values.forEach((value, index) => {
      const share = Math.max(0, (value - least) / (1 - least));
      pixels.data.set(
        [255, Math.round(190 * (1 - share)), 0, Math.round(255 * strongest * share)],
        index * 4,
      );
    });
    cells.putImageData(pixels, 0, 0);
    const longest = 1024 / Math.max(this.size.width, this.size.height);
    this.canvas.width = Math.round(this.size.width * longest);
    this.canvas.height = Math.round(this.size.height * longest);
    const [left, top, right, bottom] = map.region;
    const { width, height } = this.canvas;
    context.drawImage(small, left * width, top * height, (right - left) * width, (bottom - top) * height);
  }
}

function beginningOfColour(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => b - a);
  const quarter = sorted[Math.floor(sorted.length * coloured)] ?? 0;
  // Short of certain everywhere, or there would be nothing left to divide by.
  return Math.min(Math.max(weakest, quarter), 0.95);
}

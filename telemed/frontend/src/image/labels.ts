/** What stands at the edges of a picture: its sides, its window and size, the value under the pointer. */
import { h, setText } from "../core/dom";
import { t } from "../core/page";
import { type Edges, edgesOf } from "./orientation";
import { enabledOf, type View } from "./view";

const sides: readonly (keyof Edges)[] = ["left", "right", "top", "bottom"];

export class Labels {
  private readonly corner = h("output", { class: "image-corner" });
  private readonly under = h("output", { class: "image-under" });
  private readonly letters = sides.map((side) => h("span", { class: `image-side ${side}` }));
  private readonly view: View;

  constructor(view: View) {
    this.view = view;
    view.surface.addEventListener("pointermove", (event) => this.probe(event));
    view.surface.addEventListener("pointerleave", () => setText(this.under, ""));
  }

  get elements(): HTMLElement[] {
    return [this.corner, this.under, ...this.letters];
  }

  say(index: number, count: number): void {
    const { loaded, viewport } = this.view;
    if (!loaded) return;
    const { voi } = enabledOf(viewport).viewport ?? {};
    const parts = [
      count > 1 ? t("ui.picture.number", { number: index + 1, count }) : "",
      loaded.grey && voi
        ? t("ui.image.window", {
            center: Math.round(Number(voi.windowCenter)),
            width: Math.round(Number(voi.windowWidth)),
          })
        : "",
      t("ui.picture.zoom", { percent: Math.round(this.view.scale * 100) }),
    ];
    setText(this.corner, parts.filter(Boolean).join("  ·  "));
    const edges = edgesOf(loaded.description, this.view.matrix);
    for (const [at, side] of sides.entries()) {
      const letter = this.letters[at];
      if (letter) setText(letter, edges?.[side] ?? "");
    }
  }

  /** The value under the pointer, in the picture's own units. */
  private probe(event: PointerEvent): void {
    const [x, y] = this.view.pixelAt(event.clientX, event.clientY);
    const { grey, description } = this.view.loaded ?? {};
    const inside = description && x >= 0 && y >= 0 && x < description.columns && y < description.rows;
    const value = inside ? grey?.values[y * description.columns + x] : undefined;
    const unit = description?.modality === "CT" ? " HU" : "";
    setText(
      this.under,
      value === undefined ? "" : `x ${x} · y ${y} · ${Math.round(value * 100) / 100}${unit}`,
    );
  }
}

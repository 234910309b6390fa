/**
 * Pictures as the server renders them: there at once, in eight bits, until the full grey values are; and all there is
 * where those cannot be had. Zoom, pan, invert, window: changes of the view only, never of the data.
 */
import { h, setText } from "../core/dom";
import { message } from "../core/messages";
import { t } from "../core/page";
import type { Instance } from "../core/types";
import type { FilmAttention } from "./film-attention";

/** Centre and width in Hounsfield units; only CT has a scale on which a preset means the same everywhere. */
const windows = { lung: [-600, 1500], soft: [40, 400], bone: [300, 1500], brain: [40, 80] } as const;
type WindowName = keyof typeof windows;

interface Place {
  zoom: number;
  x: number;
  y: number;
}

const fitted: Place = { zoom: 1, x: 0, y: 0 };

/** As many pixels as a screen has room for: a whole film would take the server, and the line, several times as long. */
const ROOM = 1024;

export function previewUrl(renderedUrl: string): URL {
  const url = new URL(renderedUrl, location.href);
  url.searchParams.set("viewport", `${ROOM},${ROOM}`);
  return url;
}

export class Preview {
  private images: Instance[] = [];
  private modality = "";
  private index = 0;
  private place: Place = fitted;
  private inverted = false;
  private window: WindowName | null = null;
  private whole = false;
  private drag: { x: number; y: number } | null = null;
  readonly tools = h("div", { class: "stage-tools" });
  readonly image = h("img", { class: "picture", draggable: "false", alt: "" });
  private readonly attention: FilmAttention;
  private readonly frame: HTMLElement;
  private readonly state = h("output", { class: "readout" });
  readonly messages = h("div", { class: "stage-messages" });
  private arrived: () => void = () => undefined;

  constructor(frame: HTMLElement, attention: FilmAttention) {
    this.frame = frame;
    this.attention = attention;
    this.image.addEventListener("load", () => {
      this.arrived();
      setText(this.state, "");
      const instance = this.images[this.index]?.sop_instance_uid ?? "";
      this.attention.over(instance, this.image.naturalWidth, this.image.naturalHeight);
    });
    this.image.addEventListener("error", () => {
      setText(this.state, "");
      this.messages.replaceChildren(
        message("problem", t("ui.picture.failed"), [{ label: t("ui.try_again"), run: () => this.load() }]),
      );
    });
    this.frame.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    this.frame.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      this.frame.setPointerCapture(event.pointerId);
      this.drag = { x: event.clientX - this.place.x, y: event.clientY - this.place.y };
    });
    this.frame.addEventListener("pointermove", (event) => {
      if (this.drag)
        this.move({ ...this.place, x: event.clientX - this.drag.x, y: event.clientY - this.drag.y });
    });
    this.frame.addEventListener("pointerup", () => {
      this.drag = null;
    });
    this.frame.addEventListener("dblclick", () => this.move(fitted));
  }

  /** `needless` where the full grey values are in the memory; `arrived` is told when the first is on the screen. */
  show(images: Instance[], modality: string, needless: boolean, arrived: () => void): void {
    this.arrived = arrived;
    this.whole = false;
    this.images = images;
    this.modality = modality;
    this.index = 0;
    this.inverted = false;
    this.window = null;
    this.image.removeAttribute("src");
    if (!needless) this.load();
    this.move(fitted);
  }

  /** All there will be: then with every pixel, for whoever zooms in. */
  stay(): void {
    if (this.whole) return;
    this.whole = true;
    this.load();
  }

  turn(step: number): void {
    const index = Math.max(0, Math.min(this.images.length - 1, this.index + step));
    if (index === this.index) return;
    this.index = index;
    this.load();
  }

  zoom(factor: number): void {
    this.move({ ...this.place, zoom: Math.max(0.2, Math.min(20, this.place.zoom * factor)) });
  }

  fit(): void {
    this.move(fitted);
  }

  invert(): void {
    this.inverted = !this.inverted;
    this.image.classList.toggle("inverted", this.inverted);
    this.drawTools();
  }

  private load(): void {
    const instance = this.images[this.index];
    this.messages.replaceChildren();
    this.drawTools();
    if (!instance?.rendered_url) return;
    const url = this.whole
      ? new URL(instance.rendered_url, location.href)
      : previewUrl(instance.rendered_url);
    if (this.window) url.searchParams.set("window", [...windows[this.window], "linear"].join(","));
    this.image.alt = t("ui.picture.alt", { number: this.index + 1, count: this.images.length });
    this.image.classList.toggle("inverted", this.inverted);
    if (this.image.src === url.href && this.image.complete) return;
    setText(this.state, t("ui.picture.loading"));
    this.image.src = url.href;
    const ahead = this.images[this.index + 1]?.rendered_url;
    if (ahead && !this.window && this.whole) new Image().src = ahead;
  }

  private move(place: Place): void {
    this.place = place;
    const transform = `translate(${place.x}px, ${place.y}px) scale(${place.zoom})`;
    this.image.style.transform = transform;
    this.attention.canvas.style.transform = transform;
    this.drawTools();
  }

  private onWheel(event: WheelEvent): void {
    event.preventDefault();
    if (this.images.length > 1 && !event.ctrlKey) {
      this.turn(Math.sign(event.deltaY));
      return;
    }
    const factor = event.deltaY < 0 ? 1.15 : 1 / 1.15;
    const box = this.frame.getBoundingClientRect();
    const x = event.clientX - box.left - box.width / 2;
    const y = event.clientY - box.top - box.height / 2;
    const zoom = Math.max(0.2, Math.min(20, this.place.zoom * factor));
    const ratio = zoom / this.place.zoom;
    // What is under the pointer stays under it.
    this.move({ zoom, x: x - (x - this.place.x) * ratio, y: y - (y - this.place.y) * ratio });
  }

  private drawTools(): void {
    const button = (label: string, run: () => void, pressed?: boolean, name?: string): HTMLElement =>
      h(
        "button",
        {
          type: "button",
          class: "quiet",
          "aria-label": name,
          "aria-pressed": pressed === undefined ? null : String(pressed),
          onclick: run,
        },
        label,
      );
    const presets: (WindowName | null)[] =
      this.modality === "CT" ? [null, ...(Object.keys(windows) as WindowName[])] : [];
    this.tools.replaceChildren(
      button(t("ui.picture.fit"), () => this.fit()),
      button("+", () => this.zoom(1.25), undefined, t("ui.picture.zoom_in")),
      button("−", () => this.zoom(0.8), undefined, t("ui.picture.zoom_out")),
      button(t("ui.picture.invert"), () => this.invert(), this.inverted),
      ...presets.map((name) =>
        button(
          name ? t(`ui.picture.window.${name}`) : t("ui.picture.window.own"),
          () => {
            this.window = name;
            this.load();
          },
          this.window === name,
        ),
      ),
      this.images.length > 1
        ? h(
            "span",
            { class: "pager" },
            t("ui.picture.number", { number: this.index + 1, count: this.images.length }),
          )
        : "",
      this.attention.element,
      h("span", { class: "muted" }, t("ui.picture.zoom", { percent: Math.round(this.place.zoom * 100) })),
      h("span", { class: "muted filter-note" }, t("ui.picture.note")),
      this.state,
    );
  }
}

/** The pictures of a case: the server's at once, marked as preview, and the full grey values as soon as they are there. */
import { explain } from "../core/api";
import { h } from "../core/dom";
import { message } from "../core/messages";
import { t } from "../core/page";
import type { Case } from "../core/types";
import type { ImageRoom } from "../image/room";
import { FilmAttention } from "./film-attention";
import { Preview } from "./preview";

export class PicturePanel {
  readonly element = h("section", { class: "stage picture-stage", "aria-label": t("ui.picture.title") });
  private readonly attention = new FilmAttention();
  private readonly mark = h("p", { class: "preview-mark", role: "status", hidden: true });
  private readonly frame = h("div", { class: "picture-frame", tabindex: "0" });
  private readonly preview = new Preview(this.frame, this.attention);
  private room: ImageRoom | null = null;
  /** The full grey values are on the screen. */
  private full = false;
  private item: Case | null = null;
  private opening = 0;
  /** The picture of the open case is on the screen, or will not come. */
  settled: Promise<void> = Promise.resolve();

  constructor() {
    this.frame.append(this.preview.image, this.attention.canvas, this.mark);
  }

  /** Before the first case is opened: the station's own part is fetched, read by the browser, and stands ready. */
  prepare(): void {
    const later = window.requestIdleCallback ?? ((run: () => void) => window.setTimeout(run, 300));
    later(() => void this.station().catch((cause: unknown) => console.warn("no image station yet", cause)));
  }

  private async station(): Promise<ImageRoom> {
    const { ImageRoom } = await import("../image/room");
    this.room ??= new ImageRoom(this.frame, this.attention, (cause) => this.refuse(cause));
    return this.room;
  }

  show(item: Case): void {
    this.item = item;
    const pictures = item.series
      .flatMap(({ instances }) => instances)
      .filter(({ kind, rendered_url: url }) => kind === "image" && url);
    this.byServer();
    this.preview.show(pictures, item.modality, this.room?.isThere(item.series) === true, () =>
      performance.mark("telemed.picture.preview"),
    );
    this.settled = this.enter(item);
  }

  /** What the machine said of these pictures, whenever the case is fetched anew. */
  answers(item: Case): void {
    this.attention.open(item);
    this.room?.renew(item);
  }

  close(): void {
    this.opening += 1;
    this.room?.close();
  }

  /** Of the station where it is on the screen, else of the server's picture; undefined where it has no such thing. */
  act<T>(full: (room: ImageRoom) => T, preview?: (preview: Preview) => T): T | false {
    if (!this.element.isConnected) return false;
    if (this.full && this.room) return full(this.room);
    return preview ? preview(this.preview) : false;
  }

  private byServer(): void {
    this.full = false;
    this.frame.classList.remove("full");
    delete this.frame.dataset.shown;
    this.attention.unplaced();
    this.element.replaceChildren(this.preview.tools, this.preview.messages, this.frame);
  }

  private async enter(item: Case): Promise<void> {
    this.opening += 1;
    const { opening } = this;
    this.say(t("ui.image.preview.loading"));
    let room: ImageRoom;
    try {
      room = await this.station();
      if (opening !== this.opening) return;
      await room.open(item);
    } catch (cause) {
      if (opening === this.opening) this.refuse(cause);
      return;
    }
    if (opening !== this.opening) return;
    this.full = true;
    this.mark.hidden = true;
    this.frame.classList.add("full");
    this.element.replaceChildren(room.tools, room.series.element, room.messages, this.frame);
    performance.mark("telemed.picture.full");
  }

  /** The server's picture stays, named for what it is. */
  private refuse(cause: unknown): void {
    this.byServer();
    this.preview.stay();
    this.say(t("ui.image.preview.only"));
    const again = { label: t("ui.try_again"), run: () => void (this.item && this.enter(this.item)) };
    const detail = explain(cause, t("ui.image.undecodable"));
    const close = { label: t("ui.close"), run: () => this.preview.messages.replaceChildren() };
    const said = message("warning", t("ui.image.preview.why", { detail }), [again, close]);
    this.preview.messages.replaceChildren(said);
  }

  private say(text: string): void {
    this.mark.textContent = text;
    this.mark.hidden = false;
  }
}

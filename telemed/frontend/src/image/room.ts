/** The station with its bar of tools, as the case page has it. */
import { explain } from "../core/api";
import { h } from "../core/dom";
import { message } from "../core/messages";
import { t } from "../core/page";
import type { Case, Series } from "../core/types";
import { currentScale } from "../ecg/calibration";
import { calibrationForm } from "../reading/calibration-form";
import type { FilmAttention } from "../reading/film-attention";
import { KeyImages } from "./key-images";
import { layoutFor, ownLayouts } from "./layouts";
import { Marks } from "./marks";
import { type Compared, type OtherExam, picturesOf, priorOf } from "./prior";
import { SeriesStrip } from "./series-strip";
import { ImageStation, isThere } from "./station";
import { Toolbar } from "./toolbar";
import { removeMark } from "./tools";

export { prefetch } from "./station";

export class ImageRoom {
  readonly messages = h("div", { class: "stage-messages" });
  readonly station: ImageStation;
  readonly series: SeriesStrip;
  private readonly bar: Toolbar;
  private readonly keys = new KeyImages();
  private readonly marks: Marks;
  private readonly attention: FilmAttention;
  private told = "";
  private opening = false;
  private item: Case | null = null;
  private readonly frame: HTMLElement;

  constructor(frame: HTMLElement, attention: FilmAttention, refused: (cause: unknown) => void) {
    this.attention = attention;
    this.frame = frame;
    this.station = new ImageStation({
      drawn: () => this.drawn(),
      failed: (cause) => this.failed(cause, refused),
    });
    frame.prepend(this.station.element);
    this.series = new SeriesStrip(this.station);
    this.marks = new Marks({
      picture: (id) => this.station.pictureOf(id),
      failed: (cause) => this.say(explain(cause)),
      lost: (cause) => this.say(t("ui.image.marks.lost", { detail: explain(cause) })),
      unkept: () => this.say(t("ui.image.marks.unkept")),
    });
    this.bar = new Toolbar(this.station, attention.element, {
      trueSize: () => this.trueSize(),
      compare: () => void this.compare(),
      toggleKey: () => void this.toggleKey(),
      nextKey: () => void this.nextKey(),
      isKey: () => this.isKey,
      keys: () => this.keys.rows.length,
      keyNote: () => this.keys.of(this.station.picture)?.note ?? "",
      note: (text) => void this.note(text),
    });
  }

  private get isKey(): boolean {
    const { picture } = this.station;
    return picture !== undefined && this.keys.has(picture.instance.sop_instance_uid, picture.frame);
  }

  get tools(): HTMLElement {
    return this.bar.element;
  }

  async open(item: Case): Promise<void> {
    this.messages.replaceChildren();
    this.opening = true;
    this.item = item;
    // Answered for at once: the pictures may come later than the refusal, or not at all.
    const layouts = ownLayouts();
    const marks = this.marks.open(item).catch((cause: unknown) => this.say(explain(cause)));
    try {
      await this.station.open(item.series);
    } finally {
      this.opening = false;
    }
    void marks.then(() => this.placeMarks());
    this.bar.opened();
    this.series.opened();
    const layout = layoutFor(item, await layouts);
    if (item !== this.item) return;
    if (layout) this.station.hang(layout.window - 1);
    // What a centre has read before is worth a look of its own; without one nothing is said.
    if (layout?.prior && item.priors.count > 0) void this.compare(false);
    this.keys.open(item.id).then(
      () => this.bar.update(),
      (cause: unknown) => this.say(explain(cause)),
    );
  }

  /** Marks the picture that is shown, with the window it is shown in, or takes its mark away. */
  async toggleKey(): Promise<void> {
    const { picture, view } = this.station;
    if (!picture) return;
    try {
      await this.keys.toggle(picture.instance.sop_instance_uid, picture.frame, view.window);
      this.messages.replaceChildren();
    } catch (cause) {
      this.say(explain(cause));
    }
    this.bar.update();
  }

  /** What is to be seen on the picture that is marked. */
  async note(text: string): Promise<void> {
    const { picture, view } = this.station;
    if (!picture) return;
    try {
      await this.keys.note(picture.instance.sop_instance_uid, picture.frame, view.window, text);
    } catch (cause) {
      this.say(explain(cause));
    }
    this.bar.update();
  }

  /** A word about the picture that is shown, which is marked with it. */
  async writeNote(): Promise<void> {
    if (!this.isKey) await this.toggleKey();
    if (this.isKey) this.bar.writeNote();
  }

  /** To the next picture that is marked, round and round, as it was shown. */
  async nextKey(): Promise<void> {
    const { rows } = this.keys;
    const picture = this.station.picture;
    const now = rows.findIndex(
      (one) => one.sop_instance_uid === picture?.instance.sop_instance_uid && one.frame === picture.frame,
    );
    const next = rows[(now + 1) % Math.max(rows.length, 1)];
    if (!next) this.say(t("ui.image.key.none"));
    else if (await this.station.goTo(next.sop_instance_uid, next.frame))
      this.station.view.setWindow(next.window);
  }

  /** The last exam of its kind beside this one, or alone again. */
  async compare(asked = true): Promise<void> {
    const { item, station } = this;
    if (station.comparing || !item) station.alone();
    else if ((await this.beside(item, () => priorOf(item))) === null && asked)
      this.say(t("ui.image.prior.none"));
  }

  /** Any other exam of this person, because a reader wants it beside. */
  async compareWith(other: OtherExam): Promise<void> {
    const { item } = this;
    if (item && (await this.beside(item, () => picturesOf(other, true))) === null)
      this.say(t("ui.image.prior.no_pictures"));
  }

  /** Null where there are no pictures to show; undefined where it did not come, or came too late. */
  private async beside(
    item: Case,
    ask: () => Promise<Compared | null>,
  ): Promise<Compared | null | undefined> {
    try {
      const found = await ask();
      if (item !== this.item || this.opening) return undefined;
      if (found) await this.station.compare(found);
      return found;
    } catch (cause) {
      this.say(explain(cause));
      return undefined;
    }
  }

  heat(): void {
    void this.attention.toggle();
  }

  isThere(series: readonly Series[]): boolean {
    return isThere(series);
  }

  /** The case was fetched anew, by whoever may now have claimed it. */
  renew(item: Case): void {
    this.marks.renew(item);
  }

  private placeMarks(): void {
    const { picture, view } = this.station;
    if (picture && this.marks.place(picture, view.surface)) view.viewport.render();
  }

  close(): void {
    this.item = null;
    this.marks.close();
    this.station.alone();
    this.station.close();
  }

  trueSize(): void {
    if (!this.station.view.trueSize()) {
      this.say(t("ui.image.no_spacing"));
      return;
    }
    const { calibrated } = currentScale();
    const measure = { label: t("ui.scale.title"), run: () => this.calibrate() };
    const close = { label: t("ui.close"), run: () => this.messages.replaceChildren() };
    this.messages.replaceChildren(
      message(calibrated ? "good" : "warning", t(calibrated ? "ui.image.true" : "ui.image.nominal"), [
        measure,
        close,
      ]),
    );
  }

  /** One measurement of the screen holds for curves and pictures alike. */
  private calibrate(): void {
    const form = calibrationForm(() => this.trueSize());
    this.messages.replaceChildren(form);
    form.querySelector("input")?.focus();
  }

  removeMark(): boolean {
    const { picture, view } = this.station;
    if (!picture || !removeMark(picture.id)) return false;
    view.viewport.render();
    return true;
  }

  private say(text: string): void {
    const close = { label: t("ui.close"), run: () => this.messages.replaceChildren() };
    this.messages.replaceChildren(message("warning", text, [close]));
  }

  /** One picture of many did not come: the others stay, and it can be asked for again. */
  private failed(cause: unknown, refused: (cause: unknown) => void): void {
    if (!this.station.view.loaded) {
      refused(cause);
      return;
    }
    const again = { label: t("ui.try_again"), run: () => void this.again() };
    this.messages.replaceChildren(
      message("problem", t("ui.image.failed", { detail: explain(cause, t("ui.image.undecodable")) }), [
        again,
      ]),
    );
  }

  private async again(): Promise<void> {
    this.messages.replaceChildren();
    await this.station.view.to(this.station.view.index);
  }

  /** For whoever works with what is shown: every new picture, with its values in modality units. */
  private tell(): void {
    const { picture, view } = this.station;
    const values = view.loaded?.grey?.values;
    if (!picture || picture.id === this.told || !values) return;
    this.told = picture.id;
    const { rows, columns } = view.loaded?.description ?? {};
    const detail = {
      instance: picture.instance.sop_instance_uid,
      frame: picture.frame,
      rows,
      columns,
      values,
    };
    this.station.element.dispatchEvent(new CustomEvent("telemed:picture", { bubbles: true, detail }));
  }

  private drawn(): void {
    this.bar.update();
    this.series.update();
    const { loaded, matrix } = this.station.view;
    const instance = this.station.picture?.instance.sop_instance_uid;
    if (!loaded || !instance || this.opening) return;
    this.frame.dataset.shown = instance;
    this.placeMarks();
    this.tell();
    this.attention.follow(instance, loaded.description, matrix);
  }
}

/** The station with its bar of tools, as the case page has it. */
import { explain } from "../core/api";
import { h } from "../core/dom";
import { message } from "../core/messages";
import { t } from "../core/page";
import type { Series } from "../core/types";
import { currentScale } from "../ecg/calibration";
import type { FilmAttention } from "../reading/film-attention";
import { ImageStation } from "./station";
import { Toolbar } from "./toolbar";
import { removeMark } from "./tools";

export { prefetch } from "./station";

export class ImageRoom {
  readonly messages = h("div", {});
  readonly station: ImageStation;
  private readonly bar: Toolbar;
  private readonly attention: FilmAttention;
  private told = "";

  constructor(frame: HTMLElement, attention: FilmAttention, refused: (cause: unknown) => void) {
    this.attention = attention;
    this.station = new ImageStation({
      drawn: () => this.drawn(),
      failed: (cause) => this.failed(cause, refused),
    });
    frame.prepend(this.station.element);
    this.bar = new Toolbar(this.station, attention.element, () => this.trueSize());
  }

  get tools(): HTMLElement {
    return this.bar.element;
  }

  async open(series: readonly Series[]): Promise<void> {
    this.messages.replaceChildren();
    await this.station.open(series);
    this.bar.opened();
  }

  close(): void {
    this.station.close();
  }

  trueSize(): void {
    if (this.station.view.trueSize())
      this.say(t(currentScale().calibrated ? "ui.image.true" : "ui.image.nominal"));
    else this.say(t("ui.image.no_spacing"));
  }

  removeMark(): boolean {
    const { picture, view } = this.station;
    if (!picture || !removeMark(picture.id)) return false;
    view.viewport.render();
    return true;
  }

  private say(text: string): void {
    this.messages.replaceChildren(message("warning", text));
  }

  /** One picture of many did not come: the others stay, and it can be asked for again. */
  private failed(cause: unknown, refused: (cause: unknown) => void): void {
    if (!this.station.view.loaded) {
      refused(cause);
      return;
    }
    const again = { label: t("ui.try_again"), run: () => void this.again() };
    this.messages.replaceChildren(
      message("problem", t("ui.image.failed", { detail: explain(cause) }), [again]),
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
    const { loaded, matrix } = this.station.view;
    const instance = this.station.picture?.instance.sop_instance_uid;
    if (!loaded || !instance) return;
    this.tell();
    this.attention.follow(instance, loaded.description, matrix);
  }
}

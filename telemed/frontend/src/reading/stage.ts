/** Where the recordings, pictures and other objects of a case stand. */
import { h } from "../core/dom";
import { message } from "../core/messages";
import { t } from "../core/page";
import type { Case, Instance } from "../core/types";
import { type CaseCache, instancesOf } from "./case-cache";
import { otherObject } from "./case-context";
import type { EcgBench } from "./ecg-bench";
import { type EcgPanel, ecgInstances } from "./ecg-panel";
import { identityLine } from "./identity";
import type { PicturePanel } from "./picture-panel";

export interface StageParts {
  ecg: EcgPanel;
  bench: EcgBench;
  pictures: PicturePanel;
}

export class Stage {
  readonly element = h("div", { class: "stage-place" });
  private item: Case | null = null;
  private shown = "";
  /** The recording that was asked for last: an earlier one that comes later is not shown. */
  private wanted = "";
  private readonly cache: CaseCache;
  private readonly parts: StageParts;

  constructor(cache: CaseCache, parts: StageParts) {
    this.cache = cache;
    this.parts = parts;
  }

  /** What stands there stays while the case has the same objects. */
  show(item: Case): void {
    this.item = item;
    const objects = instancesOf(item)
      .map((instance) => instance.sop_instance_uid)
      .join(" ");
    if (objects === this.shown && this.element.hasChildNodes()) return;
    this.shown = objects;
    this.render(item);
  }

  close(): void {
    this.item = null;
    this.shown = "";
    this.wanted = "";
    this.element.replaceChildren();
  }

  /** Of several recordings the next one. */
  nextRecording(): boolean {
    const ecgs = this.item ? ecgInstances(instancesOf(this.item)) : [];
    if (ecgs.length < 2) return false;
    const at = ecgs.findIndex((ecg) => ecg.sop_instance_uid === this.wanted);
    const next = ecgs[(at + 1) % ecgs.length];
    if (next) this.showEcg(next);
    return true;
  }

  private render(item: Case): void {
    const { ecg, bench, pictures } = this.parts;
    const instances = instancesOf(item);
    const ecgs = ecgInstances(instances);
    const images = instances.filter((instance) => instance.kind === "image" && instance.rendered_url);
    const others = instances.filter((instance) => !ecgs.includes(instance) && !images.includes(instance));
    const parts: HTMLElement[] = [];
    const [first] = ecgs;
    this.element.closest(".case-page")?.classList.toggle("with-ecg", first !== undefined);
    if (first?.waveform_url) {
      parts.push(this.ecgTabs(ecgs), ecg.element, bench.element);
      this.showEcg(first);
    }
    if (images.length > 0) {
      parts.push(pictures.element);
      pictures.show(item);
    }
    parts.push(...others.map(otherObject));
    if (parts.length === 0)
      parts.push(
        message("warning", t(item.state === "closed" ? "ui.case.closed_objects" : "ui.case.no_objects")),
      );
    this.element.replaceChildren(...parts);
    this.markTab();
  }

  /** More than one recording in a study: each by its number. */
  private ecgTabs(ecgs: readonly Instance[]): HTMLElement {
    const buttons = ecgs.map((ecg, index) =>
      h(
        "button",
        {
          type: "button",
          class: "quiet",
          "data-recording": ecg.sop_instance_uid,
          onclick: () => this.showEcg(ecg),
        },
        t("ui.ecg.recording", { number: index + 1 }),
      ),
    );
    return h("div", { class: "stage-tools", hidden: ecgs.length < 2 }, ...buttons, h("kbd", {}, "Alt + S"));
  }

  private showEcg(instance: Instance): void {
    const { waveform_url: url } = instance;
    const { item } = this;
    if (!url || !item) return;
    const { ecg, bench } = this.parts;
    const wanted = instance.sop_instance_uid;
    const asked = (): boolean => this.item?.id === item.id && this.wanted === wanted;
    this.wanted = wanted;
    this.markTab();
    ecg.clear();
    ecg.quality(instance);
    bench.show(wanted);
    this.cache.waveform(url).then(
      (waveform) => {
        if (asked()) ecg.show(waveform, identityLine(this.item ?? item));
      },
      (cause: unknown) => {
        if (asked()) ecg.fail(cause);
      },
    );
  }

  private markTab(): void {
    for (const tab of Array.from(this.element.querySelectorAll<HTMLElement>("[data-recording]")))
      tab.setAttribute("aria-pressed", String(tab.dataset.recording === this.wanted));
  }
}

/** The same person's other exams with what was said of them, beside the report that is being written. */
import { get } from "../core/api";
import { h } from "../core/dom";
import { problemMessage } from "../core/messages";
import { t } from "../core/page";
import { keep, recall } from "../core/storage";
import { dateTime } from "../core/time";
import type { Case } from "../core/types";
import type { OtherExam } from "../image/prior";

interface Prior extends OtherExam {
  modality: string;
  site: string;
  findings: string;
  impression: string;
  recommendation: string;
  abnormal: boolean | null;
  pdf_url: string | null;
}

export interface PriorsHost {
  /** Its pictures are wanted beside those of this case. */
  compare(other: OtherExam): void;
}

const OPEN = "telemed.priors_open";

export class PriorsPanel {
  readonly element = h("section", { class: "priors", hidden: true, "aria-label": t("ui.priors.title") });
  private open = recall<boolean>(OPEN) ?? false;
  private item: Case | null = null;
  private shown = "";
  private readonly host: PriorsHost;

  constructor(host: PriorsHost) {
    this.host = host;
  }

  show(item: Case): void {
    this.item = item;
    this.render();
  }

  clear(): void {
    this.item = null;
    this.shown = "";
    this.element.replaceChildren();
    this.element.hidden = true;
  }

  /** Stays open from case to case, until it is put away again. */
  toggle(): void {
    this.open = !this.open;
    keep(OPEN, this.open);
    this.render();
  }

  private render(): void {
    const { item } = this;
    this.element.hidden = !this.open || !item;
    if (!item || !this.open || this.shown === item.id) return;
    this.shown = item.id;
    this.element.replaceChildren(h("p", { class: "loading", role: "status" }, t("ui.case.loading")));
    get<{ rows: Prior[] }>(`/api/v1/cases/${encodeURIComponent(item.id)}/priors`).then(
      ({ rows }) => {
        if (this.shown === item.id) this.fill(rows);
      },
      (cause: unknown) => {
        if (this.shown !== item.id) return;
        this.shown = "";
        this.element.replaceChildren(problemMessage(cause));
      },
    );
  }

  private fill(rows: readonly Prior[]): void {
    const earlier = rows.filter((one) => one.earlier);
    const later = rows.filter((one) => !one.earlier);
    // What can be compared first, the newest first among it.
    const ordered = [...earlier.filter((one) => one.comparable), ...earlier.filter((one) => !one.comparable)];
    this.element.replaceChildren(
      h("h2", {}, t("ui.priors.title"), " ", h("kbd", {}, "Alt + O")),
      ...(ordered.length === 0 ? [h("p", { class: "muted" }, t("ui.priors.empty"))] : []),
      ...ordered.map((one, index) => this.exam(one, index === 0)),
      // What came after the one that is read is no prior of it, and is not to be taken for one.
      ...(later.length === 0 ? [] : [h("h2", {}, t("ui.priors.later"))]),
      ...later.map((one) => this.exam(one, false)),
    );
  }

  private exam(one: Prior, open: boolean): HTMLElement {
    const text = (words: string): HTMLElement | false => words !== "" && h("p", { class: "text" }, words);
    const pictured = one.modality !== "ECG" && this.item?.modality !== "ECG";
    return h(
      "details",
      { open },
      h(
        "summary",
        {},
        h("span", { class: "modality" }, one.modality),
        ` ${dateTime(one.arrived_at).slice(0, 10)} `,
        h("strong", {}, one.impression || t("ui.priors.no_report")),
      ),
      h("p", { class: "muted" }, `${one.exam} · ${one.site}`),
      text(one.findings),
      text(one.impression),
      text(one.recommendation),
      one.pdf_url && h("a", { href: one.pdf_url, target: "_blank", rel: "noopener" }, t("ui.report.pdf")),
      pictured &&
        h(
          "button",
          { type: "button", class: "quiet", onclick: () => this.host.compare(one) },
          t("ui.priors.beside"),
        ),
    );
  }
}

/** The same person's earlier exams with what was said of them, beside the report that is being written. */
import { get } from "../core/api";
import { h } from "../core/dom";
import { problemMessage } from "../core/messages";
import { t } from "../core/page";
import { keep, recall } from "../core/storage";
import { dateTime } from "../core/time";
import type { Case } from "../core/types";

interface Prior {
  id: string;
  modality: string;
  exam: string;
  site: string;
  arrived_at: string;
  comparable: boolean;
  findings: string;
  impression: string;
  recommendation: string;
  abnormal: boolean | null;
  pdf_url: string | null;
}

const OPEN = "telemed.priors_open";

export class PriorsPanel {
  readonly element = h("section", { class: "priors", hidden: true, "aria-label": t("ui.priors.title") });
  private open = recall<boolean>(OPEN) ?? false;
  private item: Case | null = null;
  private shown = "";

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
    // What can be compared first, the newest first among it.
    const ordered = [...rows.filter((one) => one.comparable), ...rows.filter((one) => !one.comparable)];
    this.element.replaceChildren(
      h("h2", {}, t("ui.priors.title"), " ", h("kbd", {}, "Alt + O")),
      ...(ordered.length === 0 ? [h("p", { class: "muted" }, t("ui.priors.empty"))] : ordered.map(prior)),
    );
  }
}

function prior(one: Prior, index: number): HTMLElement {
  const text = (words: string): HTMLElement | false => words !== "" && h("p", { class: "text" }, words);
  return h(
    "details",
    { open: index === 0 },
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
  );
}

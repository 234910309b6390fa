/** What is asked before a case goes another way: back to its author, to the technician, into other hands. */
import { message, problemMessage } from "../core/messages";
import { t } from "../core/page";
import type { Case } from "../core/types";
import { ask } from "./ask";
import { markField } from "./repeat-mark";
import { repeatCode, repeatReasons } from "./repeat-reasons";

export interface QuestionHost {
  readonly item: Case | null;
  post(path: string, body: object): Promise<Case>;
  updated(item: Case): void;
  done(item: Case): void;
  /** To its author, with a reason. */
  sendBack(comment: string): Promise<void>;
  focus(): void;
}

export class ReportQuestions {
  private readonly place: HTMLElement;
  private readonly notes: HTMLElement;
  private readonly host: QuestionHost;

  constructor(place: HTMLElement, notes: HTMLElement, host: QuestionHost) {
    this.place = place;
    this.notes = notes;
    this.host = host;
  }

  sendBack(): void {
    if (!this.host.item?.can.review) return;
    ask(this.place, {
      label: t("ui.report.return_reason"),
      submit: t("ui.report.return"),
      answer: (comment) => this.host.sendBack(comment),
    });
  }

  repeat(): void {
    const { host } = this;
    const { item } = host;
    if (!item?.can.repeat) return;
    const mark = markField(item);
    ask(this.place, {
      label: t("ui.repeat.reason"),
      submit: t("ui.repeat.request"),
      note: t("ui.repeat.note"),
      usual: repeatReasons(item.modality),
      extra: mark?.element,
      answer: async (reason) => {
        const marked = mark?.read();
        const code = repeatCode(item.modality, reason);
        host.done(await host.post("repeat", { reason, code, ...(marked ? { mark: marked } : {}) }));
      },
    });
  }

  /** Out of another's hands, with a reason that stays on record. */
  take(): void {
    const { host } = this;
    if (!host.item?.can.take) return;
    ask(this.place, {
      label: t("ui.take.reason"),
      submit: t("ui.take.take"),
      note: t("ui.take.note"),
      answer: async (reason) => host.updated(await host.post("take", { reason })),
    });
  }

  async holder(): Promise<void> {
    try {
      const item = await this.host.post("ask", {});
      this.host.updated(item);
      this.notes.replaceChildren(message("good", t("ui.take.asked_now", { name: item.holder?.name ?? "" })));
    } catch (cause) {
      this.notes.replaceChildren(problemMessage(cause));
    }
  }

  amend(): void {
    const { host } = this;
    ask(this.place, {
      label: t("ui.amend.reason"),
      submit: t("ui.amend.open"),
      note: t("ui.amend.note"),
      answer: async (reason) => {
        host.updated(await host.post("amend", { reason }));
        host.focus();
      },
    });
  }
}

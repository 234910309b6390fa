/** What is asked before a case goes another way: back to its author, to the technician, into other hands. */
import { message, problemMessage } from "../core/messages";
import { t } from "../core/page";
import type { Case } from "../core/types";
import { ask, type Question } from "./ask";
import { markField } from "./repeat-mark";
import { repeatCode, repeatReasons } from "./repeat-reasons";
import type { Sitting } from "./sitting";

export interface QuestionHost {
  /** What a question is about, while nothing else is on its way. */
  readonly sitting: Sitting | null;
  /** Whether this case still stands on the page when its answer comes. */
  shows(item: Case): boolean;
  /** Resolves when all that was said of this case is at the server. */
  said(item: Case): Promise<void>;
  updated(item: Case): void;
  done(item: Case): void;
  /** To its author, with a reason. */
  sendBack(sitting: Sitting, comment: string): Promise<void>;
  astray(item: Case, cause: unknown): void;
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

  sendBack(): boolean {
    const { host } = this;
    const { sitting } = host;
    if (!sitting?.item.can.review) return false;
    this.ask(sitting, {
      label: t("ui.report.return_reason"),
      submit: t("ui.report.return"),
      answer: (comment) => host.sendBack(sitting, comment),
    });
    return true;
  }

  repeat(): boolean {
    const { host } = this;
    const { sitting } = host;
    if (!sitting?.item.can.repeat) return false;
    const { item } = sitting;
    const mark = markField(item);
    this.ask(sitting, {
      label: t("ui.repeat.reason"),
      submit: t("ui.repeat.request"),
      note: t("ui.repeat.note"),
      usual: repeatReasons(item.modality),
      extra: mark?.element,
      answer: async (reason) => {
        const marked = mark?.read();
        const code = repeatCode(item.modality, reason);
        await host.said(item);
        host.done(await sitting.post("repeat", { reason, code, ...(marked ? { mark: marked } : {}) }));
      },
    });
    return true;
  }

  /** Out of another's hands, with a reason that stays on record. */
  take(): boolean {
    const { host } = this;
    const { sitting } = host;
    if (!sitting?.item.can.take) return false;
    this.ask(sitting, {
      label: t("ui.take.reason"),
      submit: t("ui.take.take"),
      note: t("ui.take.note"),
      answer: async (reason) => host.updated(await sitting.post("take", { reason })),
    });
    return true;
  }

  holder(): boolean {
    const { sitting } = this.host;
    if (!sitting?.item.can.take) return false;
    void this.askHolder(sitting);
    return true;
  }

  amend(): boolean {
    const { host } = this;
    const { sitting } = host;
    if (!sitting?.item.can.amend) return false;
    const { item } = sitting;
    this.ask(sitting, {
      label: t("ui.amend.reason"),
      submit: t("ui.amend.open"),
      note: t("ui.amend.note"),
      answer: async (reason) => {
        host.updated(await sitting.post("amend", { reason }));
        if (host.shows(item)) host.focus();
      },
    });
    return true;
  }

  private ask({ item }: Sitting, question: Omit<Question, "left">): void {
    ask(this.place, { ...question, left: (cause) => this.host.astray(item, cause) });
  }

  private async askHolder(sitting: Sitting): Promise<void> {
    const { host, notes } = this;
    const asked = sitting.item;
    try {
      const item = await sitting.post("ask", {});
      host.updated(item);
      if (host.shows(item))
        notes.replaceChildren(message("good", t("ui.take.asked_now", { name: item.holder?.name ?? "" })));
    } catch (cause) {
      if (host.shows(asked)) notes.replaceChildren(problemMessage(cause));
      else host.astray(asked, cause);
    }
  }
}

/** Writing, signing, reviewing and amending the report of the open case. */
import { explain, get, Problem } from "../core/api";
import { h } from "../core/dom";
import { message, problemMessage } from "../core/messages";
import { t } from "../core/page";
import type { Case } from "../core/types";
import { draftBlock, machineDraft } from "./machine-draft";
import { blank, ReportForm, same } from "./report-form";
import { earlierVersions, type ReportActions, reportButtons, reportHead, reportHistory } from "./report-head";
import { ReportQuestions } from "./report-questions";
import { SaveLine } from "./report-saving";
import { ReportWords } from "./report-words";
import { askPassword, isConflict, signatureFault, unanswered, wantsPassword } from "./signing";
import { Sitting } from "./sitting";

export interface ReportHost {
  /** The server answered with the case as it now is. */
  updated(item: Case): void;
  /** Signed or reviewed: on to the next case. */
  done(item: Case): void;
  claim(item: Case): Promise<Case | undefined>;
  raiseCritical(): void;
  /** Resolves when all that was said of this case is at the server; throws where some of it is not. */
  said(item: Case): Promise<void>;
  /** Something about a case that is no longer open did not come about. */
  astray(item: Case, fault: string): void;
}

export class ReportPanel {
  readonly element = h("section", { class: "report", "aria-label": t("ui.report.title") });
  readonly words: ReportWords;
  readonly questions: ReportQuestions;
  private readonly form = new ReportForm(() => this.edited());
  private readonly head = h("header", { class: "report-head" });
  private readonly history = h("div", { class: "report-history" });
  private readonly notes = h("div", { class: "messages" });
  private readonly draft = h("div", {});
  private readonly question = h("div", {});
  private readonly buttons = h("div", { class: "report-actions" });
  private readonly earlier = h("div", {});
  private readonly saving = new SaveLine(this.notes, (use) => this.settle(use));
  private sitting: Sitting | null = null;
  /** Left before their words had arrived: who comes back goes on with them. */
  private readonly left = new Map<string, Sitting>();
  /** The cases whose signature is on its way, open or not. */
  private readonly signing = new Set<string>();
  /** The reviewing doctor changed the words; they go with the decision. */
  private reviewed = false;
  /** A signature that nobody answered, and the report's state as it was before. */
  private unanswered: { note: HTMLElement; state: string } | null = null;
  private readonly host: ReportHost;
  private readonly actions: ReportActions;

  constructor(host: ReportHost) {
    this.host = host;
    this.words = new ReportWords(this.form, this.notes, this.question, {
      writable: () => (this.editable ? this.item : null),
      edited: () => this.edited(),
    });
    const panel = this;
    this.questions = new ReportQuestions(this.question, this.notes, {
      get sitting() {
        return panel.busy ? null : panel.sitting;
      },
      shows: (item) => this.shows(item),
      said: (item) => host.said(item),
      updated: (item) => host.updated(item),
      done: (item) => host.done(item),
      sendBack: (sitting, comment) => this.postReview(sitting, "return", comment),
      astray: (item, cause) => host.astray(item, explain(cause)),
      focus: () => this.focus(),
    });
    this.actions = {
      finish: () => void this.finish(),
      sendBack: () => this.questions.sendBack(),
      preliminary: () => void this.releasePreliminary(),
      normal: () => void this.words.normal(),
      askHolder: () => void this.questions.holder(),
      take: () => this.questions.take(),
      amend: () => this.questions.amend(),
      repeat: () => this.questions.repeat(),
      raiseCritical: () => host.raiseCritical(),
    };
    this.element.append(
      this.head,
      this.history,
      this.notes,
      this.draft,
      this.form.element,
      this.question,
      this.buttons,
      this.earlier,
    );
  }

  open(item: Case): void {
    this.close();
    const left = this.left.get(item.id);
    const words = left?.autosave.words;
    const sitting = left && words ? left : this.newSitting(item);
    this.left.delete(item.id);
    this.sitting = sitting;
    this.unanswered = null;
    this.notes.replaceChildren();
    this.question.replaceChildren();
    this.saving.show({ name: "clean" });
    this.form.demand(item.demanded);
    void this.words.open(item);
    this.take(item);
    if (words) {
      this.form.fields = words;
      sitting.reopen(item);
      return;
    }
    this.saving.offerCopy(item, sitting.autosave, this.editable || item.can.review, (fields) => {
      this.form.fields = fields;
      this.edited();
    });
  }

  /** Newer facts about the open case; a text that is being written is never replaced. */
  take(item: Case): void {
    const { sitting } = this;
    if (!sitting) return;
    const { autosave } = sitting;
    sitting.item = item;
    if (!item.can.review) this.reviewed = false;
    if (this.unanswered && stateOf(item) !== this.unanswered.state) this.unanswered.note.remove();
    // Nor while it is being signed: what is signed is what was shown.
    if (!autosave.unsaved && !this.reviewed && !this.busy && autosave.isNews(item.report)) {
      autosave.seen(item.report);
      this.form.fields = item.report ?? blank;
    }
    this.render();
  }

  close(): void {
    const { sitting } = this;
    this.sitting = null;
    this.reviewed = false;
    if (sitting?.autosave.words) this.left.set(sitting.item.id, sitting);
    sitting?.close();
  }

  private newSitting(item: Case): Sitting {
    return new Sitting(item, {
      claim: (of) => this.host.claim(of),
      state: (of, state) => {
        if (this.sitting === of) this.saving.show(state);
      },
      unsaved: (of, cause) => {
        if (this.sitting !== of) this.host.astray(of.item, `${t("ui.astray.draft")} ${explain(cause)}`);
      },
    });
  }

  focus(): void {
    if (this.editable || this.item?.can.review) this.form.focus();
  }

  /** Ctrl+Enter: what this doctor does next with this report. */
  async finish(): Promise<void> {
    if (this.item?.can.review) await this.attempt((sitting) => this.postReview(sitting, "approve"));
    else if (this.editable)
      await this.attempt(async (sitting) => this.host.done(await this.sign(sitting, "sign")));
  }

  /** Out at once under this one signature; the case stays here for its final report. */
  async releasePreliminary(): Promise<void> {
    if (this.item?.can.preliminary)
      await this.attempt(async (sitting) => this.host.updated(await this.sign(sitting, "preliminary")));
  }

  /** A signature of the open case is on its way: nothing more is said of it until that is answered. */
  get busy(): boolean {
    return this.item !== null && this.signing.has(this.item.id);
  }

  private get item(): Case | null {
    return this.sitting?.item ?? null;
  }

  private get editable(): boolean {
    const { item } = this;
    if (!item || this.busy) return false;
    const state = stateOf(item);
    const open = state === "draft" || (state === "awaiting_review" && item.can.write);
    return open && (item.can.write || item.can.claim);
  }

  private shows({ id }: Case): boolean {
    return this.item?.id === id;
  }

  private edited(): void {
    const { sitting } = this;
    if (!sitting) return;
    const { item, autosave } = sitting;
    if (item.can.review) {
      this.reviewed = !same(this.form.fields, item.report ?? blank);
      autosave.keepCopy(this.form.fields);
      return;
    }
    sitting.claimSoon();
    autosave.edit(this.form.fields);
    this.renderDraft(item);
  }

  /** Between the own text and the one that another wrote meanwhile. */
  private async settle(use: "theirs" | "mine"): Promise<void> {
    const { sitting } = this;
    if (!sitting) return;
    try {
      const item = await get<Case>(`/api/v1/cases/${encodeURIComponent(sitting.item.id)}`);
      if (use === "theirs") sitting.autosave.abandon();
      else sitting.autosave.overwrite(item.report?.revision ?? 0);
      this.host.updated(item);
    } catch (cause) {
      if (this.sitting === sitting) throw cause;
      this.host.astray(sitting.item, explain(cause));
    }
  }

  private sign(sitting: Sitting, path: "sign" | "preliminary"): Promise<Case> {
    return sitting.sign(path, this.form.fields, this.host.said(sitting.item));
  }

  private async postReview(
    sitting: Sitting,
    decision: "approve" | "return",
    comment?: string,
  ): Promise<void> {
    const words = this.reviewed ? this.form.fields : undefined;
    const said = this.host.said(sitting.item);
    const item = await sitting.review({ decision, comment, words }, said);
    if (this.sitting === sitting) this.reviewed = false;
    this.host.done(item);
  }

  /** Runs a signature; where the signing period is over, asks for the password and goes on. */
  private async attempt(run: (sitting: Sitting) => Promise<void>): Promise<void> {
    const { sitting } = this;
    if (!sitting || this.busy) return;
    const { item } = sitting;
    this.signing.add(item.id);
    this.render();
    try {
      await run(sitting);
      if (this.shows(item)) this.notes.replaceChildren();
    } catch (cause) {
      if (!this.shows(item)) this.host.astray(item, signatureFault(cause));
      else if (wantsPassword(cause))
        askPassword(this.question, cause, {
          // The words as they are by then; where the case was left meanwhile nothing is signed unseen.
          again: async () =>
            this.shows(item) ? this.attempt(run) : this.host.astray(item, t("ui.astray.unsigned")),
          left: (fault) => this.host.astray(item, explain(fault)),
        });
      else this.failed(item, cause);
    } finally {
      this.signing.delete(item.id);
      this.render();
    }
  }

  private failed(item: Case, cause: unknown): void {
    if (isConflict(cause)) {
      this.saving.conflict(cause);
      return;
    }
    const note = message("problem", signatureFault(cause));
    // Nothing goes on by itself after a signature that nobody answered: it may have arrived, and it may not.
    if (unanswered(cause)) this.unanswered = { note, state: stateOf(item) };
    this.notes.replaceChildren(unanswered(cause) ? note : problemMessage(cause));
    if (cause instanceof Problem && cause.field) this.form.focus(cause.field);
  }

  private render(): void {
    const { item, busy } = this;
    if (!item) return;
    // While a signature is on its way its words stand still.
    this.form.editable = this.editable || (item.can.review && !busy);
    this.head.replaceChildren(...reportHead(item), this.saving.element);
    this.history.replaceChildren(...reportHistory(item));
    this.buttons.replaceChildren(...reportButtons(item, { editable: this.editable, busy }, this.actions));
    this.earlier.replaceChildren(...earlierVersions(item));
    this.renderDraft(item);
  }

  /** Beside an empty report only: a text that somebody writes has no rival. */
  private renderDraft(item: Case): void {
    const { findings, impression } = this.form.fields;
    const draft = this.editable && !findings && !impression ? machineDraft(item) : undefined;
    this.draft.replaceChildren(draft ? draftBlock(draft, () => this.words.takeDraft()) : "");
  }
}

function stateOf({ report }: Case): string {
  return report?.state ?? "draft";
}

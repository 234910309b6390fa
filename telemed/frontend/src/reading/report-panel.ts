/** Writing, signing, reviewing and amending the report of the open case. */
import { get, Problem, send } from "../core/api";
import { h } from "../core/dom";
import { message, problemMessage } from "../core/messages";
import { t } from "../core/page";
import type { Case } from "../core/types";
import { Autosave } from "./autosave";
import { draftBlock, machineDraft } from "./machine-draft";
import { blank, ReportForm, same } from "./report-form";
import { earlierVersions, type ReportActions, reportButtons, reportHead, reportHistory } from "./report-head";
import { ReportQuestions } from "./report-questions";
import { SaveLine } from "./report-saving";
import { ReportWords } from "./report-words";
import { withSignature } from "./signing";

export interface ReportHost {
  /** The server answered with the case as it now is. */
  updated(item: Case): void;
  /** Signed or reviewed: on to the next case. */
  done(item: Case): void;
  claim(): Promise<void>;
  raiseCritical(): void;
}

/** A text that one key wrote may be signed with the next one: that signature claims the case itself. */
const CLAIM_AFTER = 300;

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
  private item: Case | null = null;
  private autosave: Autosave | null = null;
  private claiming: Promise<void> | null = null;
  private claimTimer = 0;
  private busy = false;
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
      get item() {
        return panel.item;
      },
      post: (path, body) => this.post(path, body),
      updated: (item) => host.updated(item),
      done: (item) => host.done(item),
      sendBack: (comment) => this.postReview("return", comment),
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
    const autosave = new Autosave(item.id, item.report, {
      ready: () => this.claimFirst(),
      state: (state) => this.saving.show(state),
    });
    this.autosave = autosave;
    this.unanswered = null;
    this.notes.replaceChildren();
    this.question.replaceChildren();
    this.saving.show({ name: "clean" });
    this.form.demand(item.demanded);
    void this.words.open(item);
    this.take(item);
    this.saving.offerCopy(item, autosave, this.editable || item.can.review, (fields) => {
      this.form.fields = fields;
      this.edited();
    });
  }

  /** Newer facts about the open case; a text that is being written is never replaced. */
  take(item: Case): void {
    this.item = item;
    if (!item.can.review) this.reviewed = false;
    if (this.unanswered && stateOf(item) !== this.unanswered.state) this.unanswered.note.remove();
    if (this.autosave && !this.autosave.unsaved && !this.reviewed && this.autosave.isNews(item.report)) {
      this.autosave.seen(item.report);
      this.form.fields = item.report ?? blank;
    }
    this.render();
  }

  close(): void {
    window.clearTimeout(this.claimTimer);
    this.claimTimer = 0;
    this.autosave?.close();
    this.autosave = null;
    this.item = null;
    this.reviewed = false;
  }

  focus(): void {
    if (this.editable || this.item?.can.review) this.form.focus();
  }

  /** Ctrl+Enter: what this doctor does next with this report. */
  async finish(): Promise<void> {
    if (this.item?.can.review) await this.attempt(() => this.postReview("approve"));
    else if (this.editable) await this.attempt(() => this.signWith("sign", (item) => this.host.done(item)));
  }

  /** Out at once under this one signature; the case stays here for its final report. */
  async releasePreliminary(): Promise<void> {
    if (!this.item?.can.preliminary) return;
    await this.attempt(() => this.signWith("preliminary", (item) => this.host.updated(item)));
  }

  private get editable(): boolean {
    const { item } = this;
    if (!item || this.busy) return false;
    const state = item.report?.state ?? "draft";
    return (
      (item.can.write || item.can.claim) &&
      (state === "draft" || (state === "awaiting_review" && item.can.write))
    );
  }

  private edited(): void {
    const { item } = this;
    if (!item || !this.autosave) return;
    if (item.can.review) {
      this.reviewed = !same(this.form.fields, item.report ?? blank);
      this.autosave.keepCopy(this.form.fields);
      return;
    }
    this.claimTimer ||= window.setTimeout(() => void this.claimFirst(), CLAIM_AFTER);
    this.autosave.edit(this.form.fields);
    this.renderDraft(item);
  }

  /** The first letter takes the case: whoever writes holds it, and everyone sees that. Nothing is saved before. */
  private claimFirst(): Promise<void> {
    window.clearTimeout(this.claimTimer);
    this.claimTimer = 0;
    const { item } = this;
    if (!item || item.can.write || !item.can.claim) return this.claiming ?? Promise.resolve();
    this.claiming ??= this.host.claim().finally(() => {
      this.claiming = null;
    });
    return this.claiming;
  }

  /** Between the own text and the one that another wrote meanwhile. */
  private async settle(use: "theirs" | "mine"): Promise<void> {
    const item = await get<Case>(this.path);
    if (use === "theirs") this.autosave?.abandon();
    else this.autosave?.overwrite(item.report?.revision ?? 0);
    this.host.updated(item);
  }

  /** One request with the very words that are shown: claimed, written and signed together, or none of it. */
  private async signWith(path: "sign" | "preliminary", then: (item: Case) => void): Promise<void> {
    const { autosave } = this;
    if (!autosave) return;
    window.clearTimeout(this.claimTimer);
    this.claimTimer = 0;
    await this.claiming;
    await autosave.settle();
    try {
      const item = await this.post(path, { revision: autosave.revision, words: this.form.fields });
      autosave.arrived(item.report);
      then(item);
    } catch (cause) {
      if (!isConflict(cause)) autosave.resume();
      throw cause;
    }
  }

  private async postReview(decision: "approve" | "return", comment?: string): Promise<void> {
    await this.autosave?.flush();
    const revision = this.autosave?.revision ?? this.item?.report?.revision ?? 0;
    const words = this.reviewed ? { words: this.form.fields } : {};
    const item = await this.post("review", { decision, revision, ...(comment ? { comment } : {}), ...words });
    this.autosave?.dropCopy();
    this.reviewed = false;
    this.host.done(item);
  }

  /** Runs a signature; where the signing period is over, asks for the password and goes on. */
  private async attempt(run: () => Promise<void>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.render();
    try {
      await withSignature(this.question, run, () => this.attempt(run));
      this.notes.replaceChildren();
    } catch (cause) {
      this.failed(cause);
    } finally {
      this.busy = false;
      this.render();
    }
  }

  private failed(cause: unknown): void {
    if (isConflict(cause)) {
      this.saving.conflict(cause);
      return;
    }
    if (cause instanceof Problem && cause.status === 0) {
      // Nothing goes on by itself here: it may have arrived, and it may not.
      const note = message("problem", t("ui.sign.unanswered"));
      this.unanswered = { note, state: this.item ? stateOf(this.item) : "" };
      this.notes.replaceChildren(note);
      return;
    }
    this.notes.replaceChildren(problemMessage(cause));
    if (cause instanceof Problem && cause.field) this.form.focus(cause.field);
  }

  private get path(): string {
    return `/api/v1/cases/${encodeURIComponent(this.item?.id ?? "")}`;
  }

  private post(path: string, body: object): Promise<Case> {
    return send<Case>("POST", `${this.path}/${path}`, body);
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

function isConflict(cause: unknown): cause is Problem {
  return cause instanceof Problem && cause.code === "error.report_changed_since_shown";
}

/** Writing, signing, reviewing and amending the report of the open case. */
import { get, Problem, send } from "../core/api";
import { h } from "../core/dom";
import { message, problemMessage } from "../core/messages";
import { t } from "../core/page";
import { clock } from "../core/time";
import type { Case } from "../core/types";
import { ask } from "./ask";
import { Autosave, type Fields, type SaveState } from "./autosave";
import { reviewChanges } from "./difference";
import { againstNormal, draftBlock, machineDraft } from "./machine-draft";
import { normalReport } from "./normal-report";
import { markField } from "./repeat-mark";
import { repeatCode, repeatReasons } from "./repeat-reasons";
import { blank, ReportForm, same } from "./report-form";
import { alarms, findingText } from "./row";
import { withSignature } from "./signing";
import { templateList } from "./template-list";
import { type ReportText, textsFor, typedCode } from "./texts";
import { pdfLink, preliminaryNote, signatures, stateMark, versionList } from "./versions";

export interface ReportHost {
  /** The server answered with the case as it now is. */
  updated(item: Case): void;
  /** Signed or reviewed: on to the next case. */
  done(item: Case): void;
  claim(): Promise<void>;
}

export class ReportPanel {
  readonly element = h("section", { class: "report", "aria-label": t("ui.report.title") });
  private readonly form = new ReportForm(() => this.edited());
  private readonly head = h("header", { class: "report-head" });
  private readonly notes = h("div", { class: "messages" });
  private readonly draft = h("div", {});
  private readonly question = h("div", {});
  private readonly buttons = h("div", { class: "report-actions" });
  private readonly saveState = h("span", { class: "save-state", role: "status" });
  private item: Case | null = null;
  private autosave: Autosave | null = null;
  private claiming: Promise<void> | null = null;
  private busy = false;
  /** The reviewing doctor changed the words; they go with the decision. */
  private reviewed = false;
  private texts: ReportText[] = [];
  private readonly host: ReportHost;

  constructor(host: ReportHost) {
    this.host = host;
    this.form.typed = (field) => this.expand(field);
    this.element.append(this.head, this.notes, this.draft, this.form.element, this.question, this.buttons);
  }

  open(item: Case): void {
    this.close();
    this.autosave = new Autosave(item.id, item.report, {
      ready: () => this.claimFirst(),
      state: (state) => this.showSave(state),
    });
    this.notes.replaceChildren();
    this.question.replaceChildren();
    this.showSave({ name: "clean" });
    this.form.demand(item.demanded);
    this.texts = [];
    void this.fetchTexts(item);
    this.take(item);
    this.offerCopy(item);
  }

  /** Newer facts about the open case; a text that is being written is never replaced. */
  take(item: Case): void {
    this.item = item;
    if (!item.can.review) this.reviewed = false;
    if (this.autosave && !this.autosave.unsaved && !this.reviewed && this.autosave.isNews(item.report)) {
      this.autosave.seen(item.report);
      this.form.fields = item.report ?? blank;
    }
    this.form.editable = this.editable || item.can.review;
    this.render();
  }

  close(): void {
    this.autosave?.close();
    this.autosave = null;
    this.item = null;
    this.reviewed = false;
  }

  focus(): void {
    if (this.editable || this.item?.can.review) this.form.focus();
  }

  /** One key: the normal text of this exam, with the way back. */
  insertNormal(): boolean {
    const { item } = this;
    const fields = item && this.editable ? normalReport(item) : undefined;
    if (!item || !fields) return false;
    const before = this.form.fields;
    const choices = [this.replaceText(fields)];
    const against = [...againstNormal(item), ...alarms(item).map(findingText)];
    if (against.length > 0) {
      const text = t("ui.report.normal_against_ai", { findings: against.join(", ") });
      this.notes.replaceChildren(message("warning", text, choices));
    } else if (before.findings || before.impression) {
      this.notes.replaceChildren(message("good", t("ui.report.normal_taken"), choices));
    }
    return true;
  }

  /** One key: what the machine would write, with the way back. */
  takeDraft(): boolean {
    const draft = this.item && this.editable ? machineDraft(this.item) : undefined;
    if (!draft) return false;
    const undo = this.replaceText(draft.fields);
    this.notes.replaceChildren(message("warning", t("ui.draft.taken"), [undo]));
    return true;
  }

  /** One sentence more, on a line of its own; one that stands there already stays as it is. */
  insert(part: "findings" | "impression", text: string, focus = false): boolean {
    if (!this.editable || !text) return false;
    const before = this.form.fields;
    if (!before[part].includes(text)) {
      this.form.fields = { ...before, [part]: [before[part].trimEnd(), text].filter(Boolean).join("\n") };
      this.edited();
    }
    if (focus) this.form.focus(part);
    return true;
  }

  /** Takes such a line out again where it still stands as it was inserted. */
  remove(part: "findings" | "impression", text: string): void {
    const before = this.form.fields;
    const lines = before[part].split("\n");
    if (!this.editable || !text || !lines.includes(text)) return;
    this.form.fields = { ...before, [part]: lines.filter((line) => line !== text).join("\n") };
    this.edited();
  }

  /** The templates of this exam to choose from. */
  chooseTemplate(): boolean {
    if (!this.editable) return false;
    const templates = this.texts.filter((one) => one.kind === "template");
    templateList(this.question, templates, (text) => this.takeTemplate(text));
    return true;
  }

  private takeTemplate(text: ReportText): void {
    const { findings, impression, recommendation, abnormal } = text;
    const { critical } = this.form.fields;
    const undo = this.replaceText({ findings, impression, recommendation, abnormal, critical });
    const said = t("ui.templates.taken", { title: text.title });
    this.notes.replaceChildren(message("good", said, [undo]));
  }

  private async fetchTexts(item: Case): Promise<void> {
    try {
      const texts = await textsFor(item);
      if (this.item?.id === item.id) this.texts = texts;
    } catch (cause) {
      console.warn("templates and short codes are not there", cause);
    }
  }

  private expand(field: HTMLTextAreaElement): void {
    const typed = typedCode(this.texts, field.value, field.selectionStart);
    if (!typed) return;
    const { text, start, end } = typed;
    field.setRangeText(text.kind === "macro" ? text.findings : "", start, end, "end");
    if (text.kind === "template") this.takeTemplate(text);
  }

  /** Another text for the whole report; what is returned takes it back. */
  private replaceText(fields: Fields): { label: string; run: () => void } {
    const before = this.form.fields;
    this.form.fields = fields;
    this.edited();
    const run = (): void => {
      this.form.fields = before;
      this.edited();
      this.notes.replaceChildren();
    };
    return { label: t("ui.undo"), run };
  }

  /** Ctrl+Enter: what this doctor does next with this report. */
  async finish(): Promise<void> {
    if (this.item?.can.review) await this.review("approve");
    else if (this.editable) await this.sign();
  }

  askReturn(): void {
    if (!this.item?.can.review) return;
    ask(this.question, {
      label: t("ui.report.return_reason"),
      submit: t("ui.report.return"),
      answer: (comment) => this.postReview("return", comment),
    });
  }

  askRepeat(): void {
    const { item } = this;
    if (!item?.can.repeat) return;
    const mark = markField(item);
    ask(this.question, {
      label: t("ui.repeat.reason"),
      submit: t("ui.repeat.request"),
      note: t("ui.repeat.note"),
      usual: repeatReasons(item.modality),
      extra: mark?.element,
      answer: async (reason) => {
        const marked = mark?.read();
        const code = repeatCode(item.modality, reason);
        this.host.done(await this.post("repeat", { reason, code, ...(marked ? { mark: marked } : {}) }));
      },
    });
  }

  /** Out of another's hands, with a reason that stays on record. */
  askTake(): void {
    if (!this.item?.can.take) return;
    ask(this.question, {
      label: t("ui.take.reason"),
      submit: t("ui.take.take"),
      note: t("ui.take.note"),
      answer: async (reason) => this.host.updated(await this.post("take", { reason })),
    });
  }

  private async askHolder(): Promise<void> {
    try {
      const item = await this.post("ask", {});
      this.host.updated(item);
      this.notes.replaceChildren(message("good", t("ui.take.asked_now", { name: item.holder?.name ?? "" })));
    } catch (cause) {
      this.notes.replaceChildren(problemMessage(cause));
    }
  }

  private askAmend(): void {
    ask(this.question, {
      label: t("ui.amend.reason"),
      submit: t("ui.amend.open"),
      note: t("ui.amend.note"),
      answer: async (reason) => {
        this.host.updated(await this.post("amend", { reason }));
        this.focus();
      },
    });
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
    void this.claimFirst();
    this.autosave.edit(this.form.fields);
    this.renderDraft(item);
  }

  /** The first letter takes the case: whoever writes holds it, and everyone sees that. Nothing is saved before. */
  private claimFirst(): Promise<void> {
    const { item } = this;
    if (!item || item.can.write || !item.can.claim) return this.claiming ?? Promise.resolve();
    this.claiming ??= this.host.claim().finally(() => {
      this.claiming = null;
    });
    return this.claiming;
  }

  private offerCopy(item: Case): void {
    const copy = this.autosave?.copy();
    if (!copy || !this.autosave) return;
    if (same(copy.fields, item.report ?? blank) || !(this.editable || item.can.review)) {
      if (same(copy.fields, item.report ?? blank)) this.autosave.dropCopy();
      return;
    }
    const restore = (): void => {
      this.form.fields = copy.fields;
      this.edited();
      this.notes.replaceChildren();
    };
    const drop = (): void => {
      this.autosave?.dropCopy();
      this.notes.replaceChildren();
    };
    const newer = (item.report?.revision ?? 0) !== copy.revision;
    const text = t(newer ? "ui.copy.found_older" : "ui.copy.found", { time: clock(copy.at) });
    this.notes.replaceChildren(
      message("warning", text, [
        { label: t("ui.copy.restore"), run: restore },
        { label: t("ui.copy.drop"), run: drop },
      ]),
    );
  }

  private showSave(state: SaveState): void {
    this.saveState.className = `save-state ${state.name}`;
    this.saveState.textContent =
      state.name === "clean"
        ? ""
        : state.name === "saved"
          ? t("ui.save.saved", { time: clock(state.at) })
          : t(`ui.save.${state.name}`);
    if (state.name === "conflict") this.showConflict(state.cause);
    if (state.name === "refused") this.notes.replaceChildren(problemMessage(state.cause));
    if (state.name === "saved" && this.notes.querySelector(".problem")) this.notes.replaceChildren();
  }

  private showConflict(cause: Problem): void {
    const reload = async (use: "theirs" | "mine"): Promise<void> => {
      try {
        const item = await this.reload();
        if (use === "theirs") this.autosave?.abandon();
        else this.autosave?.overwrite(item.report?.revision ?? 0);
        this.notes.replaceChildren();
        this.host.updated(item);
      } catch (problem) {
        this.notes.replaceChildren(problemMessage(problem));
      }
    };
    this.notes.replaceChildren(
      problemMessage(cause, [
        { label: t("ui.conflict.theirs"), run: () => void reload("theirs") },
        { label: t("ui.conflict.mine"), run: () => void reload("mine") },
      ]),
    );
  }

  private async reload(): Promise<Case> {
    const id = this.item?.id ?? "";
    return get<Case>(`/api/v1/cases/${encodeURIComponent(id)}`);
  }

  private async sign(): Promise<void> {
    await this.attempt(async () => {
      const { autosave, item } = this;
      if (!autosave || !item) return;
      await this.claimFirst();
      if (!item.report && !autosave.unsaved && autosave.revision === 0) autosave.edit(this.form.fields);
      await autosave.flush();
      this.host.done(await this.post("sign", { revision: autosave.revision }));
    });
  }

  /** Out at once under this one signature; the case stays here for its final report. */
  async releasePreliminary(): Promise<void> {
    if (!this.item?.can.preliminary) return;
    await this.attempt(async () => {
      const { autosave } = this;
      if (!autosave) return;
      await autosave.flush();
      const item = await this.post("preliminary", { revision: autosave.revision });
      autosave.seen(item.report);
      this.host.updated(item);
    });
  }

  private async review(decision: "approve" | "return"): Promise<void> {
    await this.attempt(() => this.postReview(decision));
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
      this.form.editable = this.editable || (this.item?.can.review ?? false);
      this.render();
    }
  }

  private failed(cause: unknown): void {
    if (cause instanceof Problem && cause.code === "error.report_changed_since_shown") {
      this.showConflict(cause);
      return;
    }
    this.notes.replaceChildren(problemMessage(cause));
    if (cause instanceof Problem && cause.field) this.form.focus(cause.field);
  }

  private post(path: string, body: object): Promise<Case> {
    return send<Case>("POST", `/api/v1/cases/${encodeURIComponent(this.item?.id ?? "")}/${path}`, body);
  }

  private render(): void {
    const { item } = this;
    if (!item) return;
    const { report } = item;
    this.head.replaceChildren(
      h("h2", {}, t("ui.report.title")),
      report ? stateMark(report) : "",
      h("span", { class: "muted" }, report ? t("ui.report.version", { number: report.number }) : ""),
      h("span", { class: "muted" }, report ? signatures(report) : ""),
      (report && pdfLink(report)) ?? "",
      this.saveState,
    );
    this.renderButtons(item);
    this.renderDraft(item);
    this.element.querySelector(".versions")?.remove();
    this.element.querySelector(".preliminary-out")?.remove();
    this.element.querySelector(".review-changes")?.remove();
    const changes = report && reviewChanges(report);
    if (changes) this.head.after(changes);
    const out = item.versions.find((version) => version.state === "preliminary");
    if (out) this.head.after(preliminaryNote(out));
    this.element.querySelector(".returned")?.remove();
    const versions = versionList(item);
    if (versions) this.element.append(versions);
    if (report?.review_comment && report.state === "draft") {
      const returned = message("warning", t("ui.report.returned", { comment: report.review_comment }));
      returned.classList.add("returned");
      this.head.after(returned);
    }
  }

  /** Beside an empty report only: a text that somebody writes has no rival. */
  private renderDraft(item: Case): void {
    const { findings, impression } = this.form.fields;
    const draft = this.editable && !findings && !impression ? machineDraft(item) : undefined;
    this.draft.replaceChildren(draft ? draftBlock(draft, () => this.takeDraft()) : "");
  }

  private renderButtons(item: Case): void {
    const button = (label: string, key: string, run: () => void, kind = ""): HTMLElement =>
      h(
        "button",
        { type: "button", class: kind, disabled: this.busy, onclick: run },
        label,
        key && h("kbd", {}, key),
      );
    const list: (HTMLElement | "")[] = [];
    if (item.can.review) {
      list.push(
        button(t("ui.report.approve"), "Ctrl + Enter", () => void this.finish(), "primary"),
        button(t("ui.report.return"), "R", () => this.askReturn()),
      );
    } else if (this.editable) {
      list.push(button(t("ui.report.sign_next"), "Ctrl + Enter", () => void this.finish(), "primary"));
      if (item.can.preliminary)
        list.push(button(t("ui.preliminary.release"), "Alt + Enter", () => void this.releasePreliminary()));
      if (normalReport(item)) list.push(button(t("ui.report.normal"), "N", () => this.insertNormal()));
    } else if (!this.busy) {
      list.push(h("p", { class: "muted" }, this.whyNot(item)));
    }
    if (item.can.take)
      list.push(
        button(t("ui.take.ask"), "", () => void this.askHolder()),
        button(t("ui.take.take"), "Alt + C", () => this.askTake(), "quiet"),
      );
    if (item.can.amend) list.push(button(t("ui.amend.title"), "", () => this.askAmend()));
    if (item.can.repeat) list.push(button(t("ui.repeat.title"), "", () => this.askRepeat(), "quiet"));
    this.buttons.replaceChildren(...list);
  }

  private whyNot(item: Case): string {
    if (item.holder && !item.holder.mine) return t("ui.report.held_by", { name: item.holder.name });
    return t(`ui.report.closed.${item.state}`);
  }
}

/** What puts whole texts into the report with one key: each with the way back. */
import { message } from "../core/messages";
import { t } from "../core/page";
import type { Case } from "../core/types";
import type { Fields } from "./autosave";
import { againstNormal, machineDraft } from "./machine-draft";
import { normalReport } from "./normal-report";
import type { ReportForm } from "./report-form";
import { alarms, findingText } from "./row";
import { templateList } from "./template-list";
import { type ReportText, textsFor, typedCode } from "./texts";

export interface WordsHost {
  /** The open case, where this person may write about it now. */
  writable(): Case | null;
  edited(): void;
}

export class ReportWords {
  private texts: ReportText[] = [];
  private caseId = "";
  private readonly form: ReportForm;
  private readonly notes: HTMLElement;
  private readonly question: HTMLElement;
  private readonly host: WordsHost;

  constructor(form: ReportForm, notes: HTMLElement, question: HTMLElement, host: WordsHost) {
    this.form = form;
    this.notes = notes;
    this.question = question;
    this.host = host;
    form.typed = (field) => this.expand(field);
  }

  /** The centre's templates and short codes for this exam. */
  async open(item: Case): Promise<void> {
    this.texts = [];
    this.caseId = item.id;
    try {
      const texts = await textsFor(item);
      if (this.caseId === item.id) this.texts = texts;
    } catch (cause) {
      console.warn("templates and short codes are not there", cause);
    }
  }

  /** One key: the normal text of this exam. */
  normal(): boolean {
    const item = this.host.writable();
    const fields = item && normalReport(item);
    if (!item || !fields) return false;
    const before = this.form.fields;
    const choices = [this.replace(fields)];
    const against = [...againstNormal(item), ...alarms(item).map(findingText)];
    if (against.length > 0) {
      const text = t("ui.report.normal_against_ai", { findings: against.join(", ") });
      this.notes.replaceChildren(message("warning", text, choices));
    } else if (before.findings || before.impression) {
      this.notes.replaceChildren(message("good", t("ui.report.normal_taken"), choices));
    }
    return true;
  }

  /** One key: what the machine would write. */
  takeDraft(): boolean {
    const item = this.host.writable();
    const draft = item ? machineDraft(item) : undefined;
    if (!draft) return false;
    const undo = this.replace(draft.fields);
    this.notes.replaceChildren(message("warning", t("ui.draft.taken"), [undo]));
    return true;
  }

  /** One sentence more, on a line of its own; one that stands there already stays as it is. */
  insert(part: "findings" | "impression", text: string, focus = false): boolean {
    if (!this.host.writable() || !text) return false;
    const before = this.form.fields;
    if (!before[part].includes(text)) {
      this.form.fields = { ...before, [part]: [before[part].trimEnd(), text].filter(Boolean).join("\n") };
      this.host.edited();
    }
    if (focus) this.form.focus(part);
    return true;
  }

  /** Takes such a line out again where it still stands as it was inserted. */
  remove(part: "findings" | "impression", text: string): void {
    const before = this.form.fields;
    const lines = before[part].split("\n");
    if (!this.host.writable() || !text || !lines.includes(text)) return;
    this.form.fields = { ...before, [part]: lines.filter((line) => line !== text).join("\n") };
    this.host.edited();
  }

  /** The templates of this exam to choose from. */
  chooseTemplate(): boolean {
    if (!this.host.writable()) return false;
    const templates = this.texts.filter((one) => one.kind === "template");
    templateList(this.question, templates, (text) => this.takeTemplate(text));
    return true;
  }

  /** One of the two marks of the report, on or off. */
  toggleMark(mark: "abnormal" | "critical"): boolean {
    return this.form.toggle(mark);
  }

  private takeTemplate(text: ReportText): void {
    const { findings, impression, recommendation, abnormal } = text;
    const { critical } = this.form.fields;
    const undo = this.replace({ findings, impression, recommendation, abnormal, critical });
    const said = t("ui.templates.taken", { title: text.title });
    this.notes.replaceChildren(message("good", said, [undo]));
  }

  private expand(field: HTMLTextAreaElement): void {
    const typed = typedCode(this.texts, field.value, field.selectionStart);
    if (!typed) return;
    const { text, start, end } = typed;
    field.setRangeText(text.kind === "macro" ? text.findings : "", start, end, "end");
    if (text.kind === "template") this.takeTemplate(text);
  }

  /** Another text for the whole report; what is returned takes it back. */
  private replace(fields: Fields): { label: string; run: () => void } {
    const before = this.form.fields;
    this.form.fields = fields;
    this.host.edited();
    const run = (): void => {
      this.form.fields = before;
      this.host.edited();
      this.notes.replaceChildren();
    };
    return { label: t("ui.undo"), run };
  }
}

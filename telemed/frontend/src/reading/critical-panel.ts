/** Raising a critical value in the case, its second look, and the call: all beside the report. */
import { get, send } from "../core/api";
import { CriticalCards, type CriticalValue, tickCritical } from "../core/critical";
import { h } from "../core/dom";
import { problemMessage } from "../core/messages";
import { t } from "../core/page";

interface Rule {
  code: string;
  tier: "critical" | "warning";
  text: string;
  proposed: boolean;
}

interface Found {
  rules: Rule[];
  rows: CriticalValue[];
  now: string;
}

export class CriticalPanel {
  readonly element = h("section", { class: "critical-panel", "aria-label": t("ui.critical.title") });
  private readonly proposal = h("div", {});
  private readonly form = h("div", {});
  private readonly cards = h("div", { class: "critical-values" });
  private readonly messages = h("div", { class: "messages" });
  private caseId = "";
  private rules: Rule[] = [];
  private raised = new Set<string>();
  private raising = false;
  private readonly values = new CriticalCards(this.cards, () => void this.show(this.caseId));

  constructor() {
    this.element.append(this.messages, this.proposal, this.form, this.cards);
  }

  async show(caseId: string): Promise<void> {
    if (caseId !== this.caseId) this.clear();
    this.caseId = caseId;
    try {
      const found = await get<Found>(this.path);
      if (this.caseId === caseId) this.take(found);
    } catch (cause) {
      if (this.caseId === caseId) this.messages.replaceChildren(problemMessage(cause));
    }
  }

  clear(): void {
    this.caseId = "";
    this.rules = [];
    this.raised.clear();
    this.values.show([]);
    for (const place of [this.proposal, this.form, this.messages]) place.replaceChildren();
  }

  tick(now: number): void {
    tickCritical(this.cards, now);
  }

  /**
   * One key: the list, with what the machine proposes first; Enter raises, Escape leaves. Where it proposes nothing
   * the reader chooses: nobody's finding is the first line of a list.
   */
  ask(code = ""): void {
    if (!this.caseId || this.rules.length === 0) return;
    const ordered = [...this.rules].sort((a, b) => Number(this.isNew(b)) - Number(this.isNew(a)));
    const choice = h(
      "select",
      { name: "code", required: true },
      !ordered.some((rule) => this.isNew(rule)) && h("option", { value: "" }, t("ui.critical.choose")),
      ...ordered.map((rule) =>
        h(
          "option",
          { value: rule.code },
          `${t(`ui.critical.tier.${rule.tier}`)} · ${rule.text}${rule.proposed ? ` · ${t("ui.critical.ai")}` : ""}`,
        ),
      ),
    );
    const note = h("input", { type: "text", name: "note", maxlength: "400", autocomplete: "off" });
    const form = h(
      "form",
      {
        class: "ask",
        onsubmit: (event: SubmitEvent) => {
          event.preventDefault();
          void this.raise(choice.value, note.value.trim());
        },
        onkeydown: (event: KeyboardEvent) => {
          if (event.key === "Enter" && event.target === choice) {
            event.preventDefault();
            form.requestSubmit();
          } else if (event.key === "Escape") {
            event.preventDefault();
            event.stopPropagation();
            form.remove();
          }
        },
      },
      h("label", {}, t("ui.critical.finding"), choice),
      h("label", {}, t("ui.critical.note"), note),
      h(
        "div",
        { class: "choices" },
        h("button", { type: "submit", class: "primary" }, t("ui.critical.raise")),
      ),
    );
    this.form.replaceChildren(form);
    if (code) choice.value = code;
    choice.focus();
  }

  /** What this doctor may do next about a value that was raised: the second look, the call. */
  toCard(): boolean {
    const next = this.cards.querySelector<HTMLElement>("input, button");
    next?.focus();
    return next !== null;
  }

  private get path(): string {
    return `/api/v1/cases/${encodeURIComponent(this.caseId)}/critical`;
  }

  /** Proposed by the machine, and nobody has raised it yet. */
  private isNew({ proposed, code }: Rule): boolean {
    return proposed && !this.raised.has(code);
  }

  private async raise(code: string, note: string): Promise<void> {
    if (this.raising) return;
    this.raising = true;
    try {
      await send<CriticalValue>("POST", this.path, { code, note });
      this.form.replaceChildren();
      this.messages.replaceChildren();
      await this.show(this.caseId);
    } catch (cause) {
      this.messages.replaceChildren(problemMessage(cause));
    } finally {
      this.raising = false;
    }
  }

  private take(found: Found): void {
    this.rules = found.rules;
    this.raised = new Set(found.rows.map((row) => row.code));
    const proposed = found.rules.filter((rule) => this.isNew(rule));
    this.proposal.replaceChildren(
      ...proposed.map((rule) =>
        h(
          "p",
          { class: "message warning" },
          `${t("ui.critical.ai_proposes", { finding: rule.text })} `,
          h(
            "button",
            { type: "button", class: "small", onclick: () => this.ask(rule.code) },
            t("ui.key.critical"),
            h("kbd", {}, "K"),
          ),
        ),
      ),
    );
    const here = this.cards.contains(document.activeElement);
    this.values.show(found.rows);
    this.tick(Date.parse(found.now));
    // What was pressed is done and gone: the cursor goes to what comes next.
    if (here && !this.cards.contains(document.activeElement)) this.toCard();
  }
}

/** Raising a critical value in the case, its second look, and the call: all beside the report. */
import { get, send } from "../core/api";
import { CriticalCards, type CriticalValue, tickCritical } from "../core/critical";
import { h } from "../core/dom";
import { problemMessage } from "../core/messages";
import { t } from "../core/page";
import type { Case } from "../core/types";

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

/** Whose case something is about. */
export type Whose = Pick<Case, "id" | "patient" | "exam">;

export class CriticalPanel {
  readonly element = h("section", { class: "critical-panel", "aria-label": t("ui.critical.title") });
  private readonly proposal = h("div", {});
  private readonly form = h("div", {});
  private readonly cards = h("div", { class: "critical-values" });
  private readonly messages = h("div", { class: "messages" });
  private item: Case | null = null;
  /** Of several answers about one case the last that was asked for is believed. */
  private asked = 0;
  private rules: Rule[] = [];
  private raised = new Set<string>();
  /** The cases whose value is on its way. */
  private readonly raising = new Set<string>();
  private readonly values: CriticalCards;
  /** What did not come about, of a case that may no longer be open. */
  private readonly failed: (item: Whose, cause: unknown) => void;

  constructor(failed: (item: Whose, cause: unknown) => void) {
    this.failed = failed;
    const again = (value: CriticalValue): void => {
      if (this.item?.id === value.case_id) void this.show(this.item);
    };
    this.values = new CriticalCards(this.cards, again, (value, cause) =>
      failed({ id: value.case_id, patient: value.patient, exam: value.exam }, cause),
    );
    this.element.append(this.messages, this.proposal, this.form, this.cards);
  }

  async show(item: Case): Promise<void> {
    if (item.id !== this.item?.id) this.clear();
    this.item = item;
    this.asked += 1;
    const { asked } = this;
    try {
      const found = await get<Found>(pathOf(item));
      if (this.asked === asked) this.take(found);
    } catch (cause) {
      if (this.asked === asked) this.messages.replaceChildren(problemMessage(cause));
    }
  }

  clear(): void {
    this.item = null;
    this.asked += 1;
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
    const { item } = this;
    if (!item || this.rules.length === 0) return;
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
          void this.raise(item, choice.value, note.value.trim());
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

  /** Proposed by the machine, and nobody has raised it yet. */
  private isNew({ proposed, code }: Rule): boolean {
    return proposed && !this.raised.has(code);
  }

  private async raise(item: Case, code: string, note: string): Promise<void> {
    if (this.raising.has(item.id)) return;
    this.raising.add(item.id);
    const open = (): boolean => this.item?.id === item.id;
    try {
      await send<CriticalValue>("POST", pathOf(item), { code, note });
      if (!open()) return;
      this.form.replaceChildren();
      this.messages.replaceChildren();
      await this.show(item);
    } catch (cause) {
      if (open()) this.messages.replaceChildren(problemMessage(cause));
      else this.failed(item, cause);
    } finally {
      this.raising.delete(item.id);
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

function pathOf({ id }: Case): string {
  return `/api/v1/cases/${encodeURIComponent(id)}/critical`;
}

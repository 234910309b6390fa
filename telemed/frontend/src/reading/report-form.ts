/** The three parts of a report and its two marks. */
import { h } from "../core/dom";
import { t } from "../core/page";
import type { Case } from "../core/types";
import type { Fields } from "./autosave";

const parts = ["findings", "impression", "recommendation"] as const;
const marks = ["abnormal", "critical"] as const;

/** A report that nobody has marked yet counts as abnormal: a mark is taken off knowingly. */
export const blank: Fields = {
  findings: "",
  impression: "",
  recommendation: "",
  critical: false,
  abnormal: true,
};

export class ReportForm {
  readonly element: HTMLElement;
  private readonly texts: Record<(typeof parts)[number], HTMLTextAreaElement>;
  private readonly checks: Record<(typeof marks)[number], HTMLInputElement>;

  /** Looks at what was just typed in a field, and may write something in its place. */
  typed: (field: HTMLTextAreaElement) => void = () => undefined;

  constructor(changed: () => void) {
    const input = (event: InputEvent): void => {
      // A Chinese input method has not decided yet.
      if (!event.isComposing && event.target instanceof HTMLTextAreaElement) this.typed(event.target);
      changed();
    };
    const area = (name: (typeof parts)[number]): HTMLTextAreaElement =>
      h("textarea", { id: `report-${name}`, name, maxlength: "8000", spellcheck: "false", oninput: input });
    const check = (name: (typeof marks)[number]): HTMLInputElement =>
      h("input", { type: "checkbox", id: `report-${name}`, name, onchange: changed });
    this.texts = {
      findings: area("findings"),
      impression: area("impression"),
      recommendation: area("recommendation"),
    };
    this.checks = { abnormal: check("abnormal"), critical: check("critical") };
    this.element = h(
      "div",
      { class: "report-fields" },
      ...parts.map((name) =>
        h(
          "div",
          { class: `field ${name}` },
          h(
            "label",
            { for: `report-${name}` },
            t(`ui.report.${name}`),
            " ",
            h("span", { class: "demanded muted" }),
          ),
          this.texts[name],
        ),
      ),
      h(
        "div",
        { class: "marks" },
        ...marks.map((name) =>
          h("label", { class: `mark ${name}` }, this.checks[name], t(`ui.report.${name}`)),
        ),
      ),
    );
  }

  get fields(): Fields {
    return {
      findings: this.texts.findings.value,
      impression: this.texts.impression.value,
      recommendation: this.texts.recommendation.value,
      critical: this.checks.critical.checked,
      abnormal: this.checks.abnormal.checked,
    };
  }

  set fields(given: Fields) {
    for (const name of parts) this.texts[name].value = given[name];
    for (const name of marks) this.checks[name].checked = given[name];
  }

  /** Marks the parts that must not be empty, and those that must not be where the exam is not normal. */
  demand(demanded: Case["demanded"]): void {
    for (const name of parts) {
      const mark = this.element.querySelector(`.${name} .demanded`);
      const when = demanded[name];
      if (mark) mark.textContent = when ? t(`ui.demanded.${when}`) : "";
      this.texts[name].setAttribute("aria-required", String(when === "always"));
    }
  }

  /** As a click on the mark would. */
  toggle(mark: (typeof marks)[number]): boolean {
    const box = this.checks[mark];
    if (box.disabled) return false;
    box.click();
    return true;
  }

  set editable(on: boolean) {
    for (const name of parts) this.texts[name].readOnly = !on;
    for (const name of marks) this.checks[name].disabled = !on;
    this.element.classList.toggle("read-only", !on);
  }

  focus(part: string = "findings"): void {
    const field = parts.find((name) => name === part) ?? "findings";
    this.texts[field].focus();
  }
}

export function same(a: Fields, b: Fields): boolean {
  return parts.every((name) => a[name] === b[name]) && marks.every((name) => a[name] === b[name]);
}

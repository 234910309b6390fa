/** A question asked in the page, where the answer belongs; never a box over it. */
import { h } from "../core/dom";
import { problemMessage } from "../core/messages";
import { t } from "../core/page";

export interface Question {
  label: string;
  submit: string;
  /** Answers often given: one press each. */
  usual?: readonly string[];
  password?: boolean;
  note?: string;
  /** What else belongs to the answer. */
  extra?: HTMLElement | undefined;
  answer(text: string): Promise<void>;
  /** The answer failed when the question was no longer on the page. */
  left(cause: unknown): void;
}

/** Puts the question into `place` and the cursor into its field; Escape takes it away. */
export function ask(place: HTMLElement, question: Question): HTMLFormElement {
  const before = document.activeElement;
  const field = h("input", {
    type: question.password ? "password" : "text",
    name: "answer",
    required: true,
    autocomplete: question.password ? "current-password" : "off",
    maxlength: "400",
  });
  const submit = h("button", { type: "submit", class: "primary" }, question.submit);
  const problems = h("div", {});
  const close = (): void => {
    form.remove();
    if (before instanceof HTMLElement && before.isConnected) before.focus();
  };
  const form: HTMLFormElement = h(
    "form",
    {
      class: "ask",
      onsubmit: async (event: SubmitEvent) => {
        event.preventDefault();
        submit.disabled = true;
        try {
          await question.answer(field.value.trim());
          form.remove();
        } catch (cause) {
          if (!form.isConnected) {
            question.left(cause);
            return;
          }
          problems.replaceChildren(problemMessage(cause));
          submit.disabled = false;
          field.focus();
        }
      },
      onkeydown: (event: KeyboardEvent) => {
        if (event.key !== "Escape") return;
        event.preventDefault();
        event.stopPropagation();
        close();
      },
    },
    h("label", {}, question.label, field),
    question.note && h("p", { class: "muted" }, question.note),
    question.usual &&
      h(
        "div",
        { class: "choices" },
        ...question.usual.map((text) =>
          h(
            "button",
            {
              type: "button",
              class: "small",
              onclick: () => {
                field.value = text;
                field.focus();
              },
            },
            text,
          ),
        ),
      ),
    question.extra,
    problems,
    h("div", { class: "choices" }, submit, h("button", { type: "button", onclick: close }, t("ui.cancel"))),
  );
  place.replaceChildren(form);
  field.focus();
  return form;
}

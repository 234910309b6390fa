/** What this person may do next about a critical value: check, call, receive, act, close. */
import type { CriticalValue } from "./critical";
import { h } from "./dom";
import { freshId } from "./identifier";
import { t } from "./page";

type ActionName = "called_resident" | "called_120" | "referred" | "other";
const actionNames: readonly ActionName[] = ["called_resident", "called_120", "referred", "other"];

export function actionText(kind: string): `ui.critical.action.${ActionName}` {
  return `ui.critical.action.${actionNames.find((name) => name === kind) ?? "other"}`;
}

type Post = (what: string, body: unknown) => Promise<boolean>;

export function forms(value: CriticalValue, post: Post): HTMLElement[] {
  const found: HTMLElement[] = [];
  const can = (what: CriticalValue["can"][number]): boolean => value.can.includes(what);
  const button = (text: string, run: () => void, primary = false): HTMLElement =>
    h("button", { type: "button", class: primary ? "primary" : "", onclick: run }, text);
  if (can("confirm")) found.push(button(t("ui.critical.confirm"), () => void post("confirm", {}), true));
  if (can("withdraw"))
    found.push(
      sayForm(
        t("ui.critical.withdraw_reason"),
        t("ui.critical.withdraw"),
        (reason) => post("withdraw", { reason }),
        "",
      ),
    );
  if (can("call")) found.push(callForm(value, post));
  if (can("acknowledge"))
    found.push(
      value.tier === "critical"
        ? sayForm(t("ui.critical.read_back"), t("ui.critical.acknowledge"), (words) =>
            post("acknowledge", { how: "screen", read_back: words }),
          )
        : button(t("ui.critical.acknowledge"), () => void post("acknowledge", { how: "screen" }), true),
    );
  if (can("act")) found.push(actForm(post));
  if (can("close")) found.push(button(t("ui.critical.close"), () => void post("close", {}), true));
  return found;
}

function sayForm(
  label: string,
  submit: string,
  run: (words: string) => Promise<unknown>,
  weight = "primary",
): HTMLElement {
  const field = h("input", { type: "text", required: true, maxlength: "400", autocomplete: "off" });
  return h(
    "form",
    {
      class: "say",
      onsubmit: (event: SubmitEvent) => {
        event.preventDefault();
        void run(field.value.trim());
      },
    },
    h("label", {}, label, field),
    h("button", { type: "submit", class: weight }, submit),
  );
}

/** What was done, with a word about it if need be; each press is an action of its own, and one sent twice is one. */
function actForm(post: Post): HTMLElement {
  const note = h("input", { type: "text", maxlength: "400", autocomplete: "off" });
  // Kept until the server has it: pressed again after a broken line, it is still the same action.
  let pending = { id: "", said: "" };
  const act = async (kind: ActionName): Promise<void> => {
    const words = note.value.trim();
    note.required = kind === "other";
    if (!note.reportValidity()) return;
    const said = `${kind} ${words}`;
    if (pending.said !== said) pending = { id: freshId(), said };
    if (!(await post("act", { id: pending.id, kind, note: words }))) return;
    pending = { id: "", said: "" };
    note.value = "";
  };
  return h(
    "div",
    { class: "say" },
    h("label", {}, t("ui.critical.action_note"), note),
    h(
      "div",
      { class: "choices" },
      ...actionNames.map((kind) =>
        h("button", { type: "button", onclick: () => void act(kind) }, t(actionText(kind))),
      ),
    ),
  );
}

/** The telephone: who took it, and what they said back. */
function callForm(value: CriticalValue, post: Post): HTMLElement {
  const receiver = h("input", { type: "text", required: true, maxlength: "100", autocomplete: "off" });
  const words = h("input", {
    type: "text",
    required: value.tier === "critical",
    maxlength: "400",
    autocomplete: "off",
  });
  return h(
    "form",
    {
      class: "say call",
      onsubmit: (event: SubmitEvent) => {
        event.preventDefault();
        const body = { how: "phone", received_by: receiver.value.trim(), read_back: words.value.trim() };
        void post("acknowledge", body);
      },
    },
    h("label", {}, t("ui.critical.field.received_by"), receiver),
    h("label", {}, t("ui.critical.read_back_heard"), words),
    h("button", { type: "submit", class: "primary" }, t("ui.critical.called")),
  );
}

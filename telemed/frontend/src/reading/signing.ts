/** What may stand between a doctor and a signature. Where the signing period is over the password is asked for in the page, and the same goes on. */
import { explain, Problem, send } from "../core/api";
import { t } from "../core/page";
import { ask } from "./ask";

export function wantsPassword(cause: unknown): cause is Problem {
  return cause instanceof Problem && cause.code === "error.reauthenticate";
}

export function askPassword(
  place: HTMLElement,
  cause: Problem,
  { again, left }: { again: () => Promise<void>; left: (cause: unknown) => void },
): void {
  const form = ask(place, {
    label: t("ui.reauthenticate.password"),
    submit: t("ui.reauthenticate.submit"),
    note: cause.message,
    password: true,
    left,
    answer: async (password) => {
      await send("POST", "/api/v1/session/reauthenticate", { password });
      form.remove();
      await again();
    },
  });
}

export function isConflict(cause: unknown): cause is Problem {
  return cause instanceof Problem && cause.code === "error.report_changed_since_shown";
}

/** It may have arrived, and it may not. */
export function unanswered(cause: unknown): boolean {
  return cause instanceof Problem && cause.status === 0;
}

export function signatureFault(cause: unknown): string {
  return unanswered(cause) ? t("ui.sign.unanswered") : explain(cause);
}

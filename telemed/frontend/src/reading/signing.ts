/** A signature: where the signing period is over, the password is asked for in the page and the same goes on. */
import { Problem, send } from "../core/api";
import { t } from "../core/page";
import { ask } from "./ask";

/** Runs it; a question about the password takes its place where the server wants one. Other faults are thrown. */
export async function withSignature(
  place: HTMLElement,
  run: () => Promise<void>,
  again: () => Promise<void>,
): Promise<void> {
  try {
    await run();
  } catch (cause) {
    if (!(cause instanceof Problem) || cause.code !== "error.reauthenticate") throw cause;
    ask(place, {
      label: t("ui.reauthenticate.password"),
      submit: t("ui.reauthenticate.submit"),
      note: cause.message,
      password: true,
      answer: async (password) => {
        await send("POST", "/api/v1/session/reauthenticate", { password });
        place.replaceChildren();
        await again();
      },
    });
  }
}

/** To the first card of a critical value, from anywhere on a page that has them. */
import type { Command } from "./keys";
import { enter } from "./rows";

export const toCriticalCard: Command = {
  keys: ["Alt+j"],
  label: "ui.key.critical_card",
  run: () => enter(document.querySelector("#critical-values")),
  whileTyping: true,
};

/** Single-key commands: one table that the page obeys and that `?` shows. */
import { isTyping } from "./dom";
import { type TextKey, t } from "./page";
import { keep, recall } from "./storage";

export interface Command {
  /** As KeyboardEvent.key has it, with Ctrl+ or Alt+ before it; alternatives beside each other. */
  keys: readonly string[];
  label: TextKey;
  /** Instead of the label: what the page itself calls it, a link's own words. */
  text?: string;
  /** Told which of its keys it was. False: not possible now; the key then does what the browser does with it. */
  run: (pressed?: string) => unknown;
  /** Also while typing in a field, for those of its keys that are no character. */
  whileTyping?: boolean;
}

export function words({ label, text }: Command): string {
  return text || t(label);
}

const SETTING = "telemed.single_keys";

/** Single letters can be switched off, for people who dictate or use another input (WCAG 2.1.4). */
export function singleKeys(): boolean {
  return recall<boolean>(SETTING) ?? true;
}

export function setSingleKeys(on: boolean): void {
  keep(SETTING, on);
}

function nameOf(event: KeyboardEvent): string {
  const prefix = (event.ctrlKey || event.metaKey ? "Ctrl+" : "") + (event.altKey ? "Alt+" : "");
  return prefix + (event.key.length === 1 ? event.key.toLowerCase() : event.key);
}

export function obey(commands: () => readonly Command[]): void {
  document.addEventListener("keydown", (event) => {
    // A Chinese input method uses letters and Enter while it composes.
    if (event.isComposing || event.defaultPrevented) return;
    const name = nameOf(event);
    const typing = isTyping(event.target);
    if (name.length === 1 && !singleKeys()) return;
    if (
      name === "Enter" &&
      event.target instanceof Element &&
      event.target.closest("button, a, summary, input")
    )
      return;
    for (const command of commands()) {
      if (!command.keys.includes(name)) continue;
      if (typing && (name.length === 1 || !command.whileTyping)) continue;
      if (command.run(name) === false) continue;
      event.preventDefault();
      return;
    }
  });
}

const shown: Record<string, string> = {
  ArrowDown: "↓",
  ArrowUp: "↑",
  ArrowLeft: "←",
  ArrowRight: "→",
  Escape: "Esc",
};

export function keyName(key: string): string {
  return key
    .split("+")
    .map((part) => shown[part] ?? (part.length === 1 ? part.toUpperCase() : part))
    .join(" + ");
}

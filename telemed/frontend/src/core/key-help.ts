/** `?` and Ctrl-K: the keys of a page beside its work, and every action by its name. */
import { type Command, words } from "./keys";
import { type Group, keysPanel } from "./keys-panel";
import { type Entry, Palette } from "./palette";

export interface Offered {
  groups(): readonly Group[];
  entries(): readonly Entry[];
  /** What a text that is no command stands for, where the page can search. */
  search?: (text: string) => Entry;
}

export function entries(commands: readonly Command[]): Entry[] {
  return commands.map((command) => ({
    label: words(command),
    keys: command.keys,
    run: () => command.run(),
  }));
}

export class KeyHelp {
  readonly help: Command = { keys: ["?"], label: "ui.key.keys", run: () => this.toggleKeys() };
  readonly palette: Command = {
    keys: ["Ctrl+k"],
    label: "ui.key.palette",
    run: () => this.togglePalette(),
    whileTyping: true,
  };
  readonly told: Command = { keys: ["Alt+m"], label: "ui.key.told", run: toTold, whileTyping: true };
  readonly commands: readonly Command[] = [this.help, this.palette, this.told];
  private readonly root: HTMLElement;
  private readonly offered: Offered;
  private panel: HTMLElement | null = null;
  private before: Element | null = null;
  private open: Palette | null = null;

  constructor(root: HTMLElement, offered: Offered) {
    this.root = root;
    this.offered = offered;
  }

  toggleKeys(): void {
    if (this.panel) {
      const within = this.panel.contains(document.activeElement);
      this.panel.remove();
      this.panel = null;
      if (within && this.before instanceof HTMLElement) this.before.focus();
      return;
    }
    this.before = document.activeElement;
    this.panel = keysPanel(this.offered.groups(), () => this.toggleKeys());
    this.root.append(this.panel);
  }

  /** False where there was nothing to close. */
  closeKeys(): boolean {
    if (!this.panel) return false;
    this.toggleKeys();
    return true;
  }

  togglePalette(): void {
    if (this.open) {
      this.open.leave();
      this.open = null;
      return;
    }
    const all = [...this.offered.entries(), ...entries([this.told, this.help])];
    this.open = new Palette(all, () => this.togglePalette(), this.offered.search);
    this.open.open(this.root);
  }
}

/** To what this person was told and has not yet marked as read; pressed there, it is read. */
function toTold(): boolean {
  const button = document.querySelector<HTMLButtonElement>("#told button:not(:disabled)");
  button?.focus();
  return button !== null;
}

/** What was signed a moment ago and can still be taken back, with one key, wherever the reader is by now. */
import { send } from "../core/api";
import { h } from "../core/dom";
import { problemMessage } from "../core/messages";
import { t } from "../core/page";
import type { Case } from "../core/types";

export interface UndoHost {
  now(): number;
  /** The signature was taken back: the case is the reader's again, who may have gone on since the key was pressed. */
  undone(item: Case, stayed: boolean): void;
}

interface Signed {
  id: string;
  name: string;
  until: number;
}

export class UndoBar {
  readonly element = h("aside", { class: "undo-bar", hidden: true, "aria-label": t("ui.undo_signature") });
  /** The newest first: the one that the key takes back. */
  private signed: Signed[] = [];
  private readonly text = h("p", {});
  private readonly rest = h("span", { class: "muted", "aria-live": "off" });
  private readonly problems = h("div", {});
  private readonly host: UndoHost;

  constructor(host: UndoHost) {
    this.host = host;
    const button = h(
      "button",
      { type: "button", onclick: () => this.undo() },
      t("ui.undo_signature"),
      h("kbd", {}, "Ctrl + Z"),
    );
    this.element.append(this.text, this.rest, button, this.problems);
  }

  add(item: Case): void {
    const until = item.report?.hold_until;
    if (!item.can.undo || !until || this.signed.some((one) => one.id === item.id)) return;
    const name = item.patient.name || t("ui.name.none");
    this.signed.unshift({ id: item.id, name, until: Date.parse(until) });
    this.problems.replaceChildren();
    this.tick();
  }

  /** False where there is nothing to take back: the key is then somebody else's. */
  undo(): boolean {
    const [newest] = this.signed;
    if (!newest) return false;
    this.signed.shift();
    void this.takeBack(newest);
    return true;
  }

  tick(): void {
    const now = this.host.now();
    this.signed = this.signed.filter((one) => one.until > now);
    const [newest] = this.signed;
    this.element.hidden = !newest && !this.problems.hasChildNodes();
    if (!newest) return;
    this.text.textContent = t("ui.undo_bar.signed", { name: newest.name });
    const seconds = Math.ceil((newest.until - now) / 1000);
    this.rest.textContent = t("ui.undo_bar.seconds", { seconds });
  }

  private async takeBack(one: Signed): Promise<void> {
    this.tick();
    const from = location.pathname;
    try {
      const item = await send<Case>("POST", `/api/v1/cases/${encodeURIComponent(one.id)}/undo`);
      this.host.undone(item, location.pathname === from);
    } catch (cause) {
      this.text.textContent = one.name;
      this.rest.textContent = "";
      this.problems.replaceChildren(problemMessage(cause));
      this.element.hidden = false;
    }
  }
}

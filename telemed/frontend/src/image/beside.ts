/** The exam beside this one: of its series always the one that goes with what is looked at, leafed together with it. */
import { setText } from "../core/dom";
import { t } from "../core/page";
import { Link } from "./link";
import { matching } from "./match";
import type { Pane } from "./pane";
import type { Compared } from "./prior";

export interface BesideHost {
  /** The pane came or went: there is more or less room for the other. */
  placed(): void;
}

export class Beside {
  private compared: Compared | null = null;
  private link: Link | null = null;
  private round = 0;
  private readonly main: Pane;
  private readonly pane: Pane;
  private readonly host: BesideHost;

  constructor(main: Pane, pane: Pane, host: BesideHost) {
    this.main = main;
    this.pane = pane;
    this.host = host;
  }

  get on(): boolean {
    return this.compared !== null;
  }

  async open(compared: Compared): Promise<void> {
    this.compared = compared;
    await this.match();
  }

  close(): void {
    this.part();
    this.compared = null;
    this.away();
  }

  /** Another stack is about to be shown: the two go no longer together. */
  part(): void {
    this.round += 1;
    this.link = null;
    setText(this.main.title, "");
  }

  /** To what is now shown the series that goes with it. */
  async match(): Promise<void> {
    this.part();
    const { compared, main, pane, round } = this;
    const shown = main.stack;
    if (!compared || !shown) return;
    const found =
      (await matching(shown, compared.stacks)) ?? (compared.chosen ? compared.stacks[0] : undefined);
    if (round !== this.round) return;
    if (!found) {
      this.away();
      setText(main.title, t("ui.image.prior.no_series", { exam: compared.title }));
      return;
    }
    if (!pane.element.isConnected) {
      main.element.after(pane.element);
      this.host.placed();
    }
    const share = main.count > 1 ? main.index / (main.count - 1) : 0;
    await pane.open(found, Math.round(share * (found.pictures.length - 1)));
    if (round !== this.round) return;
    setText(pane.title, [compared.title, found.title].filter(Boolean).join(" · "));
    pane.setWindow(main.window);
    this.host.placed();
    pane.fit();
    pane.remember();
    this.link = new Link(main, pane);
    await this.link.measure();
  }

  private away(): void {
    this.pane.stop();
    if (!this.pane.element.isConnected) return;
    this.pane.element.remove();
    this.host.placed();
  }

  async follow(index: number): Promise<void> {
    await this.link?.follow(index);
  }

  align(): void {
    this.link?.align();
  }

  setWindow(window: Parameters<Pane["setWindow"]>[0]): void {
    if (this.link) this.pane.setWindow(window);
  }

  resized(): void {
    if (this.pane.element.isConnected) this.pane.resized();
  }
}

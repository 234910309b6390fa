/** One case while its report is open here. What goes to the server names this case, whichever is open by then. */
import { send } from "../core/api";
import type { Case } from "../core/types";
import { Autosave, type Fields, type SaveState } from "./autosave";
import { isConflict } from "./signing";

export interface SittingHost {
  /** What the case then is; undefined where it could not be had, and the reader was told. */
  claim(item: Case): Promise<Case | undefined>;
  state(of: Sitting, state: SaveState): void;
  /** Words that were left behind did not reach the server: they are kept in this browser alone. */
  unsaved(of: Sitting, cause: unknown): void;
}

interface Review {
  decision: "approve" | "return";
  comment: string | undefined;
  words: Fields | undefined;
}

/** A text that one key wrote may be signed with the next one: that signature claims the case itself. */
const CLAIM_AFTER = 300;

export class Sitting {
  /** As it was last known here. */
  item: Case;
  readonly autosave: Autosave;
  private claiming: Promise<void> | null = null;
  private timer = 0;
  private readonly host: SittingHost;

  constructor(item: Case, host: SittingHost) {
    this.item = item;
    this.host = host;
    this.autosave = new Autosave(item.id, item.report, {
      ready: () => this.claimFirst(),
      state: (state) => host.state(this, state),
      unsaved: (cause) => host.unsaved(this, cause),
    });
  }

  claimSoon(): void {
    this.timer ||= window.setTimeout(() => void this.claimFirst(), CLAIM_AFTER);
  }

  /** The first letter takes the case: whoever writes holds it, and everyone sees that. Nothing is saved before. */
  claimFirst(): Promise<void> {
    this.stop();
    const { item } = this;
    if (item.can.write || !item.can.claim) return this.claiming ?? Promise.resolve();
    this.claiming ??= this.host
      .claim(item)
      .then((held) => {
        this.item = held ?? this.item;
      })
      .finally(() => {
        this.claiming = null;
      });
    return this.claiming;
  }

  /**
   * One request with the very words that were shown as the key was pressed: claimed, written and signed together, or
   * none of it. What goes before it may take long, and the reader may be elsewhere by then. `said` is what else was
   * said of the case: a signature without it would be another's.
   */
  async sign(path: "sign" | "preliminary", words: Fields, said: Promise<void>): Promise<Case> {
    const { autosave } = this;
    try {
      await Promise.all([this.settled(), said]);
      const item = await this.post(path, { revision: autosave.revision, words });
      autosave.arrived(item.report);
      return item;
    } catch (cause) {
      autosave.resume(!isConflict(cause));
      throw cause;
    }
  }

  /** `words` where the reviewing doctor changed them. */
  async review({ decision, comment, words }: Review, said: Promise<void>): Promise<Case> {
    const { revision } = this.autosave;
    await said;
    const item = await this.post("review", {
      decision,
      revision,
      ...(comment ? { comment } : {}),
      ...(words ? { words } : {}),
    });
    this.autosave.dropCopy();
    return item;
  }

  post(what: string, body: object): Promise<Case> {
    return send<Case>("POST", `/api/v1/cases/${encodeURIComponent(this.item.id)}/${what}`, body);
  }

  reopen(item: Case): void {
    this.item = item;
    this.autosave.reopen();
  }

  close(): void {
    this.stop();
    this.autosave.close();
  }

  /** Waits for what is on its way, and sends nothing more by itself. */
  private async settled(): Promise<void> {
    this.stop();
    const words = this.autosave.settle();
    await this.claiming;
    await words;
  }

  private stop(): void {
    window.clearTimeout(this.timer);
    this.timer = 0;
  }
}

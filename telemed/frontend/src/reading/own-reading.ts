/** What this reader measured and says of the machine's findings: kept by the server as it is done. */
import { get, Problem, send } from "../core/api";
import { t } from "../core/page";
import type { Case } from "../core/types";
import type { Marks } from "../ecg/beat";

export type Verdict = "accepted" | "edited" | "rejected";

interface Kept {
  measurements: { analysis: string; marks: Marks; measurements: Record<string, number>; mine: boolean }[];
  verdicts: { analysis: string; finding: string; verdict: Verdict; mine: boolean }[];
}

export interface OwnReadingHost {
  /** This case, and the right to write about it: as it then is, where anything was to be done for that. */
  hold(item: Case): Promise<Case | undefined>;
  changed(): void;
  failed(item: Case, cause: unknown): void;
}

const nothing: Kept = { measurements: [], verdicts: [] };

/** Said here, and not answered yet. */
interface Said {
  analysis: string;
  finding: string;
  verdict: Verdict | undefined;
}

/** Of one case. What is on its way goes on when the reader has gone on, and always about this case. */
class OneReading {
  kept: Kept | null = null;
  /** Counts at once: on a slow line the next key must not fall on what was judged already. */
  said: readonly Said[] = [];
  readonly pending = new Set<Promise<boolean>>();
  item: Case;
  /** One after the other, so that two words about one finding reach the server in the order they were said. */
  private before: Promise<unknown> = Promise.resolve();
  private readonly host: OwnReadingHost;

  constructor(item: Case, host: OwnReadingHost) {
    this.item = item;
    this.host = host;
  }

  async fetch(): Promise<void> {
    const kept = await get<Kept>(this.path("own-reading"));
    // What was said meanwhile brought a newer answer with it.
    if (!this.kept) this.answered(kept);
  }

  change(what: string, body: object, said?: Said): Promise<boolean> {
    if (said) this.said = [...this.said, said];
    const turn = this.before.then(() => this.send(what, body, said));
    this.before = turn;
    this.pending.add(turn);
    return turn.finally(() => this.pending.delete(turn));
  }

  private async send(what: string, body: object, said?: Said): Promise<boolean> {
    try {
      this.item = (await this.host.hold(this.item)) ?? this.item;
      const kept = await send<Kept>("POST", this.path(what), body);
      this.forget(said);
      this.answered(kept);
      return true;
    } catch (cause) {
      this.forget(said);
      this.host.changed();
      this.host.failed(this.item, cause);
      return false;
    }
  }

  private forget(said?: Said): void {
    this.said = this.said.filter((one) => one !== said);
  }

  /** A server that knows of no such thing says nothing of it. */
  private answered(kept: Kept): void {
    this.kept = { ...nothing, ...kept };
    this.host.changed();
  }

  private path(what: string): string {
    return `/api/v1/cases/${encodeURIComponent(this.item.id)}/${what}`;
  }
}

export class OwnReading {
  private here: OneReading | null = null;
  /** Left while something was on its way: who comes back finds what was said. */
  private readonly left = new Map<string, OneReading>();
  private readonly host: OwnReadingHost;

  constructor(host: OwnReadingHost) {
    this.host = host;
  }

  /** Only of a case that a machine answered for; the same case again is not asked for again. */
  open(item: Case): void {
    if (this.here?.item.id === item.id) {
      this.here.item = item;
      return;
    }
    if (item.analyses.length === 0) return;
    const known = this.left.get(item.id);
    const here = known ?? new OneReading(item, this.host);
    this.here = here;
    if (known) return;
    here.fetch().catch((cause: unknown) => {
      if (this.here === here) this.host.failed(item, cause);
    });
  }

  close(): void {
    const { here } = this;
    this.here = null;
    if (!here || here.pending.size === 0) return;
    const { id } = here.item;
    this.left.set(id, here);
    void Promise.all(here.pending).then(() => this.left.delete(id));
  }

  verdict(analysis: string, finding: string): Verdict | undefined {
    const same = (one: { analysis: string; finding: string }): boolean =>
      one.analysis === analysis && one.finding === finding;
    const said = this.here?.said.filter(same).pop();
    return said ? said.verdict : this.here?.kept?.verdicts.find(same)?.verdict;
  }

  marks(analysis: string): Marks | undefined {
    const kept = this.here?.kept?.measurements.find((one) => one.analysis === analysis)?.marks;
    // A mark that is no number stands for a wave that is not there.
    return kept && Object.fromEntries(Object.entries(kept).filter(([, at]) => typeof at === "number"));
  }

  judge(analysis: string, finding: string, verdict: Verdict): void {
    const back = this.verdict(analysis, finding) === verdict;
    const said = { analysis, finding, verdict: back ? undefined : verdict };
    void this.here?.change("verdicts", { analysis, finding, verdict: said.verdict ?? "open" }, said);
    this.host.changed();
  }

  measure(analysis: string, marks: Marks): void {
    void this.here?.change("measurements", { analysis, marks });
  }

  /** Before a signature: after it nothing more is taken down. Throws where something of it did not arrive. */
  async settled({ id }: Case): Promise<void> {
    const { here } = this;
    if (here?.item.id !== id) return;
    const kept = await Promise.all(here.pending);
    // The reader was told what, and why: this says that it stopped the signature.
    if (kept.includes(false)) throw new Problem(409, "unkept", t("ui.sign.unkept"));
  }
}

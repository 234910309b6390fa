/** What this reader measured and says of the machine's findings: kept by the server as it is done. */
import { get, send } from "../core/api";
import type { Case } from "../core/types";
import type { Marks } from "../ecg/beat";

export type Verdict = "accepted" | "edited" | "rejected";

interface Kept {
  measurements: { analysis: string; marks: Marks; measurements: Record<string, number>; mine: boolean }[];
  verdicts: { analysis: string; finding: string; verdict: Verdict; mine: boolean }[];
}

export interface OwnReadingHost {
  /** The case, and the right to write about it. */
  hold(): Promise<void>;
  changed(): void;
  failed(cause: unknown): void;
}

const nothing: Kept = { measurements: [], verdicts: [] };

/** Said here, and not answered yet. */
interface Said {
  analysis: string;
  finding: string;
  verdict: Verdict | undefined;
}

export class OwnReading {
  private id = "";
  private kept: Kept = nothing;
  /** Counts at once: on a slow line the next key must not fall on what was judged already. */
  private said: readonly Said[] = [];
  /** One after the other, so that two words about one finding reach the server in the order they were said. */
  private before: Promise<unknown> = Promise.resolve();
  private readonly host: OwnReadingHost;

  constructor(host: OwnReadingHost) {
    this.host = host;
  }

  /** Only of a case that a machine answered for; the same case again is not asked for again. */
  open(item: Case): void {
    if (this.id === item.id || item.analyses.length === 0) return;
    this.id = item.id;
    this.forget();
    void this.exchange(() => get<Kept>(this.path("own-reading")));
  }

  close(): void {
    this.id = "";
    this.forget();
  }

  verdict(analysis: string, finding: string): Verdict | undefined {
    const same = (one: { analysis: string; finding: string }): boolean =>
      one.analysis === analysis && one.finding === finding;
    const said = this.said.filter(same).pop();
    return said ? said.verdict : this.kept.verdicts.find(same)?.verdict;
  }

  marks(analysis: string): Marks | undefined {
    const kept = this.kept.measurements.find((one) => one.analysis === analysis)?.marks;
    // A mark that is no number stands for a wave that is not there.
    return kept && Object.fromEntries(Object.entries(kept).filter(([, at]) => typeof at === "number"));
  }

  async judge(analysis: string, finding: string, verdict: Verdict): Promise<boolean> {
    const back = this.verdict(analysis, finding) === verdict;
    const said = { analysis, finding, verdict: back ? undefined : verdict };
    this.said = [...this.said, said];
    this.host.changed();
    return this.change("verdicts", { analysis, finding, verdict: said.verdict ?? "open" }, said);
  }

  measure(analysis: string, marks: Marks): Promise<boolean> {
    return this.change("measurements", { analysis, marks });
  }

  private change(what: string, body: object, said?: Said): Promise<boolean> {
    const path = this.path(what);
    const turn = this.before.then(() =>
      this.exchange(async () => {
        await this.host.hold();
        return send<Kept>("POST", path, body);
      }, said),
    );
    this.before = turn;
    return turn;
  }

  private async exchange(ask: () => Promise<Kept>, said?: Said): Promise<boolean> {
    const { id } = this;
    try {
      const kept = await ask();
      if (this.id !== id) return false;
      // A server that knows of no such thing says nothing of it.
      this.answered(said, { ...nothing, ...kept });
      return true;
    } catch (cause) {
      if (this.id !== id) return false;
      this.answered(said, this.kept);
      this.host.failed(cause);
      return false;
    }
  }

  private answered(said: Said | undefined, kept: Kept): void {
    this.said = this.said.filter((one) => one !== said);
    this.kept = kept;
    this.host.changed();
  }

  private forget(): void {
    this.kept = nothing;
    this.said = [];
  }

  private path(what: string): string {
    return `/api/v1/cases/${encodeURIComponent(this.id)}/${what}`;
  }
}

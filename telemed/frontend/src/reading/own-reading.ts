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

export class OwnReading {
  private id = "";
  private kept: Kept = nothing;
  private readonly host: OwnReadingHost;

  constructor(host: OwnReadingHost) {
    this.host = host;
  }

  /** Only of a case that a machine answered for; the same case again is not asked for again. */
  open(item: Case): void {
    if (this.id === item.id || item.analyses.length === 0) return;
    this.id = item.id;
    this.kept = nothing;
    void this.exchange(() => get<Kept>(this.path("own-reading")));
  }

  close(): void {
    this.id = "";
    this.kept = nothing;
  }

  verdict(analysis: string, finding: string): Verdict | undefined {
    return this.kept.verdicts.find((one) => one.analysis === analysis && one.finding === finding)?.verdict;
  }

  marks(analysis: string): Marks | undefined {
    const kept = this.kept.measurements.find((one) => one.analysis === analysis)?.marks;
    // A mark that is no number stands for a wave that is not there.
    return kept && Object.fromEntries(Object.entries(kept).filter(([, at]) => typeof at === "number"));
  }

  judge(analysis: string, finding: string, verdict: Verdict): Promise<boolean> {
    const again = this.verdict(analysis, finding) === verdict;
    const body = { analysis, finding, verdict: again ? "open" : verdict };
    return this.change("verdicts", body);
  }

  measure(analysis: string, marks: Marks): Promise<boolean> {
    return this.change("measurements", { analysis, marks });
  }

  private change(what: string, body: object): Promise<boolean> {
    return this.exchange(async () => {
      await this.host.hold();
      return send<Kept>("POST", this.path(what), body);
    });
  }

  private async exchange(ask: () => Promise<Kept>): Promise<boolean> {
    const { id } = this;
    try {
      const kept = await ask();
      if (this.id !== id) return false;
      // A server that knows of no such thing says nothing of it.
      this.kept = { ...nothing, ...kept };
      this.host.changed();
      return true;
    } catch (cause) {
      if (this.id === id) this.host.failed(cause);
      return false;
    }
  }

  private path(what: string): string {
    return `/api/v1/cases/${encodeURIComponent(this.id)}/${what}`;
  }
}

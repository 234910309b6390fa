/** What comes about other cases while one is open: an emergency, and a critical value that waits for its second look. */
import { get } from "../core/api";
import type { CriticalValue } from "../core/critical";
import { t } from "../core/page";
import type { Delta, Row } from "../core/types";
import { Latest } from "./latest";
import { findingText } from "./row";
import type { SideNotes } from "./side-notes";

export interface NewsHost {
  /** The case that is open, "" in the list: there the rows themselves tell. */
  caseId(): string;
  /** As the row was known before. */
  known(id: string): Row | undefined;
}

interface Listed {
  rows: (CriticalValue & { raised_by_me?: boolean })[];
}

export class News {
  /** Emergencies that nobody has taken, as they were told of or stood in the list. */
  private readonly urgent = new Set<string>();
  /** Told once: what was put away stays away. */
  private readonly told = new Set<string>();
  private readonly latest = new Latest(() => get<Listed>("/api/v1/critical"));
  private readonly notes: SideNotes;
  private readonly host: NewsHost;

  constructor(notes: SideNotes, host: NewsHost) {
    this.notes = notes;
    this.host = host;
  }

  /** Before the list takes it in. */
  take({ rows, gone }: Delta): void {
    for (const row of rows) this.emergency(row);
    for (const id of gone) this.calm(id);
    if (rows.some((row) => row.critical)) void this.look();
  }

  /** Critical values that someone at this house is to look at, and that another raised. */
  async look(): Promise<void> {
    let due: Listed["rows"];
    try {
      const { rows } = await this.latest.ask();
      due = rows.filter((row) => row.can.includes("confirm") && !row.raised_by_me);
    } catch (cause) {
      // Asked again at the next news; the list and its count of critical cases say the same.
      console.warn("critical values could not be read", cause);
      return;
    }
    const keys = new Set(due.map(({ id }) => `check ${id}`));
    this.notes.withdraw(({ key }) => key.startsWith("check ") && !keys.has(key));
    for (const { id, case_id: caseId, patient, exam, card } of due) {
      const key = `check ${id}`;
      if (this.told.has(key) || caseId === this.host.caseId()) continue;
      this.told.add(key);
      const name = patient.name || t("ui.name.none");
      const text = t("ui.news.check", { name, exam, finding: card.finding });
      this.notes.tell({ key, caseId, tone: "problem", text, go: t("ui.news.check_go") });
    }
  }

  /** Back in the list, where the emergencies stand at the top. */
  inList(): void {
    this.notes.withdraw(({ key }) => key.startsWith("stat "));
  }

  private emergency(row: Row): void {
    const before = this.host.known(row.id);
    if (!waits(row)) {
      this.calm(row.id);
      return;
    }
    const news = !this.urgent.has(row.id) && !(before && waits(before));
    this.urgent.add(row.id);
    const open = this.host.caseId();
    if (!news || !open || open === row.id) return;
    const name = row.patient.name || t("ui.name.none");
    // A critical value says so itself.
    const raised = row.raised_because === "critical" ? "" : row.raised_because;
    const because = raised && findingText(raised);
    const text = t(because ? "ui.news.stat_because" : "ui.news.stat", {
      name,
      exam: row.exam,
      site: row.site,
      because,
    });
    const key = `stat ${row.id}`;
    this.notes.tell({ key, caseId: row.id, tone: "warning", text, go: t("ui.news.stat_go") });
  }

  private calm(id: string): void {
    this.urgent.delete(id);
    this.notes.withdraw(({ key }) => key === `stat ${id}`);
  }
}

/** An emergency that nobody has taken. */
function waits({ effective_priority: priority, state, holder }: Row): boolean {
  return priority === "stat" && state === "waiting" && !holder;
}

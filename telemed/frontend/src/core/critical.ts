/** Critical values as cards: the clock, the six fields of the call, and what this person may do next. */
import { explain, get, send } from "./api";
import { actionText, forms } from "./critical-forms";
import { find, h, setText } from "./dom";
import { problemMessage } from "./messages";
import { maybe, t } from "./page";
import { last4, sexAge } from "./patient";
import { clock } from "./time";
import { markTitle } from "./title-marks";
import type { Patient } from "./types";

export interface CriticalValue {
  id: string;
  case_id: string;
  tier: "critical" | "warning";
  state: "awaiting_check" | "released" | "acknowledged" | "acted" | "closed" | "withdrawn";
  code: string;
  note: string;
  proposed_by_ai: boolean;
  patient: Patient;
  modality: string;
  exam: string;
  applicant_institution: string;
  reporting_institution: string;
  raised_at: string;
  due_at: string | null;
  checked_by: string;
  check: string | null;
  card: {
    finding: string;
    found_at: string;
    found_by: string;
    received_by: string;
    received_at: string | null;
    how: string | null;
    read_back: string;
  };
  actions: { kind: string; note: string; by: string; at: string }[];
  acted_at: string | null;
  escalated: string[];
  can: ("confirm" | "withdraw" | "acknowledge" | "call" | "act" | "close")[];
}

type Done = (value: CriticalValue) => void;
/** What was pressed did not come about, and its card is gone. */
type Lost = (value: CriticalValue, cause: unknown) => void;

const EVERY = 5_000;
const SLOWEST = 30_000;

/** Keeps the cards of a page true; they stand there without any report. */
export function startCritical(): void {
  const place = find<HTMLElement>("#critical-values");
  const line = find<HTMLElement>("#critical-line");
  let timer = 0;
  let wait = EVERY;
  /** The server's clock less this one's: the ten minutes are the server's. */
  let ahead = 0;
  const cards = new CriticalCards(place, () => void refresh());

  async function refresh(): Promise<void> {
    window.clearTimeout(timer);
    try {
      const { rows, now } = await get<{ rows: CriticalValue[]; now: string }>("/api/v1/critical");
      ahead = Date.parse(now) - Date.now();
      cards.show(rows);
      tickCritical(place, Date.now() + ahead);
      const unheard = rows.filter((row) => row.state === "released").length;
      markTitle("critical", unheard > 0 ? `▲ ${unheard}` : "");
      setText(line, "");
      wait = EVERY;
    } catch (cause) {
      setText(line, t("ui.critical.stale", { problem: explain(cause) }));
      wait = Math.min(wait * 2, SLOWEST);
    }
    timer = window.setTimeout(() => void refresh(), document.hidden ? SLOWEST : wait);
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) void refresh();
  });
  window.setInterval(() => tickCritical(place, Date.now() + ahead), 1_000);
  void refresh();
}

export function tickCritical(place: ParentNode, now: number): void {
  for (const element of Array.from(place.querySelectorAll<HTMLElement>("[data-clock-end]"))) {
    const left = Math.round((Date.parse(element.dataset.clockEnd ?? "") - now) / 1000);
    const minutes = Math.floor(Math.abs(left) / 60);
    const time = `${minutes}:${String(Math.abs(left) % 60).padStart(2, "0")}`;
    setText(element, t(left < 0 ? "ui.critical.clock_over" : "ui.critical.clock_left", { time }));
  }
}

/** A list of cards. What somebody is writing into a card stays while the same can be done about the value. */
export class CriticalCards {
  private readonly kept = new Map<string, Card>();
  private readonly place: HTMLElement;
  private readonly done: Done;
  private readonly lost: Lost;

  constructor(
    place: HTMLElement,
    done: Done,
    lost: Lost = (_, cause) => console.warn("a card is gone", cause),
  ) {
    this.place = place;
    this.done = done;
    this.lost = lost;
  }

  show(rows: readonly CriticalValue[]): void {
    const ids = new Set(rows.map((row) => row.id));
    for (const [id, card] of this.kept) {
      if (ids.has(id)) continue;
      card.element.remove();
      this.kept.delete(id);
    }
    rows.forEach((row, index) => {
      let card = this.kept.get(row.id);
      if (!card) {
        card = new Card(row, this.done, this.lost);
        this.kept.set(row.id, card);
      }
      card.show(row);
      // Moved only where it stands elsewhere: an element that moves loses the cursor.
      const there = this.place.children[index] ?? null;
      if (there !== card.element) this.place.insertBefore(card.element, there);
    });
  }
}

class Card {
  readonly element: HTMLElement;
  private readonly told = h("div", { class: "told" });
  private readonly messages = h("div", { class: "messages" });
  private readonly forms = h("div", { class: "told" });
  private readonly done: Done;
  private readonly lost: Lost;
  private can = "";
  private version = "";

  constructor(value: CriticalValue, done: Done, lost: Lost) {
    this.done = done;
    this.lost = lost;
    this.element = h(
      "article",
      { class: `critical-card ${value.tier}`, "aria-label": t(`ui.critical.tier.${value.tier}`) },
      this.told,
      this.messages,
      this.forms,
    );
  }

  show(value: CriticalValue): void {
    const version = JSON.stringify(value);
    if (version === this.version) return;
    this.version = version;
    this.told.replaceChildren(...said(value));
    const can = value.can.join(" ");
    if (can === this.can) return;
    this.can = can;
    this.messages.replaceChildren();
    this.forms.replaceChildren(...forms(value, (what, body) => this.post(value, what, body)));
  }

  /** True where the server took it. */
  private async post(about: CriticalValue, what: string, body: unknown): Promise<boolean> {
    try {
      const path = `/api/v1/critical/${encodeURIComponent(about.id)}/${what}`;
      const value = await send<CriticalValue>("POST", path, body);
      this.messages.replaceChildren();
      this.done(value);
      return true;
    } catch (cause) {
      if (this.element.isConnected) this.messages.replaceChildren(problemMessage(cause));
      else this.lost(about, cause);
      return false;
    }
  }
}

/** The clock, the patient, the six fields of the call, and what was done so far. */
function said(value: CriticalValue): HTMLElement[] {
  const { patient, card } = value;
  const waits = value.due_at && (value.state === "awaiting_check" || value.state === "released");
  const parts = [
    h(
      "header",
      {},
      h("strong", { class: "tier" }, `▲ ${t(`ui.critical.tier.${value.tier}`)}`),
      h("strong", { class: "finding" }, card.finding),
      waits && h("span", { class: "clock", "data-clock-end": value.due_at }),
      h("span", { class: "state" }, t(`ui.critical.state.${value.state}`)),
    ),
    h(
      "p",
      { class: "who" },
      h("strong", {}, patient.name || t("ui.name.none")),
      ` ${sexAge(patient)} ${last4(patient)} · ${value.modality} ${value.exam} · ${value.applicant_institution}`,
    ),
    value.note && h("p", { class: "note" }, value.note),
    sixFields(value),
    value.escalated.length > 0 &&
      h(
        "p",
        { class: "escalated" },
        t("ui.critical.escalated", {
          steps: value.escalated.map((step) => maybe(`ui.critical.step.${step}`) ?? step).join(" → "),
        }),
      ),
    value.actions.length > 0 &&
      h(
        "ul",
        { class: "actions-taken" },
        ...value.actions.map((one) =>
          h("li", {}, `${clock(one.at)} ${t(actionText(one.kind))} ${one.note} · ${one.by}`),
        ),
      ),
  ];
  return parts.filter((part): part is HTMLElement => part instanceof HTMLElement);
}

function sixFields(value: CriticalValue): HTMLElement {
  const { card } = value;
  const field = (name: string, text: string): HTMLElement =>
    h("div", {}, h("dt", {}, name), h("dd", {}, text || "—"));
  return h(
    "dl",
    { class: "call-card" },
    field(t("ui.critical.field.found_at"), clock(card.found_at)),
    field(t("ui.critical.field.found_by"), card.found_by),
    field(t("ui.critical.field.checked_by"), value.checked_by),
    field(t("ui.critical.field.received_by"), card.received_by),
    field(t("ui.critical.field.received_at"), card.received_at ? clock(card.received_at) : ""),
    field(
      t("ui.critical.field.how"),
      card.how ? t(card.how === "phone" ? "ui.critical.how.phone" : "ui.critical.how.screen") : "",
    ),
    field(t("ui.critical.field.read_back"), card.read_back),
  );
}

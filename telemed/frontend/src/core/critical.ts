/** Critical values as cards: the clock, the six fields of the call, and what this person may do next. */
import { explain, get, send } from "./api";
import { find, h, reconcile, setText } from "./dom";
import { problemMessage } from "./messages";
import { maybe, t } from "./page";
import { last4, sexAge } from "./patient";
import { clock } from "./time";
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

const EVERY = 5_000;
const SLOWEST = 30_000;

/** Keeps the cards of a page true; they stand there without any report. */
export function startCritical(): void {
  const place = find<HTMLElement>("#critical-values");
  const line = find<HTMLElement>("#critical-line");
  const title = document.title;
  let timer = 0;
  let wait = EVERY;
  /** The server's clock less this one's: the ten minutes are the server's. */
  let ahead = 0;

  async function refresh(): Promise<void> {
    window.clearTimeout(timer);
    try {
      const { rows, now } = await get<{ rows: CriticalValue[]; now: string }>("/api/v1/critical");
      ahead = Date.parse(now) - Date.now();
      reconcile(
        place,
        rows,
        (row) => row.id,
        (row) => JSON.stringify(row),
        (row) => criticalCard(row, () => void refresh()),
      );
      tickCritical(place, Date.now() + ahead);
      // Seen from another tab too.
      const unheard = rows.filter((row) => row.state === "released").length;
      document.title = unheard > 0 ? `▲ ${unheard} · ${title}` : title;
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

export function criticalCard(value: CriticalValue, done: Done): HTMLElement {
  const messages = h("div", { class: "messages" });
  const post = async (what: string, body: unknown): Promise<void> => {
    try {
      done(
        await send<CriticalValue>("POST", `/api/v1/critical/${encodeURIComponent(value.id)}/${what}`, body),
      );
    } catch (cause) {
      messages.replaceChildren(problemMessage(cause));
    }
  };
  const { patient, card } = value;
  const waits = value.due_at && (value.state === "awaiting_check" || value.state === "released");
  return h(
    "article",
    { class: `critical-card ${value.tier}`, "aria-label": t(`ui.critical.tier.${value.tier}`) },
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
    messages,
    ...forms(value, post),
  );
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

type ActionName = "called_resident" | "called_120" | "referred" | "other";
const actionNames: readonly ActionName[] = ["called_resident", "called_120", "referred", "other"];

function actionText(kind: string): `ui.critical.action.${ActionName}` {
  return `ui.critical.action.${actionNames.find((name) => name === kind) ?? "other"}`;
}

type Post = (what: string, body: unknown) => Promise<void>;

function forms(value: CriticalValue, post: Post): HTMLElement[] {
  const found: HTMLElement[] = [];
  const can = (what: CriticalValue["can"][number]): boolean => value.can.includes(what);
  const button = (text: string, run: () => void, primary = false): HTMLElement =>
    h("button", { type: "button", class: primary ? "primary" : "", onclick: run }, text);
  if (can("confirm")) found.push(button(t("ui.critical.confirm"), () => void post("confirm", {}), true));
  if (can("withdraw"))
    found.push(
      sayForm(
        t("ui.critical.withdraw_reason"),
        t("ui.critical.withdraw"),
        (reason) => post("withdraw", { reason }),
        "",
      ),
    );
  if (can("call")) found.push(callForm(value, post));
  if (can("acknowledge"))
    found.push(
      value.tier === "critical"
        ? sayForm(t("ui.critical.read_back"), t("ui.critical.acknowledge"), (words) =>
            post("acknowledge", { how: "screen", read_back: words }),
          )
        : button(t("ui.critical.acknowledge"), () => void post("acknowledge", { how: "screen" }), true),
    );
  if (can("act"))
    found.push(
      h(
        "div",
        { class: "choices" },
        ...actionNames.map((kind) => button(t(actionText(kind)), () => void post("act", { kind }))),
      ),
    );
  if (can("close")) found.push(button(t("ui.critical.close"), () => void post("close", {}), true));
  return found;
}

function sayForm(
  label: string,
  submit: string,
  run: (words: string) => Promise<void>,
  weight = "primary",
): HTMLElement {
  const field = h("input", { type: "text", required: true, maxlength: "400", autocomplete: "off" });
  return h(
    "form",
    {
      class: "say",
      onsubmit: (event: SubmitEvent) => {
        event.preventDefault();
        void run(field.value.trim());
      },
    },
    h("label", {}, label, field),
    h("button", { type: "submit", class: weight }, submit),
  );
}

/** The telephone: who took it, and what they said back. */
function callForm(value: CriticalValue, post: Post): HTMLElement {
  const receiver = h("input", { type: "text", required: true, maxlength: "100", autocomplete: "off" });
  const words = h("input", {
    type: "text",
    required: value.tier === "critical",
    maxlength: "400",
    autocomplete: "off",
  });
  return h(
    "form",
    {
      class: "say call",
      onsubmit: (event: SubmitEvent) => {
        event.preventDefault();
        const body = { how: "phone", received_by: receiver.value.trim(), read_back: words.value.trim() };
        void post("acknowledge", body);
      },
    },
    h("label", {}, t("ui.critical.field.received_by"), receiver),
    h("label", {}, t("ui.critical.read_back_heard"), words),
    h("button", { type: "submit", class: "primary" }, t("ui.critical.called")),
  );
}

/** Instants as the site's people write them: 2026-11-21 14:05, 24 hours, in the zone of the site. */
import { page, t } from "./page";

const parts = new Intl.DateTimeFormat("en-GB", {
  timeZone: page.zone,
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});

function split(instant: Date): Record<string, string> {
  return Object.fromEntries(parts.formatToParts(instant).map((part) => [part.type, part.value]));
}

export function dateTime(iso: string | null | undefined): string {
  if (!iso) return "";
  const { year, month, day, hour, minute } = split(new Date(iso));
  return `${year}-${month}-${day} ${hour}:${minute}`;
}

/** The time alone for today, with month and day for any other day. */
export function clock(iso: string, now: Date = new Date()): string {
  const full = dateTime(iso);
  return full.slice(0, 10) === dateTime(now.toISOString()).slice(0, 10) ? full.slice(11) : full.slice(5);
}

/** A length of time in at most two units: 1 h 20 min. */
export function span(milliseconds: number): string {
  const minutes = Math.floor(Math.abs(milliseconds) / 60_000);
  if (minutes < 1) return t("ui.span.under_a_minute");
  if (minutes < 60) return t("ui.span.minutes", { minutes });
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return t("ui.span.hours", { hours, minutes: minutes % 60 });
  return t("ui.span.days", { days: Math.floor(hours / 24), hours: hours % 24 });
}

export type Lateness = "overdue" | "soon" | "on_time";

export interface Countdown {
  text: string;
  lateness: Lateness;
}

/** `now` is the server's: a wrong clock in the reading room must not make a case late. */
export function countdown(deadline: string, now: number): Countdown {
  const left = Date.parse(deadline) - now;
  if (left < 0) return { text: t("ui.deadline.overdue", { span: span(left) }), lateness: "overdue" };
  const lateness = left < 10 * 60_000 ? "soon" : "on_time";
  return { text: t("ui.deadline.left", { span: span(left) }), lateness };
}

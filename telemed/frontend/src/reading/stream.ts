/** The list's live line. The browser resumes with Last-Event-ID by itself; what it gives up on is opened again. */
import type { Delta } from "../core/types";

export type LineState = "connecting" | "live" | "lost";

export interface Listener {
  /** `id` is the number of the event. */
  onCases(delta: Delta, id: number): void;
  /** The line is back after a loss, and will not tell what was missed: it must be fetched. */
  onBack(): void;
  onState(state: LineState): void;
}

const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 20_000;

export function listen(listener: Listener, lastEventId: string): () => void {
  let source: EventSource | null = null;
  let timer = 0;
  let wait = FIRST_WAIT;
  let lost = false;
  let last = lastEventId;

  function open(): void {
    listener.onState(lost ? "lost" : "connecting");
    const query = last ? `?last_event_id=${encodeURIComponent(last)}` : "";
    source = new EventSource(`/api/v1/worklist/stream${query}`);
    source.addEventListener("open", () => {
      wait = FIRST_WAIT;
      listener.onState("live");
    });
    source.addEventListener("hello", (event) => {
      const { resumed } = JSON.parse(event.data) as { resumed?: boolean };
      if (lost && !resumed) listener.onBack();
      lost = false;
    });
    source.addEventListener("cases", (event) => {
      if (event.lastEventId) last = event.lastEventId;
      listener.onCases(
        JSON.parse(event.data) as Delta,
        event.lastEventId ? Number(event.lastEventId) : Number.POSITIVE_INFINITY,
      );
    });
    source.addEventListener("error", () => {
      lost = true;
      listener.onState("lost");
      if (source?.readyState !== EventSource.CLOSED) return;
      timer = window.setTimeout(open, wait);
      wait = Math.min(wait * 2, LONGEST_WAIT);
    });
  }

  function reopenNow(): void {
    if (source?.readyState !== EventSource.CLOSED) return;
    window.clearTimeout(timer);
    open();
  }

  window.addEventListener("online", reopenNow);
  open();
  return () => {
    window.removeEventListener("online", reopenNow);
    window.clearTimeout(timer);
    source?.close();
  };
}

/** Opening and acknowledging reports. The page itself comes from the server; this sends what is pressed. */
import { send } from "../core/api";
import { startCritical } from "../core/critical";
import { find, setText } from "../core/dom";
import { problemMessage } from "../core/messages";
import { t } from "../core/page";
import { pageKeys } from "../core/page-keys";
import { clock } from "../core/time";
import { commands } from "./keys";

interface InboxRow {
  opened_at: string | null;
  acknowledged_at: string | null;
}

const batch = document.querySelector<HTMLButtonElement>("#acknowledge-normal");
const progress = document.querySelector<HTMLElement>("#batch-progress");

function rows(selector = ""): HTMLElement[] {
  return Array.from(document.querySelectorAll<HTMLElement>(`[data-delivery]${selector}`));
}

function post(row: HTMLElement, what: "open" | "acknowledge"): Promise<InboxRow> {
  return send<InboxRow>("POST", `/api/v1/inbox/${encodeURIComponent(row.dataset.delivery ?? "")}/${what}`);
}

async function markOpened(row: HTMLElement): Promise<void> {
  if (row.dataset.opened === "true") return;
  try {
    await post(row, "open");
    row.dataset.opened = "true";
    row.querySelector(".unread")?.remove();
  } catch (cause) {
    show(row, cause);
  }
}

async function acknowledge(row: HTMLElement): Promise<boolean> {
  const button = find<HTMLButtonElement>("button", row);
  button.disabled = true;
  try {
    const answer = await post(row, "acknowledge");
    row.dataset.acknowledged = "true";
    const time = answer.acknowledged_at ? clock(answer.acknowledged_at) : "";
    setText(find(".acknowledged", row), `✓ ${t("ui.inbox.acknowledged", { time })}`);
    button.remove();
    countNormal();
    return true;
  } catch (cause) {
    button.disabled = false;
    show(row, cause);
    return false;
  }
}

function show(row: HTMLElement, cause: unknown): void {
  find(".messages", row).replaceChildren(problemMessage(cause));
}

function openNormal(): HTMLElement[] {
  return rows("[data-normal=true]").filter((row) => row.dataset.acknowledged !== "true");
}

function countNormal(): void {
  if (!batch) return;
  const count = openNormal().length;
  batch.hidden = count < 2;
  setText(batch, t("ui.inbox.acknowledge_normal", { count }));
}

for (const row of rows()) {
  row.querySelector("details")?.addEventListener("toggle", () => void markOpened(row));
  row.querySelector("a.pdf")?.addEventListener("click", () => void markOpened(row));
  row.querySelector("form")?.addEventListener("submit", (event) => {
    event.preventDefault();
    void acknowledge(row);
  });
}

batch?.addEventListener("click", async () => {
  batch.disabled = true;
  const waiting = openNormal();
  let done = 0;
  for (const row of waiting) {
    if (await acknowledge(row)) done += 1;
    if (progress) setText(progress, t("ui.inbox.batch", { done, count: waiting.length }));
  }
  batch.disabled = false;
});

startCritical();
countNormal();
pageKeys(commands);

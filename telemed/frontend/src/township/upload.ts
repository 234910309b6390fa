/** The drop zone and what became of every file. */
import { find, h, reconcile, setText } from "../core/dom";
import { message } from "../core/messages";
import { t } from "../core/page";
import { digest } from "./digest";
import { dropped, type Picked, pick } from "./files";
import { type Item, UploadQueue } from "./queue";

export function startUploads(onSafe: () => void): void {
  const zone = find<HTMLElement>("#drop-zone");
  const summary = find<HTMLElement>("#upload-summary");
  const rows = find<HTMLElement>("#upload-files");
  const details = find<HTMLDetailsElement>("#upload-details");
  const notes = find<HTMLElement>("#upload-notes");
  let safeBefore = 0;
  let frame = 0;
  const queue = new UploadQueue(() => {
    if (!frame) frame = window.requestAnimationFrame(draw);
  });

  function take({ files, skipped }: Picked): void {
    notes.replaceChildren();
    if (skipped > 0) notes.append(message("warning", t("ui.upload.skipped", { count: skipped })));
    if (files.length === 0 && skipped === 0) notes.append(message("warning", t("ui.upload.nothing")));
    const first = queue.items.length;
    queue.add(files);
    for (const item of queue.items.slice(first)) {
      digest(item.file).then(
        (value) => {
          if (value) local.set(item.id, value);
        },
        (cause: unknown) => console.warn("no digest of the file here; the server's is shown", cause),
      );
    }
  }

  function draw(): void {
    frame = 0;
    const { items } = queue;
    const safe = items.filter((item) => item.state === "safe" || item.state === "attention").length;
    const refused = items.filter((item) => item.state === "refused").length;
    details.hidden = items.length === 0;
    const total = items.reduce((sum, item) => sum + item.file.size, 0);
    const sent = items.reduce((sum, item) => sum + item.sent, 0);
    summary.replaceChildren(
      h("progress", { max: Math.max(total, 1), value: sent, "aria-label": t("ui.upload.progress") }),
      h(
        "strong",
        { class: safe === items.length ? "good" : "" },
        safe === items.length ? "✓ " : "",
        t("ui.upload.safe", { safe, count: items.length }),
      ),
      (refused > 0 && h("strong", { class: "bad" }, t("ui.upload.refused", { count: refused }))) || "",
    );
    summary.hidden = items.length === 0;
    const wait = notes.querySelector(".waiting");
    if (!queue.waiting) wait?.remove();
    else if (!wait) {
      const note = message("warning", t("ui.upload.waiting", { problem: queue.waiting }), [
        { label: t("ui.try_again"), run: () => queue.retryNow() },
      ]);
      note.classList.add("waiting");
      notes.append(note);
    }
    reconcile(rows, items, (item) => String(item.id), version, fileRow);
    if (safe > safeBefore) onSafe();
    safeBefore = safe;
  }

  zone.addEventListener("dragover", (event) => {
    event.preventDefault();
    zone.classList.add("over");
  });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", async (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    if (event.dataTransfer) take(await dropped(event.dataTransfer));
  });
  for (const input of Array.from(zone.querySelectorAll<HTMLInputElement>("input[type=file]"))) {
    input.addEventListener("change", () => {
      take(pick(input.files ?? []));
      input.value = "";
    });
  }
  window.addEventListener("beforeunload", (event) => {
    if (queue.busy) event.preventDefault();
  });
  setText(summary, "");
}

/** Digests made here, where the browser can: they must equal what the server answers. */
const local = new Map<number, string>();

function version(item: Item): string {
  return `${item.state} ${Math.round((item.sent / Math.max(1, item.file.size)) * 20)} ${item.problem} ${local.has(item.id)}`;
}

function fileRow(item: Item): HTMLElement {
  const sha = item.answer?.sha256 ?? "";
  const here = local.get(item.id);
  const differs = sha !== "" && here !== undefined && here !== sha;
  const percent = Math.round((item.sent / Math.max(1, item.file.size)) * 100);
  const state =
    item.state === "safe" && item.answer
      ? `✓ ${t(item.answer.status === "repeat" ? "ui.upload.state.repeat" : "ui.upload.state.safe")}`
      : item.state === "sending"
        ? t("ui.upload.state.sending", { percent })
        : t(`ui.upload.state.${item.state === "safe" ? "waiting" : item.state}`);
  return h(
    "tr",
    { class: item.state },
    h("td", { class: "file" }, item.file.name),
    h(
      "td",
      { class: "number" },
      t("ui.upload.kilobytes", { size: Math.max(1, Math.round(item.file.size / 1024)) }),
    ),
    h(
      "td",
      { class: `state ${differs ? "refused" : item.state}` },
      differs ? t("ui.upload.digest_differs") : state,
    ),
    h(
      "td",
      { class: "digest", title: sha || null },
      sha ? `${sha.slice(0, 16)}…` : "",
      item.problem && h("span", { class: "bad" }, item.problem),
    ),
  );
}

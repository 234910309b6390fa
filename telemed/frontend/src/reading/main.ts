/** The reading room: list, case and report in one page, with its state in the address. */
import { send } from "../core/api";
import { find } from "../core/dom";
import { type Command, obey } from "../core/keys";
import { problemMessage } from "../core/messages";
import { t } from "../core/page";
import type { Case, View } from "../core/types";
import { CaseCache } from "./case-cache";
import { CaseView } from "./case-view";
import { keysPanel } from "./keys-panel";
import { ListView } from "./list-view";
import { listen } from "./stream";
import { views, Worklist } from "./worklist";

interface Place {
  view: View;
  caseId: string;
}

function here(): Place {
  const asked = new URLSearchParams(location.search).get("view");
  const view = views.find((name) => name === asked) ?? "waiting";
  const caseId = /^\/reading\/cases\/([^/]+)/.exec(location.pathname)?.[1] ?? "";
  return { view, caseId: decodeURIComponent(caseId) };
}

const caseUrl = (id: string): string => `/reading/cases/${encodeURIComponent(id)}?view=${list.view}`;
const listUrl = (view: View): string => `/reading?view=${view}`;

const root = find<HTMLElement>("#reading");
const said = find<HTMLElement>("#announcements");
const cache = new CaseCache();
const list: Worklist = new Worklist(() => listView.render());
const listView: ListView = new ListView(list, {
  open: (id) => go(caseUrl(id)),
  view: (view) => go(listUrl(view)),
  keys: toggleKeys,
  href: (id) => caseUrl(id),
});
const caseView = new CaseView(cache, {
  now: () => list.now(),
  back: () => go(listUrl(list.view)),
  done: onDone,
  changed: (item) => list.replace(item),
});
let keys: HTMLElement | null = null;

function go(url: string): void {
  if (url !== location.pathname + location.search) history.pushState(null, "", url);
  show();
}

function show(): void {
  const { view, caseId } = here();
  const opening = caseId !== "";
  listView.element.hidden = opening;
  if (view !== list.view) void list.open(view);
  if (opening) {
    void caseView.open(caseId).then(() => {
      const next = list.nextToRead(caseId);
      if (next) cache.prefetch(next.id);
    });
    return;
  }
  const last = caseView.item?.id;
  caseView.close();
  document.title = t("ui.list.tab");
  listView.render();
  listView.select(last ?? listView.current?.id ?? "");
}

/** Signed, reviewed or returned: the next case comes by itself, or the list when there is none. */
function onDone(item: Case): void {
  const next = list.nextToRead(item.id);
  cache.forget(item.id);
  said.textContent = t("ui.case.done", { name: item.patient.name, state: t(`ui.case_state.${item.state}`) });
  list.replace(item);
  go(next ? caseUrl(next.id) : listUrl(list.view));
}

function neighbour(step: number): boolean {
  const { caseId } = here();
  const at = list.rows.findIndex((row) => row.id === caseId);
  const row = at < 0 ? undefined : list.rows[at + step];
  if (!row) return false;
  go(caseUrl(row.id));
  return true;
}

async function claimSelected(): Promise<void> {
  const row = listView.current;
  if (!row) return;
  try {
    list.replace(await send<Case>("POST", `/api/v1/cases/${encodeURIComponent(row.id)}/claim`));
  } catch (cause) {
    root.querySelector(".list-page .messages")?.replaceChildren(problemMessage(cause));
  }
}

const listCommands: readonly Command[] = [
  { keys: ["j", "ArrowDown"], label: "ui.key.next", run: () => listView.move(1) },
  { keys: ["k", "ArrowUp"], label: "ui.key.previous", run: () => listView.move(-1) },
  { keys: ["Enter"], label: "ui.key.open", run: openSelected },
  { keys: ["c"], label: "ui.key.claim", run: () => void claimSelected() },
  { keys: ["/"], label: "ui.key.filter", run: () => listView.filter.focus() },
  { keys: ["Escape"], label: "ui.key.leave_filter", run: leaveFilter, whileTyping: true },
];

const caseCommands: readonly Command[] = [
  {
    keys: ["n", "Alt+n"],
    label: "ui.key.normal",
    run: () => caseView.report.insertNormal(),
    whileTyping: true,
  },
  { keys: ["e"], label: "ui.key.edit", run: () => caseView.report.focus() },
  { keys: ["Ctrl+Enter"], label: "ui.key.sign", run: () => void caseView.report.finish(), whileTyping: true },
  { keys: ["r"], label: "ui.key.return", run: () => caseView.report.askReturn() },
  { keys: ["k", "Alt+k"], label: "ui.key.critical", run: () => caseView.critical.ask(), whileTyping: true },
  { keys: ["x"], label: "ui.key.repeat", run: () => caseView.report.askRepeat() },
  { keys: ["c"], label: "ui.key.claim", run: () => void caseView.claim() },
  { keys: ["u"], label: "ui.key.release", run: () => void caseView.release() },
  { keys: ["j"], label: "ui.key.next", run: () => neighbour(1) },
  { keys: ["p"], label: "ui.key.previous", run: () => neighbour(-1) },
  { keys: ["Escape"], label: "ui.key.back", run: leaveCase, whileTyping: true },
];

const stageCommands: readonly Command[] = [
  { keys: ["1"], label: "ui.key.format_1", run: () => caseView.ecg.setFormat(0) },
  { keys: ["2"], label: "ui.key.format_2", run: () => caseView.ecg.setFormat(1) },
  { keys: ["3"], label: "ui.key.format_3", run: () => caseView.ecg.setFormat(2) },
  { keys: ["+", "="], label: "ui.key.larger", run: () => larger(1) },
  { keys: ["-"], label: "ui.key.smaller", run: () => larger(-1) },
  { keys: ["s"], label: "ui.key.speed", run: () => caseView.ecg.stepSpeed() },
  { keys: ["g"], label: "ui.key.ink", run: () => caseView.ecg.toggleInk() },
  { keys: ["]"], label: "ui.key.page_forward", run: () => turn(1) },
  { keys: ["["], label: "ui.key.page_back", run: () => turn(-1) },
  { keys: ["i"], label: "ui.key.invert", run: () => caseView.pictures.invert() },
  { keys: ["0"], label: "ui.key.fit", run: () => caseView.pictures.fit() },
];

const helpCommand: Command = { keys: ["?"], label: "ui.key.keys", run: toggleKeys };

function larger(step: number): void {
  caseView.ecg.stepGain(step);
  caseView.pictures.zoom(step > 0 ? 1.25 : 0.8);
}

function turn(step: number): void {
  caseView.ecg.turn(step);
  caseView.pictures.turn(step);
}

function openSelected(): boolean {
  const row = listView.current;
  if (row) go(caseUrl(row.id));
  return row !== undefined;
}

function leaveFilter(): boolean {
  if (keys) toggleKeys();
  else if (document.activeElement === listView.filter) {
    listView.filter.value = "";
    listView.render();
    listView.select(listView.current?.id ?? "");
  } else return false;
  return true;
}

/** Out of the field first, then the caliper, then back to the list: one step a press. */
function leaveCase(): void {
  if (keys) toggleKeys();
  else if (
    document.activeElement instanceof HTMLElement &&
    document.activeElement.closest(".report-fields, .stage-tools")
  ) {
    document.activeElement.blur();
  } else if (!caseView.ecg.clearCaliper()) go(listUrl(list.view));
}

function toggleKeys(): void {
  if (keys) {
    keys.remove();
    keys = null;
    return;
  }
  keys = keysPanel(
    [
      { title: t("ui.keys.list"), commands: [...listCommands, helpCommand] },
      { title: t("ui.keys.case"), commands: caseCommands },
      { title: t("ui.keys.stage"), commands: stageCommands },
    ],
    toggleKeys,
  );
  root.append(keys);
}

root.replaceChildren(listView.element, caseView.element);
obey(() => [...(here().caseId ? [...caseCommands, ...stageCommands] : listCommands), helpCommand]);
window.addEventListener("popstate", show);
window.setInterval(() => {
  listView.tick();
  caseView.tick();
}, 1_000);

const start = here();
show();
void list.open(start.view).then(() => {
  if (here().caseId) {
    const next = list.nextToRead(here().caseId);
    if (next) cache.prefetch(next.id);
  } else listView.select(listView.current?.id ?? "");
  listen(
    {
      onCases: (delta) => {
        list.apply(delta);
        const open = caseView.item;
        const changed = open && delta.rows.find((row) => row.id === open.id);
        for (const row of delta.rows) cache.forget(row.id);
        if (changed) void caseView.refresh();
      },
      onBack: () => {
        void list.refresh();
        void caseView.refresh();
      },
      onState: (state) => {
        listView.setLine(state);
        caseView.setLine(state);
      },
    },
    list.lastEventId,
  );
});

/** The reading room: list, case and report in one page, with its state in the address. */
import { find, h, isTyping } from "../core/dom";
import { entries, KeyHelp } from "../core/key-help";
import { type Command, obey } from "../core/keys";
import type { Group } from "../core/keys-panel";
import { t } from "../core/page";
import { session } from "../core/page-keys";
import type { Entry } from "../core/palette";
import type { Case } from "../core/types";
import { here, queryUrl } from "./address";
import { CaseCache } from "./case-cache";
import { commandsOfCase } from "./case-commands";
import { CaseView } from "./case-view";
import { ecgCommands } from "./ecg-commands";
import { imageCommands } from "./image-commands";
import { commandsOfList } from "./list-commands";
import { ListView } from "./list-view";
import { News } from "./news";
import { SideNotes } from "./side-notes";
import { listen } from "./stream";
import { UndoBar } from "./undo-bar";
import { type Query, same, Worklist } from "./worklist";

const caseUrl = (id: string): string => `/reading/cases/${encodeURIComponent(id)}${queryUrl(list.query)}`;
const listUrl = (change: Partial<Query> = {}): string => `/reading${queryUrl({ ...list.query, ...change })}`;

const root = find<HTMLElement>("#reading");
const said = find<HTMLElement>("#announcements");
const cache = new CaseCache();
const list: Worklist = new Worklist(() => listView.render());
const listView: ListView = new ListView(list, {
  open: (id) => go(caseUrl(id)),
  show: showList,
  href: (change) => listUrl(change),
  caseHref: (id) => caseUrl(id),
  keys: () => help.toggleKeys(),
  palette: () => help.togglePalette(),
});
const caseView = new CaseView(cache, {
  now: () => list.now(),
  back: () => go(listUrl()),
  done: onDone,
  changed: (item) => list.replace(item),
  astray: ({ id, patient, exam }, problem) => {
    const who = { name: patient.name || t("ui.name.none"), exam };
    const text = t("ui.astray.failed", { ...who, problem });
    sideNotes.tell({ key: `astray ${id}`, caseId: id, tone: "problem", text, go: t("ui.astray.go") });
  },
});
const sideNotes = new SideNotes((id) => go(caseUrl(id)));
const news = new News(sideNotes, {
  caseId: () => here().caseId,
  known: (id) => list.find(id),
});
const undoBar = new UndoBar({
  now: () => list.now(),
  undone: (item, stayed) => {
    cache.forget(item.id);
    list.replace(item);
    said.textContent = t("ui.undo_bar.undone", { name: item.patient.name });
    if (here().caseId === item.id) void caseView.refresh();
    else if (stayed) go(caseUrl(item.id));
  },
});
const AHEAD = 3;

function go(url: string, instead = false): void {
  if (url !== location.pathname + location.search + location.hash) {
    if (instead) history.replaceState(null, "", url);
    else history.pushState(null, "", url);
  }
  show();
}

/** While somebody types, one step back leads to where they began to. */
function showList(change: Partial<Query>, typing = false): void {
  const going = typing && list.searching && change.text !== undefined && change.text !== "";
  go(listUrl(change), going);
}

function show(): void {
  const { query, caseId } = here();
  const opening = caseId !== "";
  listView.element.hidden = opening;
  if (!same(query, list.query)) {
    const typing = document.activeElement === listView.search.field;
    if (!typing) listView.search.reset(query.text);
    listView.fromTheTop();
    void list.open(query);
    if (typing) return;
  }
  if (opening) {
    sideNotes.reached(caseId);
    void caseView.open(caseId).then(() => {
      if (caseView.item) undoBar.add(caseView.item);
      fetchAhead(caseId);
    });
    return;
  }
  news.inList();
  const last = caseView.item?.id;
  caseView.close();
  document.title = t("ui.list.tab");
  listView.render();
  listView.select(last ?? listView.current?.id ?? "");
}

/** The next three, one after the other; what is open comes first. */
function fetchAhead(caseId: string): void {
  void caseView.pictures.settled.then(() => {
    if (here().caseId === caseId) void cache.ahead(list.nextFew(caseId, AHEAD).map(({ id }) => id));
  });
}

/**
 * Signed, reviewed or returned: the next case comes by itself, or the list when there is none. Who has gone elsewhere
 * meanwhile stays there.
 */
function onDone(item: Case): void {
  const next = list.nextToRead(item.id);
  cache.forget(item.id);
  said.textContent = t("ui.case.done", { name: item.patient.name, state: t(`ui.case_state.${item.state}`) });
  list.replace(item);
  undoBar.add(item);
  sideNotes.reached(item.id);
  if (here().caseId === item.id) go(next ? caseUrl(next.id) : listUrl());
}

function neighbour(step: 1 | -1): boolean {
  const { caseId } = here();
  const item = list.find(caseId) ?? caseView.item;
  const row = item?.id === caseId ? list.beside(item, step) : undefined;
  if (!row) return false;
  if (step > 0) list.pass(caseId);
  go(caseUrl(row.id));
  return true;
}

const undoCommand: Command = {
  keys: ["Ctrl+z", "Alt+z"],
  label: "ui.key.undo_signature",
  // In a text Ctrl+Z takes back what was typed, as everywhere.
  run: (pressed) => (pressed === "Ctrl+z" && isTyping(document.activeElement) ? false : undoBar.undo()),
  whileTyping: true,
};

const sideCommands: readonly Command[] = [
  { keys: ["Alt+g"], label: "ui.key.side_go", run: () => sideNotes.go(), whileTyping: true },
  { keys: ["Alt+x"], label: "ui.key.side_dismiss", run: () => sideNotes.dismiss(), whileTyping: true },
];

const listCommands = commandsOfList(list, listView, {
  undo: undoCommand,
  show: showList,
  open: (id) => go(caseUrl(id)),
  closeKeys: () => help.closeKeys(),
});

const caseCommands = commandsOfCase(caseView, {
  undo: undoCommand,
  neighbour,
  leave: leaveCase,
});

const stageCommands: readonly Command[] = ecgCommands(caseView.ecg, caseView.bench);

// Before those of the curve: where a picture is open, a key that both have is the picture's.
const pictureCommands = imageCommands(caseView.pictures);

const help: KeyHelp = new KeyHelp(root, {
  groups: keyGroups,
  entries: () => [...entries([...active(), ...elsewhere()]), ...session()],
  search: searchFor,
});

function active(): Command[] {
  if (!here().caseId) return [...listCommands, ...sideCommands];
  return [...caseCommands, ...sideCommands, ...pictureCommands, ...stageCommands];
}

/** Those of what is open come first. */
function keyGroups(): Group[] {
  const inList = { title: t("ui.keys.list"), commands: [...listCommands, ...sideCommands, ...help.commands] };
  const inCase = { title: t("ui.keys.case"), commands: [...caseCommands, ...sideCommands] };
  const curve = { title: t("ui.keys.stage"), commands: stageCommands };
  const picture = { title: t("ui.keys.image"), commands: pictureCommands };
  const stages = caseView.pictured ? [picture, curve] : [curve, picture];
  return here().caseId ? [inCase, ...stages, inList] : [inList, inCase, ...stages];
}

/** From an open case the views of the list are one name away. */
function elsewhere(): Command[] {
  return here().caseId ? listCommands.filter(({ label }) => label.startsWith("ui.view.")) : [];
}

function searchFor(text: string): Entry {
  return {
    label: t("ui.palette.search", { text }),
    keys: [],
    run: () => {
      listView.search.reset(text);
      showList({ text });
    },
  };
}

/** Out of the field first, then the caliper, then back to the list: one step a press. */
function leaveCase(): void {
  if (help.closeKeys()) return;
  if (
    document.activeElement instanceof HTMLElement &&
    document.activeElement.closest(".report-fields, .stage-tools")
  ) {
    document.activeElement.blur();
  } else if (!caseView.ecg.clearCaliper()) go(listUrl());
}

const corner = h("div", { class: "corner" }, sideNotes.element, undoBar.element);
root.replaceChildren(listView.element, caseView.element, corner);
obey(() => [...active(), ...help.commands]);
window.addEventListener("popstate", show);
window.setInterval(() => {
  listView.tick();
  caseView.tick();
  undoBar.tick();
}, 1_000);

const opened = list.open(here().query);
listView.search.reset(list.query.text);
show();
void opened.then(() => {
  if (here().caseId) {
    fetchAhead(here().caseId);
  } else listView.select(listView.current?.id ?? "");
  // Whoever reads curves alone fetches nothing for pictures.
  if (list.rows.some(({ modality }) => modality !== "ECG")) caseView.pictures.prepare();
  void news.look();
  listen(
    {
      onCases: (delta, id) => {
        news.take(delta);
        list.apply(delta, id);
        const open = caseView.item;
        const changed = open && delta.rows.find((row) => row.id === open.id);
        for (const row of delta.rows) cache.forget(row.id);
        if (changed) void caseView.refresh();
        // What comes next may be another case now.
        if (open) fetchAhead(open.id);
      },
      onBack: () => {
        void list.refresh();
        void caseView.refresh();
        void news.look();
      },
      onState: (state) => {
        listView.setLine(state);
        caseView.setLine(state);
      },
    },
    list.lastEventId,
  );
});

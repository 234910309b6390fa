/** The keys of the list: to a row, into it, and what the list shows. */
import { send } from "../core/api";
import type { Command } from "../core/keys";
import type { Case } from "../core/types";
import type { ListView } from "./list-view";
import { modalities, type Query, views, type Worklist } from "./worklist";

export interface ListWays {
  undo: Command;
  show(change: Partial<Query>): void;
  open(id: string): void;
  /** False where the keys were not shown. */
  closeKeys(): boolean;
}

export function commandsOfList(list: Worklist, view: ListView, ways: ListWays): Command[] {
  const openSelected = (): boolean => {
    const row = view.current;
    if (row) ways.open(row.id);
    return row !== undefined;
  };
  const claimSelected = async (): Promise<void> => {
    const row = view.current;
    if (!row) return;
    try {
      list.replace(await send<Case>("POST", `/api/v1/cases/${encodeURIComponent(row.id)}/claim`));
    } catch (cause) {
      view.say(cause);
    }
  };
  const nextModality = (): void => {
    const all = ["", ...modalities];
    ways.show({ modality: all[(all.indexOf(list.query.modality) + 1) % all.length] ?? "", text: "" });
  };
  const leaveSearch = (): boolean => {
    if (ways.closeKeys()) return true;
    if (!list.searching && document.activeElement !== view.search.field) return false;
    view.search.field.blur();
    view.search.reset("");
    ways.show({ text: "" });
    view.select(view.current?.id ?? "");
    return true;
  };
  return [
    { keys: ["j", "ArrowDown"], label: "ui.key.next", run: () => view.move(1) },
    { keys: ["k", "ArrowUp"], label: "ui.key.previous", run: () => view.move(-1) },
    { keys: ["Enter"], label: "ui.key.open", run: openSelected },
    { keys: ["c"], label: "ui.key.claim", run: () => void claimSelected() },
    ways.undo,
    { keys: ["PageDown"], label: "ui.key.screen_down", run: () => view.move(view.screenful) },
    { keys: ["PageUp"], label: "ui.key.screen_up", run: () => view.move(-view.screenful) },
    { keys: ["/"], label: "ui.key.search", run: () => view.search.field.focus() },
    { keys: ["m"], label: "ui.key.modality", run: nextModality },
    { keys: ["s"], label: "ui.site.filter", run: () => view.search.site.focus() },
    { keys: ["Escape"], label: "ui.key.leave_search", run: leaveSearch, whileTyping: true },
    ...views.map((one, index) => ({
      keys: [String(index + 1)],
      label: `ui.view.${one}` as const,
      run: () => ways.show({ view: one, text: "" }),
    })),
  ];
}

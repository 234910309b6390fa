import { get } from "../core/api";
import { find, reconcile } from "../core/dom";
import { problemMessage } from "../core/messages";
import { t } from "../core/page";
import { pageKeys } from "../core/page-keys";
import { card } from "./card";
import { commands } from "./keys";
import { PersonSearch } from "./person-search";
import { showStanding } from "./resident";
import { correctStudy } from "./study";
import type { Correction } from "./types";

const rows = find<HTMLElement>("#correction-rows");
const empty = find<HTMLElement>("#correction-empty");
const notes = find<HTMLElement>("#correction-notes");
const one = find<HTMLElement>("#correct-study");

async function refresh(): Promise<void> {
  try {
    const found = await get<{ rows: Correction[] }>("/api/v1/corrections");
    empty.hidden = found.rows.length > 0;
    reconcile(
      rows,
      found.rows,
      (row) => row.id,
      // A form that is being filled in stays; more recordings of one question draw it anew.
      (row) => `${row.count} ${row.filed.patient_id}`,
      (row) => card(row, said),
    );
  } catch (cause) {
    notes.replaceChildren(problemMessage(cause));
  }
}

function said(words: HTMLElement): void {
  notes.replaceChildren(words);
  words.scrollIntoView({ block: "nearest" });
  void refresh();
}

const standing = find<HTMLElement>("#standing");

function showResident(id: string): void {
  void showStanding(standing, id, (words) => {
    standing.replaceChildren();
    history.replaceState(null, "", location.pathname);
    said(words);
  });
}

const people = new PersonSearch("", "", t("ui.resident.search"), ({ id }) => showResident(id));
find("#resident-search").append(people.element);

const params = new URLSearchParams(location.search);
const patient = params.get("patient");
if (patient) showResident(patient);
const asked = params.get("study");
if (asked) {
  void correctStudy(one, asked, (words) => {
    one.replaceChildren();
    history.replaceState(null, "", location.pathname);
    said(words);
  });
}
void refresh();
pageKeys(commands);

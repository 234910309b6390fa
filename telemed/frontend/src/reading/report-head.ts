/** Above and below the words of a report: its version, its signatures, what happened to it, what may be done. */
import { h } from "../core/dom";
import { message } from "../core/messages";
import { t } from "../core/page";
import type { Case } from "../core/types";
import { reviewChanges } from "./difference";
import { normalReport } from "./normal-report";
import { pdfLink, preliminaryNote, signatures, stateMark, versionList } from "./versions";

export function reportHead({ report }: Case): (Node | string)[] {
  return [
    h("h2", {}, t("ui.report.title")),
    report ? stateMark(report) : "",
    h("span", { class: "muted" }, report ? t("ui.report.version", { number: report.number }) : ""),
    h("span", { class: "muted" }, report ? signatures(report) : ""),
    (report && pdfLink(report)) ?? "",
  ];
}

/** What whoever goes on with it has to know first. */
export function reportHistory(item: Case): HTMLElement[] {
  const { report } = item;
  const found: HTMLElement[] = [];
  if (report?.review_comment && report.state === "draft") {
    const returned = message("warning", t("ui.report.returned", { comment: report.review_comment }));
    returned.classList.add("returned");
    found.push(returned);
  }
  const out = item.versions.find((version) => version.state === "preliminary");
  if (out) found.push(preliminaryNote(out));
  const changes = report && reviewChanges(report);
  if (changes) found.push(changes);
  return found;
}

export function earlierVersions(item: Case): HTMLElement[] {
  const versions = versionList(item);
  return versions ? [versions] : [];
}

export interface ReportActions {
  finish(): void;
  sendBack(): void;
  preliminary(): void;
  normal(): void;
  askHolder(): void;
  take(): void;
  amend(): void;
  repeat(): void;
  raiseCritical(): void;
}

export function reportButtons(
  item: Case,
  { editable, busy }: { editable: boolean; busy: boolean },
  actions: ReportActions,
): (HTMLElement | "")[] {
  const button = (label: string, key: string, run: () => void, kind = ""): HTMLElement =>
    h(
      "button",
      { type: "button", class: kind, disabled: busy, onclick: run },
      label,
      key && h("kbd", {}, key),
    );
  const list: (HTMLElement | "")[] = [];
  if (item.can.review) {
    list.push(
      button(t("ui.report.approve"), "Ctrl + Enter", actions.finish, "primary"),
      button(t("ui.report.return"), "R", actions.sendBack),
    );
  } else if (editable) {
    list.push(button(t("ui.report.sign_next"), "Ctrl + Enter", actions.finish, "primary"));
    if (item.can.preliminary)
      list.push(button(t("ui.preliminary.release"), "Alt + Enter", actions.preliminary));
    if (normalReport(item)) list.push(button(t("ui.report.normal"), "N", actions.normal));
  } else if (!busy) {
    list.push(h("p", { class: "muted" }, whyNot(item)));
  }
  if (item.can.take)
    list.push(
      button(t("ui.take.ask"), "Alt + L", actions.askHolder),
      button(t("ui.take.take"), "Alt + C", actions.take, "quiet"),
    );
  if (item.can.amend) list.push(button(t("ui.amend.title"), "Alt + R", actions.amend));
  if (editable || item.can.review)
    list.push(button(t("ui.key.critical"), "K", actions.raiseCritical, "quiet"));
  if (item.can.repeat) list.push(button(t("ui.repeat.title"), "X", actions.repeat, "quiet"));
  return list;
}

function whyNot(item: Case): string {
  if (item.holder && !item.holder.mine) return t("ui.report.held_by", { name: item.holder.name });
  return t(`ui.report.closed.${item.state}`);
}

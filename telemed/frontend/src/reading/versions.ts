/** What was signed stays readable: every version with its doctors and times. */
import { h } from "../core/dom";
import { message } from "../core/messages";
import { t } from "../core/page";
import { dateTime } from "../core/time";
import type { Case, Report } from "../core/types";

export function versionList(item: Case): HTMLElement | null {
  const earlier = item.versions.filter(
    (version) => version.id !== item.report?.id && version.state !== "draft",
  );
  if (earlier.length === 0) return null;
  return h(
    "details",
    { class: "versions" },
    h("summary", {}, t("ui.report.versions", { count: earlier.length })),
    ...earlier.map((version) =>
      h(
        "article",
        {},
        h("h3", {}, t("ui.report.version", { number: version.number }), " ", stateMark(version)),
        h("p", { class: "muted" }, signatures(version)),
        h("p", { class: "text" }, version.findings),
        h("p", { class: "text" }, version.impression),
        version.recommendation && h("p", { class: "text" }, version.recommendation),
        pdfLink(version),
      ),
    ),
  );
}

export function stateMark(report: Report): HTMLElement {
  return h("span", { class: `badge ${report.state}` }, t(`ui.report_state.${report.state}`));
}

export function signatures(report: Report): string {
  const lines: string[] = [];
  if (report.signed_by)
    lines.push(t("ui.report.signed", { name: report.signed_by, time: dateTime(report.signed_at) }));
  if (report.reviewed_by)
    lines.push(t("ui.report.reviewed", { name: report.reviewed_by, time: dateTime(report.reviewed_at) }));
  return lines.join("  ");
}

/** The recipients have an emergency report and wait for the final one. */
export function preliminaryNote(version: Report): HTMLElement {
  const text = t("ui.preliminary.out", { time: dateTime(version.released_at) });
  const note = message("warning", text);
  note.classList.add("preliminary-out");
  return note;
}

export function pdfLink(report: Report): HTMLElement | null {
  return report.pdf_url
    ? h("a", { href: report.pdf_url, target: "_blank", rel: "noopener" }, t("ui.report.pdf"))
    : null;
}

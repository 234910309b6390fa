/** Today's exams, one line each; the server wrote the first ones, this keeps them true. */
import { explain, get } from "../core/api";
import { find, h, reconcile, setText } from "../core/dom";
import { t } from "../core/page";
import { last4, sexAge } from "../core/patient";
import { clock } from "../core/time";
import type { Exam } from "../core/types";
import { repeatMark } from "./repeat-mark";
import { repeatNotes, tellRepeats } from "./repeats";

const EVERY = 5_000;
const SLOWEST = 30_000;

export function startExams(): () => void {
  const body = find<HTMLElement>("#exam-rows");
  const line = find<HTMLElement>("#exam-line");
  const empty = find<HTMLElement>("#exam-empty");
  let timer = 0;
  let wait = EVERY;
  let first = true;

  async function refresh(): Promise<void> {
    window.clearTimeout(timer);
    try {
      const { exams } = await get<{ exams: Exam[] }>("/api/v1/exams");
      // The server's own first rows carry no version: they are replaced once, by rows that look the same.
      if (first) body.replaceChildren();
      first = false;
      reconcile(
        body,
        exams,
        (exam) => exam.study_instance_uid,
        (exam) => JSON.stringify(exam),
        (exam) => examRow(exam, () => void refresh()),
      );
      tellRepeats(exams);
      empty.hidden = exams.length > 0;
      setText(line, "");
      wait = EVERY;
    } catch (cause) {
      setText(line, t("ui.exams.stale", { problem: explain(cause) }));
      wait = Math.min(wait * 2, SLOWEST);
    }
    timer = window.setTimeout(() => void refresh(), document.hidden ? SLOWEST : wait);
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) void refresh();
  });
  void refresh();
  return () => void refresh();
}

function examRow(exam: Exam, changed: () => void): HTMLElement {
  return h(
    "tr",
    { class: `exam ${exam.state}` },
    h("td", { class: "when" }, clock(exam.received_at)),
    h(
      "td",
      { class: "patient" },
      h("strong", {}, exam.patient.name || t("ui.name.none")),
      h("span", { class: "muted" }, ` ${sexAge(exam.patient)}`),
    ),
    h("td", { class: "id" }, last4(exam.patient), wrongPerson(exam)),
    h("td", { class: "exam-name" }, h("span", { class: "modality" }, exam.modality), examName(exam)),
    h("td", { class: "arrived" }, arrivedMark(exam)),
    h("td", { class: "state" }, stateMark(exam, changed)),
    h("td", { class: "action" }, reportLink(exam)),
  );
}

/** A study that has no name of its own is called by its kind, which stands there already. */
function examName({ exam, modality }: Exam): string {
  return exam === modality ? "" : ` ${exam}`;
}

/** An ECG under the previous patient's name is an everyday error: the way to correct it stands beside the name. */
function wrongPerson(exam: Exam): HTMLElement {
  const href = `/corrections?study=${encodeURIComponent(exam.study_instance_uid)}`;
  return h("a", { class: "wrong-person", href }, t("ui.exams.wrong_person"));
}

function arrivedMark(exam: Exam): HTMLElement {
  const complete = exam.state !== "receiving";
  if (!exam.safe) return h("span", {}, t("ui.exams.arrived", { count: exam.arrived }));
  return h(
    "span",
    { class: "safe" },
    `✓ ${t(complete ? "ui.exams.safe" : "ui.exams.safe_so_far", { count: exam.arrived })}`,
  );
}

function stateMark(exam: Exam, changed: () => void): HTMLElement {
  const notes = exam.quality.map((one) => h("span", { class: "note-line" }, one.text));
  if (exam.conflicts > 0)
    notes.push(
      h(
        "span",
        { class: "note-line bad" },
        t("ui.exams.conflicts", { count: exam.conflicts }),
        " ",
        h("a", { href: "/corrections" }, t("ui.exams.conflicts_decide")),
      ),
    );
  if (exam.order_source === "study")
    notes.push(h("span", { class: "note-line" }, t("ui.exams.without_order")));
  return h(
    "div",
    {},
    h("span", { class: `status ${exam.state}` }, stateText(exam)),
    repeatMark(exam),
    ...repeatNotes(exam, changed),
    ...notes,
  );
}

function stateText(exam: Exam): string {
  if (exam.state === "reading" && exam.reader) return t("ui.exams.state.reading_by", { name: exam.reader });
  if (exam.state === "repeated" && exam.repeat) {
    const because = exam.repeat.closed_because;
    return because
      ? t("ui.exams.state.repeat_settled", { reason: because })
      : t("ui.exams.state.repeated_new");
  }
  if (exam.state === "repeat") return t("ui.exams.state.repeat_because", { reason: exam.repeat_reason });
  return t(`ui.exams.state.${exam.state}`);
}

function reportLink(exam: Exam): HTMLElement | null {
  const { report } = exam;
  if (!report) return null;
  const marks = report.critical ? t("ui.report.critical") : report.abnormal ? t("ui.report.abnormal") : "";
  return h(
    "span",
    {},
    report.preliminary && h("span", { class: "badge preliminary" }, t("ui.report_state.preliminary")),
    marks && h("span", { class: report.critical ? "badge critical" : "badge abnormal" }, marks),
    report.pdf_url &&
      h(
        "a",
        { class: "button", href: report.pdf_url, target: "_blank", rel: "noopener" },
        t("ui.exams.print"),
      ),
  );
}

/** What is known of a case beside its pictures: why it was asked for, what happened to it, what cannot be shown. */
import { h } from "../core/dom";
import { message } from "../core/messages";
import { t } from "../core/page";
import { clock, dateTime } from "../core/time";
import type { Case, Instance, Repeat } from "../core/types";

export function caseContext(item: Case): (Node | string)[] {
  return [
    h("h2", {}, t("ui.case.history")),
    h("p", { class: "history" }, item.history || t("ui.history.none")),
    h(
      "p",
      { class: "muted" },
      t("ui.case.arrived", { time: clock(item.arrived_at) }),
      item.order_source === "study" ? ` · ${t("ui.case.without_order")}` : "",
    ),
    item.holder?.mine && item.asked_by ? message("warning", t("ui.take.asked", { name: item.asked_by })) : "",
    ...item.notices.map((notice) => message("warning", notice.text)),
    ...item.repeats.map((one) => message("warning", repeats(one))),
    item.repeat ? message("warning", sentBack(item.repeat)) : "",
    withdrawn(item),
    item.read_again ? message("warning", t("ui.case.read_again")) : "",
  ];
}

/** This is what a site made again: certainly, or nobody there has said so yet. */
function repeats({ open, asked_at, reason }: Repeat): string {
  return t(open ? "ui.case.repeats_perhaps" : "ui.case.repeats", { time: dateTime(asked_at), reason });
}

/** What became of a recording that went back. */
function sentBack({ open, reason, asked_at, answer_at, closed_because }: Repeat): string {
  const asked = t("ui.case.sent_back", { time: dateTime(asked_at), reason });
  if (closed_because) return `${asked} ${t("ui.case.not_made_again", { reason: closed_because })}`;
  if (!answer_at) return asked;
  const time = dateTime(answer_at);
  return `${asked} ${t(open ? "ui.case.answer_perhaps" : "ui.case.answered", { time })}`;
}

/** A report that went to the wrong person says so where it is read. */
function withdrawn({ report }: Case): HTMLElement | string {
  if (!report?.withdrawn_at) return "";
  const time = clock(report.withdrawn_at);
  return message("problem", t("ui.case.withdrawn", { time, reason: report.withdrawal_reason }));
}

/** A document or an object that has no picture here. */
export function otherObject(instance: Instance): HTMLElement {
  const text = t(`ui.object.${instance.kind === "document" ? "document" : "other"}`);
  return h(
    "div",
    { class: "message warning" },
    h("p", {}, text),
    instance.rendered_url &&
      h("a", { href: instance.rendered_url, target: "_blank", rel: "noopener" }, t("ui.object.open")),
  );
}

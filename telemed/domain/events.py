"""The append-only record of every state change and every reading of patient data."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    OBJECT_RECEIVED = "object.received"
    OBJECT_REPEATED = "object.repeated"
    OBJECT_ALTERNATE = "object.alternate"
    OBJECT_CONFLICT = "object.conflict"
    OBJECT_UNREADABLE = "object.unreadable"
    OBJECT_STORED = "object.stored"
    OBJECT_RESTORED = "object.restored"
    OBJECT_MADE = "object.made"
    OBJECT_READ = "object.read"
    ASSOCIATION_REJECTED = "association.rejected"
    ORDER_PLACED = "order.placed"
    STUDY_COMPLETE = "study.complete"
    STUDY_EXTENDED = "study.extended"
    CASE_ROUTED = "case.routed"
    CASE_INFERRED = "case.inferred"
    CASE_RAISED = "case.raised"
    CASE_CLAIMED = "case.claimed"
    CASE_RELEASED = "case.released"
    CASE_ASKED_FOR = "case.asked_for"
    CASE_TAKEN_OVER = "case.taken_over"
    CASE_OPENED = "case.opened"
    # By a reader's page, ahead of need: nobody has looked at it yet.
    CASE_FETCHED = "case.fetched"
    CASE_MEASURED = "case.measured"
    FINDING_JUDGED = "finding.judged"
    KEY_IMAGE_MARKED = "case.key_image_marked"
    PICTURE_MEASURED = "case.picture_measured"
    CASE_REPEAT_REQUESTED = "case.repeat_requested"
    CASE_REPEAT_ANSWERED = "case.repeat_answered"
    CASE_REPEAT_CLOSED = "case.repeat_closed"
    CASE_REPEAT_REOPENED = "case.repeat_reopened"
    REPORT_SIGNED = "report.signed"
    REPORT_APPROVED = "report.approved"
    REPORT_SIGNATURE_UNDONE = "report.signature_undone"
    REPORT_REVISED = "report.revised"
    REPORT_RETURNED = "report.returned"
    REPORT_PRELIMINARY = "report.preliminary"
    REPORT_FINAL = "report.final"
    REPORT_AMENDMENT_OPENED = "report.amendment_opened"
    REPORT_READ = "report.read"
    REPORT_WITHDRAWN = "report.withdrawn"
    REPORT_DELIVERED = "report.delivered"
    DELIVERY_OPENED = "delivery.opened"
    DELIVERY_ACKNOWLEDGED = "delivery.acknowledged"
    CRITICAL_RAISED = "critical.raised"
    CRITICAL_CHECKED = "critical.checked"
    CRITICAL_WITHDRAWN = "critical.withdrawn"
    CRITICAL_TOLD = "critical.told"
    CRITICAL_ESCALATED = "critical.escalated"
    CRITICAL_OPENED = "critical.opened"
    CRITICAL_ACKNOWLEDGED = "critical.acknowledged"
    CRITICAL_ACTED = "critical.acted"
    CRITICAL_CLOSED = "critical.closed"
    CRITICAL_RULE_CHANGED = "critical.rule_changed"
    STUDY_REASSIGNED = "study.reassigned"
    OBJECT_REASSIGNED = "object.reassigned"
    OBJECT_RELEASED = "object.released"
    CASE_CORRECTED = "case.corrected"
    CASE_CLOSED = "case.closed"
    CORRECTION_DECIDED = "correction.decided"
    CORRECTION_OPENED = "correction.opened"
    PATIENT_LINKED = "patient.linked"
    PATIENT_UNLINKED = "patient.unlinked"
    RESIDENT_SOUGHT = "resident.sought"
    PATIENTS_SEARCHED = "patients.searched"
    NOTICE_RAISED = "notice.raised"
    NOTICE_RESOLVED = "notice.resolved"
    JOB_STARTED_AGAIN = "job.started_again"
    FORWARD_STARTED_AGAIN = "forward.started_again"
    MODEL_APPROVED = "model.approved"
    MODEL_WITHDRAWN = "model.withdrawn"
    REREADING_ASKED = "case.rereading_asked"
    SIGNED_IN = "user.signed_in"
    SIGN_IN_REFUSED = "user.sign_in_refused"
    SIGNED_OUT = "user.signed_out"
    REAUTHENTICATED = "user.reauthenticated"
    SITE_CHANGED = "site.changed"
    STEP_SHOWN = "step.shown"
    STEP_PERFORMED = "step.performed"
    QUERY_ANSWERED = "query.answered"
    OBJECT_SENT = "object.sent"
    OBJECT_REFUSED = "object.refused"
    COMMITMENT_ASKED = "commitment.asked"
    COMMITMENT_REPORTED = "commitment.reported"
    COMMITMENT_GIVEN_UP = "commitment.given_up"


# Somebody looked, and no row of any list is another one for it.
MERE_READING = frozenset(
    {
        Kind.OBJECT_READ,
        Kind.CASE_OPENED,
        Kind.CASE_FETCHED,
        Kind.REPORT_READ,
        Kind.DELIVERY_OPENED,
        Kind.CRITICAL_OPENED,
        Kind.STEP_SHOWN,
        Kind.QUERY_ANSWERED,
    }
)


@dataclass(eq=False, kw_only=True)
class Event:
    uid: str
    at: datetime
    kind: Kind
    institution_id: int | None = None
    consortium_id: int | None = None
    actor_user_id: int | None = None
    device_id: int | None = None
    study_id: int | None = None
    case_id: int | None = None
    report_id: int | None = None
    # Codes and identifiers only: a name never enters an event.
    facts: dict[str, Any] = field(default_factory=dict)
    # Given by the sealer after the commit: the order of commits, and the chain over it.
    sequence: int | None = None
    chain_hash: str | None = None
    id: int = field(init=False)

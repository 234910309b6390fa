"""The tables. Keys: bigint inside, a random identifier (`uid`) outside; whatever someone can see carries its
institution and consortium."""

from telemed.adapters.db.tables.cases import (
    IS_CRITICAL,
    IS_DONE,
    IS_IN_REVIEW,
    IS_OPEN,
    IS_RETURNED,
    IS_TO_REPEAT,
    IS_UNREAD,
    person_name,
    person_name_key,
    reading_case,
)
from telemed.adapters.db.tables.columns import metadata
from telemed.adapters.db.tables.corrections import reassignment
from telemed.adapters.db.tables.critical import (
    critical_action,
    critical_alert,
    critical_policy,
    critical_rule,
    critical_value,
    escalation_step,
)
from telemed.adapters.db.tables.exchange import commitment_request, forward_item, forward_rule, remote_node
from telemed.adapters.db.tables.models import analysis, model_approval
from telemed.adapters.db.tables.orders import exam_order, procedure
from telemed.adapters.db.tables.people import device, institution, user_account, web_session
from telemed.adapters.db.tables.reports import delivery, hanging_rule, report, report_text, required_part
from telemed.adapters.db.tables.residents import contract, patient, resident
from telemed.adapters.db.tables.routing import duty, reading_group, routing_rule, triage_rule
from telemed.adapters.db.tables.scheduling import performed_step, scheduled_step
from telemed.adapters.db.tables.studies import series, stored_object, study
from telemed.adapters.db.tables.trail import event, job, notice

__all__ = [
    "IS_CRITICAL",
    "IS_DONE",
    "IS_IN_REVIEW",
    "IS_OPEN",
    "IS_RETURNED",
    "IS_TO_REPEAT",
    "IS_UNREAD",
    "analysis",
    "commitment_request",
    "contract",
    "critical_action",
    "critical_alert",
    "critical_policy",
    "critical_rule",
    "critical_value",
    "delivery",
    "device",
    "duty",
    "escalation_step",
    "event",
    "exam_order",
    "forward_item",
    "forward_rule",
    "hanging_rule",
    "institution",
    "job",
    "metadata",
    "model_approval",
    "notice",
    "patient",
    "performed_step",
    "person_name",
    "person_name_key",
    "procedure",
    "reading_case",
    "reading_group",
    "reassignment",
    "remote_node",
    "report",
    "report_text",
    "required_part",
    "resident",
    "routing_rule",
    "scheduled_step",
    "series",
    "stored_object",
    "study",
    "triage_rule",
    "user_account",
    "web_session",
]

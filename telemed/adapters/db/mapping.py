"""Joins the plain domain classes to their tables, from outside: the domain knows nothing of it."""

from functools import cache

from sqlalchemy import Table
from sqlalchemy.orm import registry

from telemed.adapters.db import tables as t
from telemed.adapters.db.instances import construct_plainly
from telemed.adapters.db.search_keys import follow
from telemed.application.jobs import Job
from telemed.domain.case import Case
from telemed.domain.correction import Reassignment
from telemed.domain.critical import (
    CriticalAction,
    CriticalAlert,
    CriticalPolicy,
    CriticalRule,
    CriticalValue,
    EscalationStep,
)
from telemed.domain.delivery import Delivery
from telemed.domain.events import Event
from telemed.domain.exchange import CommitmentRequest, ForwardItem, ForwardRule, RemoteNode
from telemed.domain.hanging import HangingRule
from telemed.domain.inference import AnalysisRecord, ModelApproval
from telemed.domain.notice import Notice
from telemed.domain.order import Order, Procedure
from telemed.domain.people import Device, Institution, Session, User
from telemed.domain.report import Report
from telemed.domain.resident import Contract, Patient, Resident
from telemed.domain.routing import Duty, ReadingGroup, RoutingRule
from telemed.domain.scheduling import PerformedStep, ScheduledStep
from telemed.domain.study import Series, StoredObject, Study
from telemed.domain.triage import TriageRule
from telemed.domain.writing import ReportText, RequiredPart

_MAPPED: dict[type, Table] = {
    Institution: t.institution,
    User: t.user_account,
    Session: t.web_session,
    Device: t.device,
    Resident: t.resident,
    Contract: t.contract,
    Patient: t.patient,
    Order: t.exam_order,
    Procedure: t.procedure,
    Study: t.study,
    Series: t.series,
    StoredObject: t.stored_object,
    Case: t.reading_case,
    Report: t.report,
    Delivery: t.delivery,
    RequiredPart: t.required_part,
    ReportText: t.report_text,
    HangingRule: t.hanging_rule,
    ReadingGroup: t.reading_group,
    RoutingRule: t.routing_rule,
    Duty: t.duty,
    TriageRule: t.triage_rule,
    ModelApproval: t.model_approval,
    AnalysisRecord: t.analysis,
    Notice: t.notice,
    Reassignment: t.reassignment,
    Event: t.event,
    Job: t.job,
    ScheduledStep: t.scheduled_step,
    PerformedStep: t.performed_step,
    RemoteNode: t.remote_node,
    ForwardRule: t.forward_rule,
    ForwardItem: t.forward_item,
    CommitmentRequest: t.commitment_request,
    CriticalRule: t.critical_rule,
    CriticalPolicy: t.critical_policy,
    EscalationStep: t.escalation_step,
    CriticalValue: t.critical_value,
    CriticalAlert: t.critical_alert,
    CriticalAction: t.critical_action,
}

# Written for every object that arrives.
_ARRIVING = (Patient, Study, Series, StoredObject, Event)


@cache
def map_classes() -> None:
    mapper = registry(metadata=t.metadata)
    for kind, table in _MAPPED.items():
        # A concurrent edit becomes an error that a person sees, never a lost update.
        options = {"version_id_col": table.c.version} if "version" in table.c else {}
        mapper.map_imperatively(kind, table, **options)
    for kind in _ARRIVING:
        construct_plainly(kind)
    follow()

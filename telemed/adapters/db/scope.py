"""The policy of `telemed.domain.access` as part of the statement: a row outside it is never fetched."""

from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, FromClause, exists, false, or_, select

from telemed.adapters.db import tables as t
from telemed.domain.access import Actor, Scope, case_scope
from telemed.domain.case import CaseState
from telemed.domain.people import Device, Role

_NO_TIME = datetime(1, 1, 1, tzinfo=UTC)


def visible_cases(actor: Actor, of: FromClause = t.reading_case) -> ColumnElement[bool]:
    """`of`: the table of cases, or another name that the statement has for it."""
    match case_scope(actor.role):
        case Scope.APPLIED_BY_OWN_INSTITUTION:
            return of.c.institution_id == actor.institution_id
        case Scope.READ_BY_OWN_INSTITUTION:
            return of.c.reporting_institution_id.in_((actor.institution_id, *actor.reads_for))
        case Scope.DELIVERED_TO_ME:
            # A closed case's recordings are another person's: of it only the withdrawn report is theirs.
            return (of.c.state != CaseState.CLOSED) & exists(
                select(1).where(t.delivery.c.case_id == of.c.id, _handed_to(actor))
            )
        case Scope.NOTHING:
            return false()


def same_sight(actor: Actor) -> Actor:
    """One and the same for all who see the same cases: a statement can be kept by it."""
    own = case_scope(actor.role) is Scope.DELIVERED_TO_ME
    return replace(
        actor,
        user_id=actor.user_id if own else 0,
        user_uid="", username="", display_name="", license_number="", language="", authenticated_at=_NO_TIME,
    )  # fmt: skip


def reading_places(actor: Actor) -> tuple[int, ...] | None:
    """The institutions whose cases this person reads: `visible_cases` says nothing else of them. None: no reader."""
    if case_scope(actor.role) is not Scope.READ_BY_OWN_INSTITUTION:
        return None
    return tuple(dict.fromkeys((actor.institution_id, *actor.reads_for)))


def visible_studies(actor: Actor) -> ColumnElement[bool]:
    """Through a visible case; the institution that sent it sees its study even before there is one."""
    cases = select(1).where(t.reading_case.c.study_id == t.study.c.id, visible_cases(actor))
    # With the study alone: the statement around may have joined a case of its own.
    through_case = exists(cases.correlate(t.study))
    if case_scope(actor.role) is Scope.APPLIED_BY_OWN_INSTITUTION:
        return or_(t.study.c.institution_id == actor.institution_id, through_case)
    return through_case


def visible_reports(actor: Actor) -> ColumnElement[bool]:
    """Of a visible case, or handed to this very person. The statement joins case and report."""
    handed = exists(
        select(1)
        .where(t.delivery.c.report_id == t.report.c.id, visible_deliveries(actor))
        .correlate(t.report)
    )
    return or_(visible_cases(actor), handed)


def visible_deliveries(actor: Actor) -> ColumnElement[bool]:
    match case_scope(actor.role):
        case Scope.APPLIED_BY_OWN_INSTITUTION:
            return (t.delivery.c.institution_id == actor.institution_id) & t.delivery.c.user_id.is_(None)
        case Scope.DELIVERED_TO_ME:
            return _handed_to(actor)
        case _:
            return false()


def _handed_to(actor: Actor) -> ColumnElement[bool]:
    # What came by a link to somebody else's resident is seen no longer.
    return (t.delivery.c.user_id == actor.user_id) & t.delivery.c.taken_back_at.is_(None)


def visible_critical_values(actor: Actor) -> ColumnElement[bool]:
    """The reading institution sees its own from the raise; whoever is told, once it may be told."""
    if case_scope(actor.role) is Scope.NOTHING:
        return false()
    told = exists(
        select(1)
        .where(
            t.critical_alert.c.critical_value_id == t.critical_value.c.id,
            _alerts_to(actor),
            or_(t.critical_alert.c.before_check.is_(True), t.critical_value.c.released_at.is_not(None)),
        )
        .correlate(t.critical_value)
    )
    if case_scope(actor.role) is Scope.READ_BY_OWN_INSTITUTION:
        places = (actor.institution_id, *actor.reads_for)
        return or_(t.critical_value.c.reporting_institution_id.in_(places), told)
    return told


def _alerts_to(actor: Actor) -> ColumnElement[bool]:
    alert = t.critical_alert.c
    here = (alert.user_id.is_(None)) & (alert.institution_id == actor.institution_id)
    named = (alert.user_id == actor.user_id) & alert.taken_back_at.is_(None)
    mine = or_(named, here & (alert.role == actor.role))
    if case_scope(actor.role) is Scope.APPLIED_BY_OWN_INSTITUTION:
        # Told to the institution as such: to those who see its exams.
        return or_(mine, here & alert.role.is_(None))
    return mine


def visible_notices(actor: Actor) -> ColumnElement[bool]:
    """What is told to this very person; besides, for those who can act at the place: the site's technicians,
    and the administrators of the consortium."""
    mine, for_all = t.notice.c.user_id == actor.user_id, t.notice.c.user_id.is_(None)
    if actor.role is Role.ADMINISTRATOR:
        return or_(mine, for_all & (t.notice.c.consortium_id == actor.consortium_id))
    if actor.role is Role.TECHNICIAN:
        return or_(mine, for_all & (t.notice.c.institution_id == actor.institution_id))
    return mine


def studies_visible_to_device(device: Device) -> ColumnElement[bool]:
    """A machine stands in an institution: it sees that institution's studies, and those it reads."""
    read_here = exists(
        select(1)
        .where(
            t.reading_case.c.study_id == t.study.c.id,
            t.reading_case.c.reporting_institution_id == device.institution_id,
        )
        .correlate(t.study)
    )
    return or_(t.study.c.institution_id == device.institution_id, read_here)

"""The seconds in which a signature can still be taken back: a row that comes due, whoever is there then.

The signature stands in the database from the moment it is given; the tab may close and the workers may be down.
When the hold is over the job makes it final and asks for the delivery, late if need be, and exactly once.
"""

import secrets
from datetime import timedelta

from telemed.application.jobs import JobKind
from telemed.application.ports import UnitOfWork
from telemed.application.read import OpenedCase, find_case, shown
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand
from telemed.domain.case import Case, CaseState
from telemed.domain.errors import Conflict
from telemed.domain.events import Kind
from telemed.domain.people import Institution
from telemed.domain.report import NO_HOLD, Report, ReportState

# Read aloud over the telephone and typed from paper: no letters that look alike.
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def hold_of(house: Institution, case: Case, report: Report) -> timedelta:
    """What is critical waits for nobody's second thoughts."""
    if report.critical or case.critical_tier is not None:
        return NO_HOLD
    return timedelta(seconds=house.hold_seconds)


def signed(world: World, uow: UnitOfWork, actor: Actor, case: Case, report: Report) -> None:
    """The last signature was given: final at once, or when its hold is over."""
    case.claimed_by = case.lease_until = case.returned_at = None
    if report.state is ReportState.FINAL:
        _released(world, uow, actor, case, report)
        return
    assert report.hold_until is not None
    case.state = CaseState.SIGNING
    uow.jobs.ask(JobKind.APPLY_SIGNATURE, report.id, report.hold_until, world.clock.now())


def apply_signature(world: World, *, report_id: int) -> None:
    """Again, too early, or after it was taken back: changes nothing."""
    now = world.clock.now()
    with world.unit_of_work() as uow:
        report = uow.reports.get(report_id)
        if report.state is not ReportState.HELD:
            return
        if report.apply(now):
            _released(world, uow, None, uow.cases.get(report.case_id), report)
        elif report.hold_until is not None:
            uow.jobs.ask(JobKind.APPLY_SIGNATURE, report.id, report.hold_until, now)
        uow.commit()
    world.waker.wake()


def undo_signature(world: World, *, actor: Actor, uid: str) -> OpenedCase:
    """Takes the own last signature back; the case is again where it was before it."""
    demand(actor, Action.WRITE_REPORT)
    now = world.clock.now()
    with world.unit_of_work() as uow:
        case = find_case(uow, actor, uid)
        report = uow.reports.latest(case.id)
        if report is None:
            raise Conflict("error.signature_applied")
        if report.state is ReportState.DRAFT and case.claimed_by == actor.user_id:
            # The same key twice.
            return shown(world, actor, uid)
        report.undo(actor.user_id, now)
        if report.state is ReportState.DRAFT:
            case.state = CaseState.WAITING
            case.claim(actor.user_id, now)
        else:
            case.state = CaseState.AWAITING_REVIEW
        record(
            world,
            uow,
            Kind.REPORT_SIGNATURE_UNDONE,
            actor=actor,
            case=case,
            report_id=report.id,
            number=report.number,
        )
        uow.commit()
    return shown(world, actor, uid)


def _released(world: World, uow: UnitOfWork, actor: Actor | None, case: Case, report: Report) -> None:
    case.state, case.claimed_by, case.lease_until = CaseState.FINAL, None, None
    hand_over(world, uow, Kind.REPORT_FINAL, actor, case, report)


def hand_over(
    world: World, uow: UnitOfWork, kind: Kind, actor: Actor | None, case: Case, report: Report
) -> None:
    """In force from now on, in the place of the version before, and on its way to its recipients."""
    report.verification_code = "".join(secrets.choice(_ALPHABET) for _ in range(12))
    if report.amends_report_id is not None:
        uow.reports.get(report.amends_report_id).state = ReportState.AMENDED
    record(
        world,
        uow,
        kind,
        actor=actor,
        case=case,
        report_id=report.id,
        number=report.number,
        content_sha256=report.content_sha256,
    )
    now = world.clock.now()
    uow.jobs.ask(JobKind.DELIVER_REPORT, report.id, now, now)

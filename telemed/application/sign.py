"""Signatures: one licensed, present person signs exactly what was shown; a signed version never changes."""

from collections.abc import Mapping
from datetime import timedelta

from telemed.application.document import report_document
from telemed.application.hold import hand_over, hold_of, signed
from telemed.application.ports import UnitOfWork
from telemed.application.read import (
    OpenedCase,
    amendment_fault,
    current_draft,
    find_case,
    hold_case,
    new_version,
    preliminary_fault,
    shown,
)
from telemed.application.record import record
from telemed.application.withdraw import tell_people
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand
from telemed.domain.case import Case, CaseState
from telemed.domain.errors import Conflict, Forbidden, InvalidInput
from telemed.domain.events import Kind
from telemed.domain.people import Institution
from telemed.domain.report import Report, ReportState
from telemed.domain.writing import Part, demanded_parts, first_missing

Words = Mapping[str, str | bool]


def sign(world: World, *, actor: Actor, uid: str, revision: int, words: Words | None = None) -> OpenedCase:
    """The reporting doctor's signature over the revision they saw; or over these very words, written upon it.

    With words the case is claimed, the draft written and signed in one step, or nothing of it is.
    """
    demand(actor, Action.WRITE_REPORT)
    now = world.clock.now()
    with world.unit_of_work() as uow:
        case = find_case(uow, actor, uid)
        latest = uow.reports.latest(case.id)
        if latest is not None and latest.signed_by == actor.user_id and latest.spoken(revision, words):
            # The same click twice.
            return shown(world, actor, uid)
        house = uow.institutions.get(actor.institution_id)
        _demand_present_signer(world, actor, house)
        report, revision = _written(world, uow, actor, case, revision, words)
        _demand_printable(world, uow, case, report, actor)
        _demand_complete(uow, case, report)
        hold = hold_of(house, case, report)
        report.sign(actor.user_id, revision, now, needs_review=house.second_signature, hold=hold)
        record(
            world, uow, Kind.REPORT_SIGNED, actor=actor, case=case, report_id=report.id, number=report.number
        )
        if report.state is ReportState.AWAITING_REVIEW:
            case.claimed_by = case.lease_until = case.returned_at = None
            case.state = CaseState.AWAITING_REVIEW
        else:
            signed(world, uow, actor, case, report)
        uow.commit()
    world.waker.wake()
    return shown(world, actor, uid)


def review(
    world: World,
    *,
    actor: Actor,
    uid: str,
    decision: str,
    revision: int,
    comment: str = "",
    words: Words | None = None,
) -> OpenedCase:
    """The second doctor approves, and the report is final; or returns it with a comment.

    Either with other words, if need be: the first signer sees what became of the own ones.
    """
    demand(actor, Action.REVIEW_REPORT)
    now = world.clock.now()
    with world.unit_of_work() as uow:
        case = find_case(uow, actor, uid)
        report = uow.reports.latest(case.id)
        if report is None:
            raise Conflict("error.report_not_awaiting_review")
        if decision == "approve":
            if report.reviewed_by == actor.user_id and report.spoken(revision, words):
                # The same click twice.
                return shown(world, actor, uid)
            house = uow.institutions.get(actor.institution_id)
            _demand_present_signer(world, actor, house)
            if words is not None and report.revise(actor.user_id, revision, words, now):
                _changed(world, uow, actor, case, report)
                revision = report.revision
            report.review(actor.user_id, revision, now, hold=hold_of(house, case, report))
            record(world, uow, Kind.REPORT_APPROVED, actor=actor, case=case, report_id=report.id)
            signed(world, uow, actor, case, report)
        elif decision == "return":
            if _was_returned(case, report, comment, revision, words):
                return shown(world, actor, uid)
            if words is not None and report.revise(actor.user_id, revision, words, now):
                record(world, uow, Kind.REPORT_REVISED, actor=actor, case=case, report_id=report.id)
            author = report.signed_by
            report.send_back(actor.user_id, comment, now)
            case.state, case.claimed_by, case.lease_until = CaseState.WAITING, None, None
            case.returned_at = now
            record(
                world, uow, Kind.REPORT_RETURNED, actor=actor, case=case, report_id=report.id, author=author
            )
        else:
            raise InvalidInput("error.field_invalid", field="decision")
        uow.commit()
    world.waker.wake()
    return shown(world, actor, uid)


def amend(world: World, *, actor: Actor, uid: str, reason: str) -> OpenedCase:
    """Opens the next version of a final report; the signed one stays in force until the next is final."""
    demand(actor, Action.WRITE_REPORT)
    if not reason.strip():
        raise InvalidInput("error.comment_required", field="reason")
    now = world.clock.now()
    with world.unit_of_work() as uow:
        case = find_case(uow, actor, uid)
        report = uow.reports.latest(case.id)
        if report is not None and _just_opened(uow, actor, case, report):
            # The same key twice.
            return shown(world, actor, uid)
        fault = amendment_fault(actor, case, report)
        if fault is not None:
            raise fault
        draft = new_version(world, uow, case, actor, report)
        case.state = CaseState.WAITING
        case.claim(actor.user_id, now)
        record(
            world,
            uow,
            Kind.REPORT_AMENDMENT_OPENED,
            actor=actor,
            case=case,
            report_id=draft.id,
            reason=reason.strip()[:400],
        )
        uow.commit()
    return shown(world, actor, uid)


def release_preliminary(
    world: World, *, actor: Actor, uid: str, revision: int, words: Words | None = None
) -> OpenedCase:
    """An emergency cannot wait for the second signature: out at once, plainly marked; its final is still to come."""
    demand(actor, Action.WRITE_REPORT)
    now = world.clock.now()
    with world.unit_of_work() as uow:
        case = find_case(uow, actor, uid)
        versions = uow.reports.of_case(case.id)
        known = [one for one in versions if one.state is ReportState.PRELIMINARY]
        if known and known[-1].signed_by == actor.user_id and known[-1].spoken(revision, words):
            # The same key twice.
            return shown(world, actor, uid)
        _demand_present_signer(world, actor, uow.institutions.get(actor.institution_id))
        fault = preliminary_fault(case, versions)
        if fault is not None:
            raise fault
        report, revision = _written(world, uow, actor, case, revision, words)
        _demand_printable(world, uow, case, report, actor)
        report.release_preliminary(actor.user_id, revision, now)
        hand_over(world, uow, Kind.REPORT_PRELIMINARY, actor, case, report)
        new_version(world, uow, case, actor, report)
        case.claim(actor.user_id, now)
        uow.commit()
    world.waker.wake()
    return shown(world, actor, uid)


def _was_returned(case: Case, report: Report, comment: str, revision: int, words: Words | None) -> bool:
    """With this very comment, and these words: the same click twice."""
    return (
        case.returned_at is not None
        and report.state is ReportState.DRAFT
        and report.review_comment == comment.strip() != ""
        and (words is None or report.spoken(revision, words))
    )


def _just_opened(uow: UnitOfWork, actor: Actor, case: Case, report: Report) -> bool:
    """An amendment of a final report by this person, in which nothing is written yet."""
    fresh = report.state is ReportState.DRAFT and report.revision == 0
    if not fresh or report.amends_report_id is None:
        return False
    mine = report.author_id == actor.user_id == case.claimed_by
    return mine and uow.reports.get(report.amends_report_id).state is ReportState.FINAL


def _written(
    world: World, uow: UnitOfWork, actor: Actor, case: Case, revision: int, words: Words | None
) -> tuple[Report, int]:
    """The draft to be signed and its revision: as it was saved under the own claim, or with these words upon it."""
    if words is None:
        case.demand_held_by(actor.user_id, world.clock.now())
        return current_draft(world, uow, case, actor), revision
    hold_case(world, uow, actor, case)
    report = current_draft(world, uow, case, actor)
    report.put(words, revision, world.clock.now())
    return report, report.revision


def _demand_present_signer(world: World, actor: Actor, house: Institution) -> None:
    if not actor.license_number:
        raise Forbidden("error.signer_without_license")
    if actor.authenticated_at + timedelta(minutes=house.signing_minutes) <= world.clock.now():
        raise Forbidden("error.reauthenticate")


def _changed(world: World, uow: UnitOfWork, actor: Actor, case: Case, report: Report) -> None:
    """Other words than were signed first: as printable and as complete as those; the first signer is told."""
    _demand_printable(world, uow, case, report, actor)
    _demand_complete(uow, case, report)
    record(world, uow, Kind.REPORT_REVISED, actor=actor, case=case, report_id=report.id)
    if report.signed_by is not None:
        people = frozenset({report.signed_by})
        tell_people(
            world, uow, actor, case, people,
            code="notice.report_revised", once=f"{report.number}.{report.revision}", number=report.number,
        )  # fmt: skip


def _demand_complete(uow: UnitOfWork, case: Case, report: Report) -> None:
    """What the centre asks of this exam's report; the cursor goes to the first gap."""
    study = uow.studies.get(case.study_id)
    demanded = demanded_parts(uow.writing.required(case.consortium_id), case.modality, study.body_part)
    texts: dict[str, str] = {part: getattr(report, part) for part in Part}
    missing = first_missing(demanded, texts, abnormal=report.abnormal)
    if missing is not None:
        raise InvalidInput("error.report_field_empty", field=missing.value)


def _demand_printable(world: World, uow: UnitOfWork, case: Case, report: Report, actor: Actor) -> None:
    """A character no embedded font has is found now, while somebody can still write it differently."""
    document = report_document(world, uow, case, report, language="zh-CN", signer_id=actor.user_id)
    missing = world.renderer.missing_glyphs(document)
    if missing:
        raise InvalidInput("error.glyphs_missing", characters=" ".join(missing))

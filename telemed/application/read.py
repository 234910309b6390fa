"""A doctor's work on one case: open, claim, write, give back, ask for a repeat."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from telemed.application.infer import Fault, fault_of
from telemed.application.ports import UnitOfWork, WorklistRow
from telemed.application.record import record
from telemed.application.repeats import ASKED, tell_site
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand, may
from telemed.domain.case import Case, CaseState
from telemed.domain.errors import Conflict, DomainError, Forbidden, InvalidInput, NotFound
from telemed.domain.events import Kind
from telemed.domain.inference import AnalysisRecord
from telemed.domain.notice import Notice
from telemed.domain.people import User
from telemed.domain.reading_order import in_reading_order
from telemed.domain.repeat import RepeatCode, RepeatMark
from telemed.domain.report import IN_FORCE, Report, ReportState
from telemed.domain.study import Series, StoredObject, Study
from telemed.domain.writing import Demanded, Part, demanded_parts


@dataclass(frozen=True, kw_only=True)
class OpenedCase:
    row: WorklistRow
    series: Sequence[Series]
    objects: Sequence[StoredObject]
    analyses: Sequence[AnalysisRecord]
    ai_fault: Fault | None
    versions: Sequence[Report]
    notices: Sequence[Notice]
    people: dict[int, User]
    can: frozenset[str]
    demanded: Mapping[Part, Demanded]
    # Who would like to go on with it in the place of its holder.
    asked_by: str = ""
    read_again: bool = False
    # What came for it since it went back, and the cases that went back and whose answer it is, or may be.
    answer: Study | None = None
    repeats: Sequence[Case] = ()


def find_case(uow: UnitOfWork, actor: Actor, uid: str) -> Case:
    case = uow.cases.visible(actor, uid)
    if case is None:
        raise NotFound("error.case_not_found")
    return case


def open_case(world: World, *, actor: Actor, uid: str, ahead: bool = False) -> OpenedCase:
    """Everything the case page shows; the reading is recorded.

    `ahead`: fetched before anybody asked for it, and so on record; who opens it then reads it again.
    """
    demand(actor, Action.SEE_CASE)
    with world.unit_of_work() as uow:
        case = find_case(uow, actor, uid)
        record(world, uow, Kind.CASE_FETCHED if ahead else Kind.CASE_OPENED, actor=actor, case=case)
        uow.commit()
    return shown(world, actor, uid)


def shown(world: World, actor: Actor, uid: str) -> OpenedCase:
    """The case as it now stands, read after the writer's place was given back."""
    with world.unit_of_work(write=False) as uow:
        row = uow.cases.row(actor, uid)
        if row is None:
            raise NotFound("error.case_not_found")
        return _collect(world, uow, actor, row)


def _collect(world: World, uow: UnitOfWork, actor: Actor, row: WorklistRow) -> OpenedCase:
    case = row.case
    reader = may(actor.role, Action.WRITE_REPORT)
    versions = uow.reports.of_case(case.id)
    if not reader:
        # Who only receives sees what was signed, never a draft.
        versions = [v for v in versions if v.released_at is not None]
    # What a closed case shows is what was written: its recordings are another person's.
    closed = case.state is CaseState.CLOSED
    kept = [] if closed else uow.studies.objects(case.study_id)
    series, objects = in_reading_order(uow.studies.series(case.study_id), kept)
    # A series of what was made here, or held back, has nothing to be shown of it.
    shown_series = {stored.series_id for stored in objects}
    people = {i: uow.users.get(i) for v in versions for i in (v.author_id, v.signed_by, v.reviewed_by) if i}
    return OpenedCase(
        row=row,
        series=[one for one in series if one.id in shown_series],
        objects=objects,
        analyses=[] if closed else uow.analyses.of_case(case.id),
        ai_fault=fault_of(uow, case),
        versions=versions,
        # What is told to people by name, or to the site, stands on their pages, not on a case that others read.
        notices=[n for n in uow.notices.of_study(case.study_id) if n.user_id is None and n.code != ASKED],
        read_again=_read_again(uow, case),
        answer=uow.studies.get(case.repeat_answer_id) if case.repeat_answer_id is not None else None,
        repeats=() if closed else uow.cases.repeats_answered_by(case.study_id),
        people=people,
        can=_can(world, actor, case, versions),
        asked_by=uow.users.get(case.asked_by).display_name if case.asked_by and case.claimed_by else "",
        demanded=demanded_parts(uow.writing.required(case.consortium_id), case.modality, row.study.body_part),
    )


def _read_again(uow: UnitOfWork, case: Case) -> bool:
    """It was read before, under another person, and what was said then was withdrawn."""
    return case.follows_case_id is not None and uow.cases.get(case.follows_case_id).state is CaseState.CLOSED


def _can(world: World, actor: Actor, case: Case, versions: Sequence[Report]) -> frozenset[str]:
    if not may(actor.role, Action.WRITE_REPORT):
        return frozenset()
    now = world.clock.now()
    mine = case.claimed_by == actor.user_id and case.lease_until is not None and case.lease_until > now
    open_ = case.state in (CaseState.WAITING, CaseState.READING)
    latest = versions[-1] if versions else None
    rights = set()
    if open_ and not mine and not case.held_by_other(actor.user_id, now):
        rights.add("claim")
    if open_ and case.held_by_other(actor.user_id, now):
        rights.add("take")
    if open_ and not case.held_by_other(actor.user_id, now) and not _released(versions):
        rights.add("repeat")
    if open_ and mine:
        rights.add("write")
        if actor.license_number:
            rights.add("sign")
            if preliminary_fault(case, versions) is None:
                rights.add("preliminary")
    if (
        case.state is CaseState.AWAITING_REVIEW
        and may(actor.role, Action.REVIEW_REPORT)
        and latest is not None
        and latest.signed_by != actor.user_id
    ):
        rights.add("review")
    if latest is not None and latest.undoable_by(actor.user_id, now):
        rights.add("undo")
    if amendment_fault(actor, case, latest) is None:
        rights.add("amend")
    return frozenset(rights)


def _released(versions: Sequence[Report]) -> bool:
    """A report is in force: its recipients have it, whatever is being amended."""
    return any(version.state in IN_FORCE for version in versions)


def preliminary_fault(case: Case, versions: Sequence[Report]) -> DomainError | None:
    """What speaks against an emergency report now: asked by the page and by the release alike."""
    if not case.is_emergency:
        return Conflict("error.preliminary_only_for_emergencies")
    if _released(versions):
        # One signature would take the place of what two have signed.
        return Conflict("error.preliminary_after_release")
    return None


def amendment_fault(actor: Actor, case: Case, latest: Report | None) -> DomainError | None:
    """What speaks against this person's opening an amendment now."""
    if not actor.license_number:
        return Forbidden("error.signer_without_license")
    if latest is None or latest.state is not ReportState.FINAL or case.state is not CaseState.FINAL:
        return Conflict("error.report_not_final")
    return None


def claim(world: World, *, actor: Actor, uid: str) -> OpenedCase:
    demand(actor, Action.WRITE_REPORT)
    with world.unit_of_work() as uow:
        hold_case(world, uow, actor, find_case(uow, actor, uid))
        uow.commit()
    return shown(world, actor, uid)


def hold_case(world: World, uow: UnitOfWork, actor: Actor, case: Case) -> None:
    """Claims it, or renews the own claim."""
    if case.state is CaseState.AWAITING_REVIEW:
        raise Conflict("error.case_awaits_review")
    renewed = case.claimed_by == actor.user_id
    case.claim(actor.user_id, world.clock.now())
    if not renewed:
        record(world, uow, Kind.CASE_CLAIMED, actor=actor, case=case)


def release(world: World, *, actor: Actor, uid: str) -> OpenedCase:
    demand(actor, Action.WRITE_REPORT)
    with world.unit_of_work() as uow:
        case = find_case(uow, actor, uid)
        if case.claimed_by == actor.user_id and case.state is CaseState.READING:
            case.release()
            record(world, uow, Kind.CASE_RELEASED, actor=actor, case=case, because="given_back")
        uow.commit()
    return shown(world, actor, uid)


@dataclass(frozen=True, kw_only=True)
class Draft:
    findings: str
    impression: str
    recommendation: str
    critical: bool
    abnormal: bool
    revision: int


MAX_TEXT = 8000


def save_draft(world: World, *, actor: Actor, uid: str, draft: Draft) -> tuple[Report, User]:
    """Saves under the own lease and renews it; a save over somebody else's save is a conflict."""
    demand(actor, Action.WRITE_REPORT)
    for name in ("findings", "impression", "recommendation"):
        if len(getattr(draft, name)) > MAX_TEXT:
            raise InvalidInput("error.field_too_long", field=name, limit=MAX_TEXT)
    now = world.clock.now()
    with world.unit_of_work() as uow:
        case = find_case(uow, actor, uid)
        case.demand_held_by(actor.user_id, now)
        case.claim(actor.user_id, now)
        report = current_draft(world, uow, case, actor)
        if draft.revision != report.revision:
            raise Conflict("error.report_changed_since_shown")
        report.write(
            findings=draft.findings,
            impression=draft.impression,
            recommendation=draft.recommendation,
            critical=draft.critical,
            abnormal=draft.abnormal,
            now=now,
        )
        author = uow.users.get(report.author_id)
        uow.commit()
    return report, author


def current_draft(world: World, uow: UnitOfWork, case: Case, actor: Actor) -> Report:
    """The open version of the case, made when somebody writes the first word."""
    latest = uow.reports.latest(case.id)
    if latest is not None and latest.state is ReportState.DRAFT:
        return latest
    if latest is not None:
        raise Conflict("error.report_is_signed")
    return new_version(world, uow, case, actor, None)


def new_version(world: World, uow: UnitOfWork, case: Case, actor: Actor, amends: Report | None) -> Report:
    now = world.clock.now()
    report = Report(
        uid=world.identifiers.uid(),
        case_id=case.id,
        institution_id=case.institution_id,
        consortium_id=case.consortium_id,
        number=amends.number + 1 if amends else 1,
        author_id=actor.user_id,
        created_at=now,
        updated_at=now,
        findings=amends.findings if amends else "",
        impression=amends.impression if amends else "",
        recommendation=amends.recommendation if amends else "",
        critical=amends.critical if amends else False,
        abnormal=amends.abnormal if amends else True,
        amends_report_id=amends.id if amends else None,
    )
    uow.reports.add(report)
    uow.flush()
    return report


def _marked(uow: UnitOfWork, case: Case, mark: RepeatMark) -> dict[str, Any]:
    """With the series of its picture: under it the technician's page finds it."""
    stored = next(
        (one for one in uow.studies.objects(case.study_id) if one.sop_instance_uid == mark.sop_instance_uid),
        None,
    )
    if stored is None:
        raise InvalidInput("error.field_invalid", field="mark")
    series = {one.id: one.series_instance_uid for one in uow.studies.series(case.study_id)}
    return {**mark.data(), "series_instance_uid": series[stored.series_id]}


def request_repeat(
    world: World,
    *,
    actor: Actor,
    uid: str,
    reason: str,
    code: RepeatCode = RepeatCode.OTHER,
    mark: RepeatMark | None = None,
) -> OpenedCase:
    """Back to the technician: a reason, a sentence, a marked place; the township page shows it at once."""
    demand(actor, Action.WRITE_REPORT)
    if not reason.strip():
        raise InvalidInput("error.comment_required", field="reason")
    if mark is not None:
        mark.demand_sound()
    with world.unit_of_work() as uow:
        case = find_case(uow, actor, uid)
        place = _marked(uow, case, mark) if mark else None
        asked = (CaseState.REPEAT_REQUESTED, reason.strip()[:400], code.value, place)
        if (case.state, case.repeat_reason, case.repeat_code, case.repeat_mark) == asked:
            # The same key twice.
            return shown(world, actor, uid)
        hold_case(world, uow, actor, case)
        if _released(uow.reports.of_case(case.id)):
            # The township would be told to repeat what it holds a signed report of, and nobody could amend it.
            raise Conflict("error.report_is_signed")
        case.state, case.repeat_reason, case.repeat_code, case.repeat_mark = asked
        case.repeat_asked_at, case.repeat_asked_by = world.clock.now(), actor.user_id
        case.claimed_by = case.lease_until = case.returned_at = None
        record(world, uow, Kind.CASE_REPEAT_REQUESTED, actor=actor, case=case, code=code.value)
        tell_site(world, uow, case)
        uow.commit()
    return shown(world, actor, uid)

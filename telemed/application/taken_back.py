"""What reached the wrong people by a link to the wrong resident: taken back from them, and each of them told."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from telemed.application.critical_card import mark, note_event
from telemed.application.critical_correction import say_of
from telemed.application.notifying import Place, raise_notice
from telemed.application.ports import UnitOfWork
from telemed.application.withdraw import met_by, tell_people
from telemed.application.world import World
from telemed.domain.access import Action, Actor, may
from telemed.domain.case import READABLE, Case, CaseState
from telemed.domain.critical import CriticalAlert, CriticalValue
from telemed.domain.events import Kind
from telemed.domain.resident import Patient, Resident


@dataclass
class _Had:
    """By one family doctor: everything names the patient by a case."""

    reports: set[str] = field(default_factory=set)
    opened: set[str] = field(default_factory=set)
    critical: set[str] = field(default_factory=set)
    case_id: int = 0


@dataclass(frozen=True)
class TakenBack:
    reports: list[str]
    # Which of them who had opened: {"report": ..., "user": ...}.
    opened: list[dict[str, str]]
    critical: list[str]
    told: int


def take_back(
    world: World,
    uow: UnitOfWork,
    actor: Actor,
    patient: Patient,
    resident: Resident,
    *,
    reason: str,
    once: str,
) -> TakenBack:
    """From the family doctors of `resident`, under whom the patient stands no longer."""
    had: dict[int, _Had] = defaultdict(_Had)
    _reports(world, uow, patient, had)
    _critical(world, uow, actor, patient, reason, had)
    told = 0
    for user_id in sorted(had):
        told += _tell(world, uow, patient, resident, user_id, had[user_id], once)
    return TakenBack(
        reports=sorted({uid for one in had.values() for uid in one.reports}),
        opened=[
            {"report": uid, "user": uow.users.get(user_id).uid}
            for user_id, one in sorted(had.items())
            for uid in sorted(one.opened)
        ],
        critical=sorted({uid for one in had.values() for uid in one.critical}),
        told=told,
    )


def _reports(world: World, uow: UnitOfWork, patient: Patient, had: dict[int, _Had]) -> None:
    for copy in uow.links.doctors_copies(patient.id):
        assert copy.user_id is not None
        case, one = uow.cases.get(copy.case_id), had[copy.user_id]
        report = uow.reports.get(copy.report_id)
        one.reports.add(report.uid)
        if copy.opened_at is not None or copy.user_id in uow.corrections.openers([case.id], case.study_id):
            one.opened.add(report.uid)
        one.case_id = case.id
        copy.take_back(world.clock.now())


def _critical(
    world: World, uow: UnitOfWork, actor: Actor, patient: Patient, reason: str, had: dict[int, _Had]
) -> None:
    for value in uow.links.critical_of(patient.id):
        wrong = [one for one in uow.corrections.alerts_of(value.id) if _by_contract(uow, value, one)]
        for alert in wrong:
            assert alert.user_id is not None
            alert.taken_back_at = world.clock.now()
            one = had[alert.user_id]
            one.critical.add(value.uid)
            one.case_id = one.case_id or value.case_id
        if _answered_by(uow, value) & {alert.user_id for alert in wrong}:
            _say_anew(world, uow, actor, value, reason)


def _by_contract(uow: UnitOfWork, value: CriticalValue, alert: CriticalAlert) -> bool:
    """Told as the resident's family doctor: not as an institution, nor by name on a step of the ladder."""
    if alert.user_id is None or alert.step or alert.taken_back_at is not None:
        return False
    steps = uow.critical.steps(value.consortium_id)
    climbed = {one.user_id for one in steps if one.tier is value.tier and one.rank <= value.escalated}
    return alert.user_id not in climbed


def _answered_by(uow: UnitOfWork, value: CriticalValue) -> set[int | None]:
    return {value.acknowledged_by, *(action.taken_by for action in uow.critical.actions(value.id))}


def _say_anew(world: World, uow: UnitOfWork, actor: Actor, value: CriticalValue, reason: str) -> None:
    """The doctor of somebody else answered it: nobody has reached this patient, and its clock must run on."""
    case = uow.cases.get(value.case_id)
    value.retract(actor.user_id, reason, world.clock.now())
    mark(world, uow, value, actor)
    note_event(world, uow, Kind.CRITICAL_WITHDRAWN, value, actor)
    if uow.critical.open_of(case.id, value.code) is None:
        say_of(world, uow, actor, value, case)


def _tell(
    world: World,
    uow: UnitOfWork,
    patient: Patient,
    resident: Resident,
    user_id: int,
    had: _Had,
    once: str,
) -> int:
    user = uow.users.get(user_id)
    place = Place(
        institution_id=user.institution_id,
        consortium_id=user.consortium_id,
        case_id=had.case_id,
        user_id=user_id,
    )
    facts = {
        "last4": resident.id_card_last4,
        "count": len(had.reports),
        "opened": len(had.opened),
        "critical": len(had.critical),
    }
    cause = f"not_your_resident:{patient.uid}:{resident.uid}:user:{user_id}:{once}"
    case = uow.cases.get(had.case_id)
    return int(
        raise_notice(world, uow, "notice.not_your_resident", cause, place, facts, case=case, user=user.uid)
    )


def tell_readers(
    world: World,
    uow: UnitOfWork,
    actor: Actor,
    patient: Patient,
    resident: Resident,
    *,
    since: datetime | None,
    once: str,
) -> int:
    """Those who may have compared one person's exam with the other's, shown as the same person's earlier one."""
    others = [one.id for one in uow.links.patients_of(resident.id) if one.id != patient.id]
    if not others:
        return 0
    own, theirs = uow.links.cases_of([patient.id]), uow.links.cases_of(others)
    told = 0
    for case, strangers in [*((one, theirs) for one in own), *((one, own) for one in theirs)]:
        shown = any(one.modality == case.modality and one.arrived_at <= case.arrived_at for one in strangers)
        if shown and _read_since(uow, case, since):
            people = frozenset(
                one for one in met_by(uow, case) if may(uow.users.get(one).role, Action.WRITE_REPORT)
            )
            code = "notice.earlier_exams_of_another"
            told += tell_people(world, uow, actor, case, people, code=code, once=once)
    return told


def _read_since(uow: UnitOfWork, case: Case, since: datetime | None) -> bool:
    if case.state in READABLE or since is None:
        return case.state is not CaseState.CLOSED
    written = uow.reports.latest(case.id)
    return case.state is not CaseState.CLOSED and written is not None and written.updated_at >= since

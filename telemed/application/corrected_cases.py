"""What becomes of the cases of recordings that turn out to be another person's."""

from collections.abc import Sequence

from telemed.application.complete import route_study
from telemed.application.correction import Correction, Outcome
from telemed.application.critical_correction import carry_over
from telemed.application.ports import UnitOfWork
from telemed.application.raising import raise_by_stored
from telemed.application.record import record
from telemed.application.repeats import settle_site
from telemed.application.withdraw import close_case, met_by, tell_people
from telemed.application.world import World
from telemed.domain.case import Case, CaseState
from telemed.domain.events import Kind
from telemed.domain.order import Order, Procedure


def by_speech(uow: UnitOfWork, cases: Sequence[Case]) -> tuple[list[Case], list[Case]]:
    """Cases in which something was signed or told about the wrong person, and those that are only being read."""
    spoken: list[Case] = []
    silent: list[Case] = []
    for case in cases:
        uow.cases.lock(case.id)
        if case.state is CaseState.CLOSED:
            continue
        said = any(report.signed_by is not None for report in uow.reports.of_case(case.id))
        (spoken if said or uow.corrections.critical_said(case.id) else silent).append(case)
    return spoken, silent


def close(made: Correction, case: Case, outcome: Outcome) -> None:
    withdrawn, told = close_case(made.world, made.uow, made.actor, case, made.reason)
    settle_site(made.world, made.uow, case, made.actor)
    outcome.withdrawn += withdrawn
    outcome.told += told


def correct(made: Correction, case: Case, order: Order, procedure: Procedure, outcome: Outcome) -> None:
    world, uow, actor, study = made.world, made.uow, made.actor, made.study
    outcome.told += tell_people(world, uow, actor, case, met_by(uow, case), code="notice.patient_corrected")
    route = route_study(uow, study, order)
    case.correct(
        patient_id=study.patient_id,
        procedure_id=procedure.id,
        priority=order.priority,
        deadline=route.deadline if route else case.deadline,
    )
    raise_by_stored(world, uow, case)
    outdate_draft(world, uow, case)
    record(world, uow, Kind.CASE_CORRECTED, actor=actor, case=case, priority=int(case.effective_priority))


def outdate_draft(world: World, uow: UnitOfWork, case: Case) -> None:
    latest = uow.reports.latest(case.id)
    if latest is not None:
        latest.outdate(world.clock.now())


def carry(made: Correction, old: Case, new: Case, sops: Sequence[str], *, keep: bool) -> None:
    """What machines said stays with the recording."""
    world, uow = made.world, made.uow
    uids = [world.identifiers.uid() for _ in range(uow.corrections.count_analyses(old.id))]
    if uow.corrections.carry_analyses(old, new, uids, sop_instance_uids=sops, keep=keep):
        new.ai_state = old.ai_state
        raise_by_stored(world, uow, new)


def say_anew(made: Correction, old: Case, heirs: Sequence[Case], outcome: Outcome) -> None:
    """What is critical in the old case is said of those who have its recordings now."""
    outcome.told += carry_over(
        made.world, made.uow, actor=made.actor, old=old, heirs=heirs, reason=made.reason
    )

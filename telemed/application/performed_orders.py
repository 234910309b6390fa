"""What a performed step does to the worklist: one machine's step may stand for several that were ordered."""

from collections.abc import Sequence
from datetime import datetime

from telemed.application.notifying import notify_institution
from telemed.application.ports import UnitOfWork
from telemed.application.world import World
from telemed.domain.people import Device
from telemed.domain.scheduling import PerformedState, PerformedStep, ScheduledStep, StepKey, StepState

# Where the ordered steps are kept that one performed step stands for (PS3.4 F.7, table F.7.2-1, "group case").
_GROUPED = "GroupedSteps"


def scheduled_under(uow: UnitOfWork, device: Device, keys: Sequence[StepKey]) -> list[ScheduledStep]:
    """Those that these (step id, study UID) pairs name; each once."""
    found: dict[int, ScheduledStep] = {}
    for step_id, study_uid in keys:
        step = uow.steps.by_step_id(device.institution_id, step_id) if step_id else None
        if step is None and study_uid:
            step = uow.steps.by_study_uid(device.institution_id, study_uid)
        if step is not None:
            found[step.id] = step
    return list(found.values())


def remember_group(performed: PerformedStep, steps: Sequence[ScheduledStep]) -> None:
    if len(steps) > 1:
        performed.attributes = {**performed.attributes, _GROUPED: [step.id for step in steps]}


def ordered_for(uow: UnitOfWork, performed: PerformedStep) -> list[ScheduledStep]:
    own = [] if performed.step_id is None else [performed.step_id]
    return [uow.steps.get(step_id) for step_id in performed.attributes.get(_GROUPED) or own]


def follow(
    world: World, uow: UnitOfWork, performed: PerformedStep, steps: Sequence[ScheduledStep], now: datetime
) -> None:
    """Moves the orders. One that was broken off before anything came is open again, and a person is told."""
    for step in steps:
        step.move(performed.state, now)
    broken_off = [step for step in steps if step.state is StepState.DISCONTINUED]
    if performed.state is not PerformedState.DISCONTINUED or not broken_off:
        return
    came = uow.studies.by_instance_uid(performed.institution_id, performed.study_instance_uid)
    tried = uow.steps.performed_of_studies(performed.institution_id, [performed.study_instance_uid])
    goes_on = any(one.state is not PerformedState.DISCONTINUED for one in tried if one is not performed)
    for step in broken_off:
        if came is None and not goes_on:
            step.state = StepState.SCHEDULED
        notify_institution(
            world,
            uow,
            "notice.step_broken_off" if came is None else "notice.step_broken_off_with_objects",
            f"broken off:{performed.uid}:{step.uid}",
            institution_id=performed.institution_id,
            consortium_id=performed.consortium_id,
            study_id=came.id if came else None,
            accession_number=_accession(uow, step),
        )


def _accession(uow: UnitOfWork, step: ScheduledStep) -> str:
    return uow.orders.get(uow.orders.procedure(step.procedure_id).order_id).accession_number

"""Modality Performed Procedure Steps: they move the order, and say when a study is whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from telemed.application.jobs import JobKind
from telemed.application.performed_orders import follow, ordered_for, remember_group, scheduled_under
from telemed.application.ports import UnitOfWork
from telemed.application.promised import promised_by, tell_missing
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.errors import Conflict, InvalidInput, NotFound
from telemed.domain.events import Kind
from telemed.domain.people import Device
from telemed.domain.scheduling import PerformedState, PerformedStep, ScheduledStep, StepKey
from telemed.domain.study import Study, StudyState


@dataclass(frozen=True, kw_only=True)
class Performance:
    """What a machine says of its work, as far as it is understood here."""

    state: PerformedState
    study_instance_uid: str = ""
    step_id: str = ""
    # The further ordered steps that this one was performed for.
    grouped: Sequence[StepKey] = ()
    # None where the message says nothing about objects.
    promised: Sequence[str] | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)


def begin_step(world: World, *, device: Device, sop_instance_uid: str, said: Performance) -> PerformedStep:
    """N-CREATE. Raises Conflict for a UID that is taken, InvalidInput for a step that does not begin."""
    if said.state is not PerformedState.IN_PROGRESS:
        raise InvalidInput("error.performed_step_begins")
    with world.unit_of_work() as uow:
        ordered = scheduled_under(uow, device, [(said.step_id, said.study_instance_uid), *said.grouped])
        scheduled = ordered[0] if ordered else None
        performed = PerformedStep(
            uid=world.identifiers.uid(),
            institution_id=device.institution_id,
            consortium_id=device.consortium_id,
            device_id=device.id,
            sop_instance_uid=sop_instance_uid,
            study_instance_uid=said.study_instance_uid,
            state=said.state,
            created_at=world.clock.now(),
            step_id=scheduled.id if scheduled else None,
            promised=list(said.promised or ()),
            attributes=dict(said.attributes),
        )
        remember_group(performed, ordered)
        if not uow.steps.ensure_performed(performed):
            raise Conflict("error.performed_step_exists")
        follow(world, uow, performed, ordered, world.clock.now())
        _event(world, uow, performed, scheduled)
        uow.commit()
    return performed


def change_step(world: World, *, device: Device, sop_instance_uid: str, said: Performance) -> None:
    """N-SET. Raises NotFound, and Conflict for a step that has ended."""
    with world.unit_of_work() as uow:
        performed = uow.steps.performed(device.institution_id, sop_instance_uid)
        if performed is None:
            raise NotFound("error.performed_step_unknown")
        performed.demand_open()
        if said.promised is not None:
            performed.promised = list(said.promised)
        performed.attributes = {**performed.attributes, **said.attributes}
        if said.state is not PerformedState.IN_PROGRESS:
            performed.end(said.state, world.clock.now())
        ordered = ordered_for(uow, performed)
        scheduled = ordered[0] if ordered else None
        follow(world, uow, performed, ordered, world.clock.now())
        _event(world, uow, performed, scheduled)
        study = uow.studies.by_instance_uid(device.institution_id, performed.study_instance_uid)
        if study is not None and study.state is StudyState.COMPLETE:
            # It was quiet for long enough, and shown, before its machine said what belongs to it.
            uow.flush()
            tell_missing(world, uow, study)
        elif study is not None and end_quiet_if_whole(world, uow, study, _performed(uow, study)):
            uow.jobs.ask(JobKind.COMPLETE_STUDY, study.id, world.clock.now(), world.clock.now())
        uow.commit()
    world.waker.wake()


def end_quiet_if_whole(
    world: World, uow: UnitOfWork, study: Study, performed: Sequence[PerformedStep]
) -> bool:
    """True, and the study is whole from now on, if every step of it has ended and all it promised is here.

    `performed` are the steps of the study. One still in progress promises nothing yet, and its machine may never
    end it: the quiet period stays.
    """
    if not performed or any(one.state is PerformedState.IN_PROGRESS for one in performed):
        return False
    promised = promised_by(performed)
    if not promised or study.object_count < len(promised) or not promised <= _held(uow, study):
        return False
    study.whole_at = world.clock.now()
    return True


def _performed(uow: UnitOfWork, study: Study) -> Sequence[PerformedStep]:
    return uow.steps.performed_of_studies(study.institution_id, [study.study_instance_uid])


def _held(uow: UnitOfWork, study: Study) -> set[str]:
    uow.flush()
    return {stored.sop_instance_uid for stored in uow.studies.objects(study.id)}


def _event(world: World, uow: UnitOfWork, performed: PerformedStep, scheduled: ScheduledStep | None) -> None:
    record(
        world,
        uow,
        Kind.STEP_PERFORMED,
        device_id=performed.device_id,
        institution_id=performed.institution_id,
        consortium_id=performed.consortium_id,
        performed=performed.uid,
        state=performed.state.value,
        step=scheduled.uid if scheduled else None,
        promised=len(performed.promised),
    )

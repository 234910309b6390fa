"""The order a study belongs to; the order it makes when it came without one."""

from telemed.application.ports import UnitOfWork
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.events import Kind
from telemed.domain.order import Order, OrderSource, Priority, Procedure
from telemed.domain.study import Study


def own_accession(world: World) -> str:
    """At most 16 characters, as DICOM's SH demands: the day and random digits."""
    return f"{world.clock.now():%y%m%d}{int(world.identifiers.uid().replace('-', ''), 16) % 10**9:09d}"


def order_of_study(
    world: World, uow: UnitOfWork, study: Study, description: str, *, history: str = ""
) -> tuple[Order, Procedure]:
    """The order a study belongs to: by the study UID given with it, by its accession number and patient, else
    one of its own, marked so."""
    if (scheduled := _scheduled(uow, study)) is not None:
        return scheduled
    order = (
        uow.orders.by_accession(study.institution_id, study.accession_number)
        if study.accession_number
        else None
    )
    if order is not None and order.patient_id == study.patient_id:
        procedures = uow.orders.procedures(order.id)
        fitting = [p for p in procedures if p.modality == study.modality]
        if fitting:
            return order, fitting[0]
        return order, _add_procedure(world, uow, order, study, description)
    # An accession number another patient's order holds cannot be taken over: the study gets its own.
    accession = study.accession_number if study.accession_number and order is None else own_accession(world)
    own = Order(
        uid=world.identifiers.uid(),
        institution_id=study.institution_id,
        consortium_id=study.consortium_id,
        accession_number=accession,
        patient_id=study.patient_id,
        source=OrderSource.STUDY,
        priority=Priority.ROUTINE,
        clinical_history=history,
        created_at=world.clock.now(),
    )
    uow.orders.add(own)
    uow.flush()
    record(world, uow, Kind.ORDER_PLACED, study=study, order=own.uid, source=OrderSource.STUDY.value)
    return own, _add_procedure(world, uow, own, study, description)


def _scheduled(uow: UnitOfWork, study: Study) -> tuple[Order, Procedure] | None:
    """A UID from the worklist names the procedure, unless the machine used it for somebody else."""
    step = uow.steps.by_study_uid(study.institution_id, study.study_instance_uid)
    if step is None:
        return None
    procedure = uow.orders.procedure(step.procedure_id)
    order = uow.orders.get(procedure.order_id)
    return (order, procedure) if order.patient_id == study.patient_id else None


def _add_procedure(world: World, uow: UnitOfWork, order: Order, study: Study, description: str) -> Procedure:
    procedure = Procedure(
        uid=world.identifiers.uid(),
        order_id=order.id,
        institution_id=order.institution_id,
        consortium_id=order.consortium_id,
        modality=study.modality,
        description=description,
        body_part=study.body_part,
    )
    uow.orders.add_procedure(procedure)
    uow.flush()
    return procedure

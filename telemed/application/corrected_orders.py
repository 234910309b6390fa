"""The order of a study that goes to another person: the one that is named, or its own; never somebody else's."""

from telemed.application.modality_worklist import new_dicom_uid
from telemed.application.ordered_studies import order_of_study
from telemed.application.ports import UnitOfWork
from telemed.application.world import World
from telemed.domain.errors import InvalidInput
from telemed.domain.order import Order, OrderSource, Procedure
from telemed.domain.resident import Patient
from telemed.domain.study import Study


def take_along(uow: UnitOfWork, study: Study, target: Patient) -> None:
    """An order that this study made, and that nothing else hangs on, is the right person's as well."""
    if study.procedure_id is None:
        return
    order = uow.orders.get(uow.orders.procedure(study.procedure_id).order_id)
    hanging = sum(uow.corrections.studies_on(one.id) for one in uow.orders.procedures(order.id))
    if order.source is OrderSource.STUDY and hanging == 1:
        order.patient_id, study.accession_number = target.id, order.accession_number


def free_step(world: World, uow: UnitOfWork, study: Study, target: Patient) -> None:
    """A machine used one person's line of its worklist for another: the first is still to be examined."""
    step = uow.steps.by_study_uid(study.institution_id, study.study_instance_uid)
    if step is None:
        return
    order = uow.orders.get(uow.orders.procedure(step.procedure_id).order_id)
    if order.patient_id != target.id:
        step.reopen(new_dicom_uid(world))
        # Only then is it nobody's study any more, in the eyes of the worklist.
        study.procedure_id = None
        uow.flush()


def settle_order(
    world: World, uow: UnitOfWork, study: Study, target: Patient, accession: str
) -> tuple[Order, Procedure]:
    """The order that is named; else one of the study's own. Never another person's."""
    wanted = accession.strip()
    if wanted:
        named = uow.orders.by_accession(study.institution_id, wanted)
        if named is None:
            raise InvalidInput("error.order_unknown", field="accession_number")
        if named.patient_id != target.id:
            raise InvalidInput("error.order_of_other_patient", field="accession_number")
        study.accession_number = wanted
    elif study.accession_number:
        held = uow.orders.by_accession(study.institution_id, study.accession_number)
        if held is not None and held.patient_id != target.id:
            study.accession_number = ""
    order, procedure = order_of_study(world, uow, study, study.description or study.modality)
    study.accession_number = order.accession_number
    return order, procedure

"""Orders as they are placed: by the short form and the API."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from telemed.application.modality_worklist import ANY_TIME, Schedule, schedule_step
from telemed.application.ordered_studies import own_accession
from telemed.application.patients import differing
from telemed.application.ports import UnitOfWork
from telemed.application.record import record
from telemed.application.resident_links import LinkedBy, link
from telemed.application.residents import new_patient, register_resident
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand
from telemed.domain.case import CaseState
from telemed.domain.errors import Conflict, InvalidInput
from telemed.domain.events import Kind
from telemed.domain.order import Order, OrderSource, Priority, Procedure
from telemed.domain.resident import Patient

MODALITIES = ("ECG", "DX", "CR", "CT", "MR", "US")


@dataclass(frozen=True, kw_only=True)
class OrderRequest:
    patient_id: str
    name: str
    sex: str
    birth_date: date | None
    modality: str
    description: str = ""
    body_part: str = ""
    accession_number: str = ""
    id_card_number: str = ""
    priority: Priority = Priority.ROUTINE
    clinical_history: str = ""
    schedule: Schedule = ANY_TIME


def place_order(
    world: World, *, actor: Actor, request: OrderRequest, source: OrderSource
) -> tuple[Order, bool]:
    """Returns the order and whether it is new; the same accession number for the same patient is the same order."""
    demand(actor, Action.ORDER)
    request = replace(request, accession_number=request.accession_number.strip())
    _validate(request, world.clock.now().date())
    with world.unit_of_work() as uow:
        if request.accession_number:
            known = uow.orders.by_accession(actor.institution_id, request.accession_number)
            if known is not None:
                _demand_same_patient(uow, known, request)
                new = _adopt(world, uow, actor, known, request, source)
                uow.commit()
                return known, new
        order = _add(world, uow, actor, request, source)
        uow.commit()
    return order, True


# What a CSV brings is as long as its author liked; these are the columns' lengths.
_LONGEST = {"description": 200, "body_part": 64, "clinical_history": 2000}


def _validate(request: OrderRequest, today: date) -> None:
    for field in ("patient_id", "name"):
        value: str = getattr(request, field)
        if not value.strip():
            raise InvalidInput("error.field_required", field=field)
        if len(value) > 64:
            raise InvalidInput("error.field_too_long", field=field, limit=64)
    # PatientID and AccessionNumber travel in DICOM as LO and SH: a backslash would split them.
    for field, limit in (("patient_id", 64), ("accession_number", 16)):
        value = getattr(request, field)
        if len(value) > limit or "\\" in value or not value.isprintable():
            raise InvalidInput("error.field_not_dicom", field=field, limit=limit)
    for field, limit in _LONGEST.items():
        if len(getattr(request, field)) > limit:
            raise InvalidInput("error.field_too_long", field=field, limit=limit)
    for field in ("name", *_LONGEST):
        value = getattr(request, field)
        if _unwritable(value if field == "name" else re.sub(r"[\r\n\t]", "", value)):
            raise InvalidInput("error.field_invalid", field=field)
    # A day ahead of UTC it is already tomorrow somewhere.
    if request.birth_date is not None and request.birth_date > today + timedelta(days=1):
        raise InvalidInput("error.field_invalid", field="birth_date")
    if request.sex not in ("M", "F", "O", ""):
        raise InvalidInput("error.sex_invalid", field="sex")
    station = request.schedule.station_ae_title
    if len(station) > 16 or "\\" in station or not station.isascii() or not station.isprintable():
        raise InvalidInput("error.ae_title_invalid", field="station_ae_title")
    _validate_code(request.schedule)
    if request.modality not in MODALITIES:
        raise InvalidInput("error.modality_unknown", field="modality", allowed=", ".join(MODALITIES))


# SH, SH and LO of a code sequence (PS3.3 table 8.8-1).
_CODE = {"code_value": 16, "code_scheme": 16, "code_meaning": 64}


def _validate_code(schedule: Schedule) -> None:
    for field, limit in _CODE.items():
        value: str = getattr(schedule, field).strip()
        if len(value) > limit or "\\" in value or not value.isprintable():
            raise InvalidInput("error.field_not_dicom", field=field, limit=limit)
    if (schedule.code_scheme.strip() or schedule.code_meaning.strip()) and not schedule.code_value.strip():
        raise InvalidInput("error.field_required", field="code_value")


def _unwritable(value: str) -> bool:
    """Control characters are no text: neither DICOM nor every database takes them."""
    return any(unicodedata.category(char) in ("Cc", "Cs") for char in value)


def stations(world: World, *, actor: Actor) -> Sequence[str]:
    """The AE titles of the institution's own machines: where an examination may be scheduled."""
    demand(actor, Action.ORDER)
    with world.unit_of_work(write=False) as uow:
        devices = uow.devices.of_consortium(actor.consortium_id)
    own = {d.ae_title for d in devices if d.active and d.institution_id == actor.institution_id}
    return sorted(own)


def _add(world: World, uow: UnitOfWork, actor: Actor, request: OrderRequest, source: OrderSource) -> Order:
    patient = uow.patients.ensure(
        new_patient(
            world,
            institution_id=actor.institution_id,
            consortium_id=actor.consortium_id,
            patient_id=request.patient_id.strip(),
            name=request.name.strip(),
            sex=request.sex,
            birth_date=request.birth_date,
        )
    )
    if fields := differing(patient, name=request.name, birth_date=request.birth_date, sex=request.sex):
        # The next person under a used number: nobody's exam may be filed under somebody else's name.
        raise Conflict("error.patient_id_of_another", patient_id=patient.patient_id, fields=" ".join(fields))
    accession = request.accession_number or own_accession(world)
    _link_resident(world, uow, actor, patient, request, accession)
    order = Order(
        uid=world.identifiers.uid(),
        institution_id=actor.institution_id,
        consortium_id=actor.consortium_id,
        accession_number=accession,
        patient_id=patient.id,
        source=source,
        priority=request.priority,
        clinical_history=request.clinical_history.strip(),
        created_at=world.clock.now(),
        created_by=actor.user_id,
    )
    uow.orders.add(order)
    uow.flush()
    procedure = Procedure(
        uid=world.identifiers.uid(),
        order_id=order.id,
        institution_id=order.institution_id,
        consortium_id=order.consortium_id,
        modality=request.modality,
        description=request.description.strip(),
        body_part=request.body_part.strip(),
    )
    uow.orders.add_procedure(procedure)
    uow.flush()
    schedule_step(world, uow, order, procedure, request.schedule)
    record(world, uow, Kind.ORDER_PLACED, actor=actor, order=order.uid, source=source.value)
    return order


def _demand_same_patient(uow: UnitOfWork, known: Order, request: OrderRequest) -> None:
    if uow.patients.get(known.patient_id).patient_id != request.patient_id.strip():
        raise Conflict("error.accession_taken", accession_number=known.accession_number)


def _adopt(
    world: World, uow: UnitOfWork, actor: Actor, known: Order, request: OrderRequest, source: OrderSource
) -> bool:
    """An order that comes after its study takes the place of the one the study made; True if it did."""
    patient = uow.patients.get(known.patient_id)
    _link_resident(world, uow, actor, patient, request, known.accession_number)
    if known.source is not OrderSource.STUDY:
        return False
    known.source, known.created_by = source, actor.user_id
    known.priority, known.clinical_history = request.priority, request.clinical_history.strip()
    for procedure in uow.orders.procedures(known.id):
        if procedure.modality == request.modality and request.description.strip():
            procedure.description = request.description.strip()
    for case in uow.cases.of_order(known.id):
        if case.state is not CaseState.FINAL and case.raise_to(request.priority, ""):
            record(world, uow, Kind.CASE_RAISED, case=case, priority=int(request.priority), because="order")
    record(world, uow, Kind.ORDER_PLACED, actor=actor, order=known.uid, source=source.value, after_study=True)
    return True


def _link_resident(
    world: World, uow: UnitOfWork, actor: Actor, patient: Patient, request: OrderRequest, accession: str
) -> None:
    """By the card number, where nothing speaks against it; the first link of this patient, never another one."""
    if not request.id_card_number:
        return
    if fields := differing(
        patient,
        name=request.name,
        birth_date=request.birth_date,
        sex=request.sex,
        readings=world.names.pinyin,
    ):
        raise Conflict("error.patient_id_of_another", patient_id=patient.patient_id, fields=" ".join(fields))
    number = request.id_card_number
    # What is left out of the order may stand in what machines sent of this patient.
    resident = register_resident(
        world,
        uow,
        consortium_id=patient.consortium_id,
        number=number,
        name=request.name,
        sex=request.sex or patient.sex,
        birth_date=request.birth_date or patient.birth_date,
    )
    if patient.resident_id is None:
        link(world, uow, patient, resident, by=LinkedBy.ORDER, actor=actor, accession_number=accession)
    elif patient.resident_id != resident.id:
        raise Conflict(
            "error.patient_is_other_resident",
            patient=patient.uid,
            patient_id=patient.patient_id,
            last4=uow.residents.get(patient.resident_id).id_card_last4,
        )

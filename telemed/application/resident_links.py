"""Which resident a patient stands under: every link and every undoing of one, with what follows, is an event."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from telemed.application.critical_telling import tell_first
from telemed.application.jobs import JobKind
from telemed.application.ports import UnitOfWork
from telemed.application.record import record
from telemed.application.taken_back import take_back, tell_readers
from telemed.application.world import World
from telemed.domain.access import Actor
from telemed.domain.case import READABLE
from telemed.domain.events import Kind
from telemed.domain.resident import Patient, Resident


class LinkedBy(StrEnum):
    # A card number in a received object, one in an order, a person on the correction page.
    CARD = "card"
    ORDER = "order"
    PERSON = "person"


@dataclass(frozen=True)
class Undone:
    """What followed: reports taken back from family doctors, and people told by name."""

    reports: int = 0
    told: int = 0


NOTHING = Undone()


def link(
    world: World,
    uow: UnitOfWork,
    patient: Patient,
    resident: Resident,
    *,
    by: LinkedBy,
    actor: Actor | None = None,
    **why: Any,
) -> None:
    """The resident's family doctor receives what is in force already, and what is critical now."""
    now = world.clock.now()
    patient.resident_id, patient.linked_at = resident.id, now
    _record(world, uow, Kind.PATIENT_LINKED, actor, patient, resident, by=by.value, **why)
    uow.flush()
    for report in uow.reports.final_of_patient(patient.id):
        uow.jobs.ask(JobKind.DELIVER_REPORT, report.id, now, now)
    for value in uow.links.critical_of(patient.id):
        if value.released_at is not None and value.closed_at is None:
            tell_first(world, uow, value)


def unlink(world: World, uow: UnitOfWork, actor: Actor, patient: Patient, *, reason: str) -> Undone:
    """Whoever received something as this resident's family doctor sees it no longer, and is told."""
    if patient.resident_id is None:
        return NOTHING
    resident = uow.residents.get(patient.resident_id)
    for case in uow.links.cases_of([patient.id]):
        # A report on its way to somebody is handed out before this, or after it under the new link.
        uow.cases.lock(case.id)
    since = patient.linked_at
    once = world.identifiers.uid()
    told = tell_readers(world, uow, actor, patient, resident, since=since, once=once)
    patient.resident_id = patient.linked_at = None
    uow.flush()
    taken = take_back(world, uow, actor, patient, resident, reason=reason, once=once)
    now = world.clock.now()
    for report in uow.reports.final_of_patient(patient.id):
        # The printed document bears the end of the card number of somebody else.
        report.pdf_sha256 = ""
        uow.jobs.ask(JobKind.DELIVER_REPORT, report.id, now, now)
    _record(
        world,
        uow,
        Kind.PATIENT_UNLINKED,
        actor,
        patient,
        resident,
        reason=reason,
        taken_back=taken.reports,
        opened=taken.opened,
        critical=taken.critical,
    )
    for case in uow.links.cases_of([patient.id]):
        if case.state in READABLE:
            record(world, uow, Kind.CASE_CORRECTED, actor=actor, case=case, unlinked=patient.uid)
    return Undone(reports=len(taken.reports), told=told + taken.told)


def _record(
    world: World,
    uow: UnitOfWork,
    kind: Kind,
    actor: Actor | None,
    patient: Patient,
    resident: Resident,
    **facts: Any,
) -> None:
    record(
        world,
        uow,
        kind,
        actor=actor,
        institution_id=patient.institution_id,
        consortium_id=patient.consortium_id,
        patient=patient.uid,
        resident=resident.uid,
        **facts,
    )

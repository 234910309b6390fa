"""Whose recording it is: the list of doubts, both sides of each, the search for the right person, the decision."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from telemed.application import corrections
from telemed.application.correction import Outcome
from telemed.application.document import exam_name
from telemed.application.patients import contradictions, dicom_date
from telemed.application.ports.corrections import FoundPatient, Mismatch
from telemed.application.reassign import Wish, reassign
from telemed.domain.access import Action
from telemed.domain.correction import DECISIONS, Decision
from telemed.domain.order import Order
from telemed.domain.resident import Patient
from telemed.domain.study import Study, StudyState
from telemed.imaging.header import StudyHeader
from telemed.web.api import convert
from telemed.web.api.shapes import Body, Instant, PriorityName
from telemed.web.context import TheWorld
from telemed.web.guard import guard
from telemed.web.security import CurrentActor

router = APIRouter(tags=["corrections"])


class PersonOut(BaseModel):
    """What tells one person from another; empty where it is not known."""

    patient_id: str
    name: str
    sex: str
    birth_date: date | None
    id_last4: str = ""


class CorrectionOut(BaseModel):
    id: str
    code: str
    text: str
    created_at: Instant
    decided: bool
    # How many recordings this one question is about.
    count: int
    study_instance_uid: str
    modality: str
    exam: str
    accession_number: str
    received_at: Instant
    complete: bool
    filed: PersonOut
    filed_id: str
    # The number was made here, because the recording came without one.
    number_missing: bool
    decisions: list[Decision]


class ReceivedOut(BaseModel):
    sop_instance_uid: str
    person: PersonOut
    accession_number: str
    sha256: str
    size: int
    received_at: Instant


class CorrectionDetail(CorrectionOut):
    # None where the bytes cannot be read now.
    received: ReceivedOut | None
    ordered: PersonOut | None
    differing: list[str]


class CorrectionsOut(BaseModel):
    rows: list[CorrectionOut]


class FoundOrderOut(BaseModel):
    accession_number: str
    modality: str
    description: str
    priority: PriorityName
    created_at: Instant
    performed: bool


class FoundPersonOut(PersonOut):
    id: str
    orders: list[FoundOrderOut]


class PeopleOut(BaseModel):
    people: list[FoundPersonOut]


class RecordingOut(BaseModel):
    sop_instance_uid: str
    instance_number: int | None
    received_at: Instant


class IdentityOut(BaseModel):
    study_instance_uid: str
    modality: str
    exam: str
    accession_number: str
    received_at: Instant
    filed: PersonOut
    filed_id: str
    number_missing: bool
    received: PersonOut | None
    recordings: list[RecordingOut]
    signed: int


class ReassignIn(Body):
    # Whose it was on the page of the one who asks.
    from_patient_id: str = Field(max_length=64)
    patient_id: str = Field(max_length=64)
    accession_number: str = Field("", max_length=64)
    reason: str = Field(max_length=400)
    # One recording alone; the whole study where none is named.
    sop_instance_uid: str = Field("", max_length=64)


class DecisionIn(Body):
    decision: Decision
    reason: str = Field(max_length=400)
    from_patient_id: str = Field("", max_length=64)
    patient_id: str = Field("", max_length=64)
    accession_number: str = Field("", max_length=64)


class OutcomeOut(BaseModel):
    study_instance_uid: str | None
    case_id: str | None
    person: PersonOut | None
    changed: bool
    withdrawn: int
    told: int


@router.get("/corrections", **guard(Action.CORRECT))
def read_all(world: TheWorld, actor: CurrentActor) -> CorrectionsOut:
    found = corrections.open_mismatches(world, actor=actor)
    return CorrectionsOut(rows=[_row(one, actor.language) for one in found])


@router.get("/corrections/{correction_id}", **guard(Action.CORRECT))
def read_one(world: TheWorld, actor: CurrentActor, correction_id: str) -> CorrectionDetail:
    found = corrections.compare(world, actor=actor, uid=correction_id)
    header = found.received.header if found.received else None
    differing = contradictions(world.names, found.mismatch.patient, header) if header else []
    if header and header.patient_id not in ("", found.mismatch.patient.patient_id):
        differing = ["patient_id", *differing]
    received = None
    if found.received and header:
        received = ReceivedOut(
            sop_instance_uid=found.received.stored.sop_instance_uid,
            person=_received_person(header),
            accession_number=header.accession_number,
            sha256=found.received.stored.file_sha256,
            size=found.received.stored.size,
            received_at=found.received.stored.received_at,
        )
    return CorrectionDetail(
        **dict(_row(found.mismatch, actor.language)),
        received=received,
        ordered=person(found.ordered) if found.ordered else None,
        differing=differing,
    )


@router.post("/corrections/{correction_id}/resolve", **guard(Action.CORRECT))
def decide(world: TheWorld, actor: CurrentActor, correction_id: str, body: DecisionIn) -> OutcomeOut:
    wish = Wish(**body.model_dump(exclude={"decision"})) if body.patient_id else None
    outcome = corrections.decide(
        world, actor=actor, uid=correction_id, decision=body.decision, reason=body.reason, wish=wish
    )
    return _outcome(outcome)


@router.get("/patients", **guard(Action.CORRECT))
def find_people(
    world: TheWorld,
    actor: CurrentActor,
    q: Annotated[str, Query(max_length=64, description="number, characters, pinyin or initials")] = "",
) -> PeopleOut:
    found = corrections.find_people(world, actor=actor, text=q)
    return PeopleOut(people=[_found(one) for one in found])


@router.get("/studies/{study_instance_uid}/identity", **guard(Action.CORRECT))
def read_identity(world: TheWorld, actor: CurrentActor, study_instance_uid: str) -> IdentityOut:
    found = corrections.identity_of(world, actor=actor, study_instance_uid=study_instance_uid)
    headers = [one.header for one in found.recordings if one.header is not None]
    return IdentityOut(
        **_study(found.study, None, "", actor.language),
        filed=person(found.patient, found.id_last4),
        filed_id=found.patient.uid,
        number_missing=corrections.unknown_number(found.study, found.patient),
        received=_received_person(headers[0]) if headers else None,
        recordings=[
            RecordingOut(
                sop_instance_uid=one.stored.sop_instance_uid,
                instance_number=one.stored.instance_number,
                received_at=one.stored.received_at,
            )
            for one in found.recordings
        ],
        signed=found.signed,
    )


@router.post("/studies/{study_instance_uid}/reassign", **guard(Action.CORRECT))
def reassign_study(
    world: TheWorld, actor: CurrentActor, study_instance_uid: str, body: ReassignIn
) -> OutcomeOut:
    """The study, or one recording of it, to the person it was made of. The same again changes nothing."""
    outcome = reassign(
        world,
        actor=actor,
        study_instance_uid=study_instance_uid,
        wish=Wish(**body.model_dump(exclude={"sop_instance_uid"})),
        sop_instance_uid=body.sop_instance_uid,
    )
    return _outcome(outcome)


def _row(found: Mismatch, language: str) -> CorrectionOut:
    notice = found.first
    said = convert.notice(notice, language)
    return CorrectionOut(
        id=notice.uid,
        code=notice.code,
        text=said.text,
        created_at=notice.created_at,
        decided=notice.resolved_at is not None,
        count=len(found.notices),
        complete=found.study.state is StudyState.COMPLETE,
        filed=person(found.patient, found.id_last4),
        filed_id=found.patient.uid,
        number_missing=corrections.unknown_number(found.study, found.patient),
        decisions=list(DECISIONS[notice.code]),
        **_study(found.study, found.order, found.exam, language),
    )


def _study(study: Study, order: Order | None, exam: str, language: str) -> dict[str, Any]:
    return {
        "study_instance_uid": study.study_instance_uid,
        "modality": study.modality,
        "exam": exam_name(study, exam or study.description, language),
        "accession_number": order.accession_number if order else study.accession_number,
        "received_at": study.first_object_at,
    }


def person(found: Patient, last4: str = "") -> PersonOut:
    return PersonOut(
        patient_id=found.patient_id,
        name=found.name,
        sex=found.sex,
        birth_date=found.birth_date,
        id_last4=last4,
    )


def _received_person(header: StudyHeader) -> PersonOut:
    return PersonOut(
        patient_id=header.patient_id,
        name=header.patient_name.display,
        sex=header.sex,
        birth_date=dicom_date(header.birth_date),
    )


def _found(one: FoundPatient) -> FoundPersonOut:
    return FoundPersonOut(
        **dict(person(one.patient, one.id_last4)),
        id=one.patient.uid,
        orders=[
            FoundOrderOut(
                accession_number=held.order.accession_number,
                modality=held.procedure.modality,
                description=held.procedure.description,
                priority=convert.priority(held.order.priority),
                created_at=held.order.created_at,
                performed=held.performed,
            )
            for held in one.orders
        ],
    )


def _outcome(outcome: Outcome | None) -> OutcomeOut:
    if outcome is None:
        return OutcomeOut(
            study_instance_uid=None, case_id=None, person=None, changed=False, withdrawn=0, told=0
        )
    return OutcomeOut(
        study_instance_uid=outcome.study.study_instance_uid,
        case_id=outcome.case_uid or None,
        person=person(outcome.patient),
        changed=outcome.changed,
        withdrawn=outcome.withdrawn,
        told=outcome.told,
    )

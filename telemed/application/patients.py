"""The local patient identity behind a received object: the institution's own number, never the name."""

import re
from collections.abc import Callable, Iterable
from datetime import date

from telemed.application.ports import NameReadings, UnitOfWork
from telemed.application.resident_links import LinkedBy, link
from telemed.application.residents import new_patient, resident_of_card
from telemed.application.world import World
from telemed.domain.resident import Patient, Resident, foreign_issuer, is_id_card_number
from telemed.domain.same_name import names_differ
from telemed.imaging.header import StudyHeader

# The columns' lengths; PatientID is LO in DICOM: 64 as well.
_ID_LENGTH, _NAME_LENGTH, _PINYIN_LENGTH, _INITIALS_LENGTH = 64, 324, 400, 64


def local_id(header: StudyHeader) -> str:
    """The PatientID, or one that only this study has: unknown people are never lumped together."""
    return header.patient_id[:_ID_LENGTH] or surrogate_id(header.study_instance_uid)


def surrogate_id(study_instance_uid: str) -> str:
    # A UID has at most 64 characters: cut on the left, where all UIDs of one device are alike.
    return ("?" + study_instance_uid[-(_ID_LENGTH - 1) :]) if study_instance_uid else "?"


def issuer_of(header: StudyHeader, own: Iterable[str]) -> str:
    """Of the header's patient number; "" where it is the receiving institution, which is known under `own` names."""
    return foreign_issuer(header.issuer, own)[:_ID_LENGTH] if header.patient_id else ""


def is_surrogate(patient: Patient, study_instance_uid: str) -> bool:
    return patient.patient_id == surrogate_id(study_instance_uid)


def patient_of(
    world: World, *, header: StudyHeader, institution_id: int, consortium_id: int, issuer: str
) -> Patient:
    """Whom the header names, as somebody not seen before."""
    fresh = new_patient(
        world,
        institution_id=institution_id,
        consortium_id=consortium_id,
        patient_id=local_id(header),
        name=header.patient_name.display[:_NAME_LENGTH],
        sex=_sex(header),
        birth_date=dicom_date(header.birth_date),
    )
    fresh.issuer = issuer
    fresh.name_pinyin = fresh.name_pinyin[:_PINYIN_LENGTH]
    fresh.name_initials = fresh.name_initials[:_INITIALS_LENGTH]
    return fresh


def contradictions(names: NameReadings, person: Patient | Resident, header: StudyHeader) -> list[str]:
    """Which details of the object speak against its being this person: the next one under a used number."""
    return differing(
        person,
        name=header.patient_name.display,
        birth_date=dicom_date(header.birth_date),
        sex=_sex(header),
        readings=names.pinyin,
    )


def differing(
    person: Patient | Resident,
    *,
    name: str,
    birth_date: date | None,
    sex: str,
    readings: Callable[[str], str] | None = None,
) -> list[str]:
    """Only what cannot be another spelling of the same."""
    found = []
    if names_differ(person.name, name, readings):
        found.append("name")
    if birth_date is not None and person.birth_date is not None and birth_date != person.birth_date:
        found.append("birth_date")
    if {sex, person.sex} == {"M", "F"}:
        found.append("sex")
    return found


def dicom_date(value: str) -> date | None:
    """A DICOM DA, or the old form with dots; None for anything else: no date is invented."""
    digits = value.replace(".", "") if re.fullmatch(r"\d{4}\.\d{2}\.\d{2}", value) else value
    if not re.fullmatch(r"[0-9]{8}", digits):
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def link_by_card(world: World, uow: UnitOfWork, header: StudyHeader, patient: Patient) -> None:
    """A card number in PatientID or OtherPatientIDs names a registered person.

    Nobody is linked who may be somebody else: neither the patient, where the number was used again, nor the
    holder of the card, where somebody else's was shown.
    """
    cards = [number for number in (header.patient_id, *header.other_patient_ids) if is_id_card_number(number)]
    if not cards or contradictions(world.names, patient, header):
        return
    for number in cards:
        resident = resident_of_card(world, uow, consortium_id=patient.consortium_id, number=number)
        if resident is not None and not contradictions(world.names, resident, header):
            link(world, uow, patient, resident, by=LinkedBy.CARD, sop_instance_uid=header.sop_instance_uid)
            return


def _sex(header: StudyHeader) -> str:
    return header.sex if header.sex in ("M", "F", "O") else ""

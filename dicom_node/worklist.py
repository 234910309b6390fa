"""Modality Worklist: the open steps of the machine's institution, as one C-FIND answer each (PS3.4 annex K)."""

from collections.abc import Iterator, Sequence

from dicom_node.find import Matches
from dicom_node.identifiers import Known, Request, answer, person_name, tag_of
from telemed.application.modality_worklist import MOST_STEPS, WorklistDesk, local_start
from telemed.application.ports.dicom import StepQuery, WorklistEntry
from telemed.application.world import World
from telemed.dimse.identifier import Elements
from telemed.domain.matching import (
    date_criterion,
    name_criterion,
    text_criterion,
    time_criterion,
    uid_criterion,
)
from telemed.domain.order import Priority
from telemed.domain.people import Device

STEP = "ScheduledProcedureStepSequence"
_PRIORITY = {Priority.STAT: "STAT", Priority.URGENT: "HIGH", Priority.ROUTINE: "ROUTINE"}
# What is matched, as paths of keywords; a value in any other key is answered, not matched.
MATCHED = (
    ("PatientName",),
    ("PatientID",),
    ("AccessionNumber",),
    ("RequestedProcedureID",),
    ("StudyInstanceUID",),
    (STEP, "ScheduledStationAETitle"),
    (STEP, "ScheduledProcedureStepStartDate"),
    (STEP, "ScheduledProcedureStepStartTime"),
    (STEP, "ScheduledProcedureStepID"),
    (STEP, "Modality"),
)
_MATCHED_PATHS = frozenset(tuple(map(tag_of, path)) for path in MATCHED)


def find_steps(world: World, desk: WorklistDesk, device: Device, asked: Request) -> Matches:
    """Raises InvalidInput for a date or time that is none."""
    found = desk.open_steps(
        device=device,
        query=StepQuery(
            name=name_criterion(asked.value("PatientName")),
            patient_id=text_criterion(asked.values("PatientID")),
            accession_number=text_criterion(asked.values("AccessionNumber")),
            procedure_id=text_criterion(asked.values("RequestedProcedureID")),
            study_instance_uid=uid_criterion(asked.values("StudyInstanceUID")),
            step_id=text_criterion(asked.values("ScheduledProcedureStepID", STEP)),
            modality=text_criterion(asked.values("Modality", STEP)),
            station=text_criterion(asked.values("ScheduledStationAETitle", STEP)),
        ),
        dates=date_criterion(asked.value("ScheduledProcedureStepStartDate", STEP)),
        times=time_criterion(asked.value("ScheduledProcedureStepStartTime", STEP)),
    )
    # The set the machine declared is itself a value, and no key.
    ignored = {path for path in asked.matching() if path != (tag_of("SpecificCharacterSet"),)}
    return Matches(
        _answers(world, device, asked, found),
        some_keys_ignored=bool(ignored - _MATCHED_PATHS),
        limited=len(found) >= MOST_STEPS,
    )


def _answers(
    world: World, device: Device, asked: Request, found: Sequence[WorklistEntry]
) -> Iterator[Elements]:
    for entry in found:
        yield answer(asked, known_of(world, device, entry), latin=world.names.latin)


def known_of(world: World, device: Device, entry: WorklistEntry) -> Known:
    """Everything a step is known by."""
    step, patient, order, procedure = entry.step, entry.patient, entry.order, entry.procedure
    start = local_start(entry)
    described = (procedure.description or step.code_meaning or procedure.body_part or step.modality)[:64]
    codes: list[Known] = []
    if step.code_value:
        codes.append(
            {
                "CodeValue": step.code_value,
                "CodingSchemeDesignator": step.code_scheme or "99LOCAL",
                "CodeMeaning": step.code_meaning or described,
            }
        )
    requested_by = person_name(entry.requested_by, world.names.alphabetic(entry.requested_by))
    scheduled: Known = {
        # Whoever asks first may do what no station was named for.
        "ScheduledStationAETitle": step.station_ae_title or device.ae_title,
        "ScheduledProcedureStepStartDate": f"{start:%Y%m%d}",
        "ScheduledProcedureStepStartTime": f"{start:%H%M%S}",
        "Modality": step.modality,
        "ScheduledPerformingPhysicianName": "",
        "ScheduledProcedureStepDescription": described,
        "ScheduledProtocolCodeSequence": codes,
        "ScheduledStationName": "",
        "ScheduledProcedureStepLocation": entry.institution.code[:16],
        "ScheduledProcedureStepID": step.step_id,
        "ScheduledProcedureStepStatus": "SCHEDULED",
    }
    return {
        STEP: [scheduled],
        "RequestedProcedureID": step.step_id,
        "RequestedProcedureDescription": described,
        "RequestedProcedureCodeSequence": codes,
        "RequestedProcedurePriority": _PRIORITY[order.priority],
        "StudyInstanceUID": step.study_instance_uid,
        "AccessionNumber": order.accession_number[:16],
        "RequestingPhysician": requested_by,
        "ReferringPhysicianName": requested_by,
        "InstitutionName": entry.institution.name[:64],
        "RequestingService": entry.institution.name[:64],
        "PatientName": person_name(patient.name, world.names.alphabetic(patient.name)),
        "PatientID": patient.patient_id,
        "IssuerOfPatientID": entry.institution.code,
        "PatientBirthDate": f"{patient.birth_date:%Y%m%d}" if patient.birth_date else "",
        "PatientSex": patient.sex,
        "BodyPartExamined": procedure.body_part[:16],
        "ReasonForTheRequestedProcedure": order.clinical_history[:64],
        "AdditionalPatientHistory": order.clinical_history[:10_240],
    }

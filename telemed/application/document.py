"""Sets together what a signed report prints, from the rows of its case."""

from zoneinfo import ZoneInfo

from telemed.application.key_images import printed_key_images
from telemed.application.ports import UnitOfWork
from telemed.application.ports.worklist import Taken
from telemed.application.world import World
from telemed.domain.case import Case
from telemed.domain.document import ReportDocument
from telemed.domain.report import Report
from telemed.domain.resident import Patient, age_on
from telemed.domain.study import Study
from telemed.i18n import text


def report_document(
    world: World, uow: UnitOfWork, case: Case, report: Report, *, language: str, signer_id: int | None = None
) -> ReportDocument:
    """`signer_id` stands in for a signature that is about to be given, so that it can be checked before."""
    study = uow.studies.get(case.study_id)
    patient = uow.patients.get(case.patient_id)
    procedure = uow.orders.procedure(case.procedure_id)
    order = uow.orders.get(procedure.order_id)
    applicant = uow.institutions.get(case.institution_id)
    reporting = uow.institutions.get(case.reporting_institution_id or case.institution_id)
    consortium = uow.institutions.get(case.consortium_id)
    resident = uow.residents.get(patient.resident_id) if patient.resident_id else None
    signer = report.signed_by or signer_id
    return ReportDocument(
        language=language,
        zone=ZoneInfo(applicant.time_zone),
        consortium_name=consortium.name,
        reporting_institution=reporting.name,
        applicant_institution=applicant.name,
        exam=exam_name(study, procedure.description, language),
        accession_number=order.accession_number,
        version=report.number,
        state=report.state.value,
        critical=report.critical,
        patient_name=patient.name,
        sex=patient.sex,
        age=age_text(patient, study, language, ZoneInfo(applicant.time_zone)),
        patient_id=patient.patient_id,
        id_last4=resident.id_card_last4 if resident else "",
        examined_at=study.first_object_at,
        method=text(f"modality.{study.modality}", language) if study.modality in _KNOWN else study.modality,
        clinical_history=order.clinical_history,
        findings=report.findings,
        impression=report.impression,
        recommendation=report.recommendation,
        picture_notes=tuple(one.note for one in printed_key_images(uow, case)),
        reporting_doctor=uow.users.get(signer).display_name if signer else "",
        reviewing_doctor=uow.users.get(report.reviewed_by).display_name if report.reviewed_by else "",
        signed_at=report.signed_at,
        reviewed_at=report.reviewed_at,
        ai_note=_ai_note(uow, case, language),
        verification_code=report.verification_code,
        verification_url=f"{world.public_url}/verify/{report.verification_code}" if world.public_url else "",
    )


_KNOWN = ("ECG", "DX", "CR", "CT", "MR", "US")


def exam_name(study: Taken, description: str, language: str) -> str:
    if description and description != study.modality:
        return description
    return text(f"modality.{study.modality}", language) if study.modality in _KNOWN else study.modality


def age_text(patient: Patient, study: Study, language: str, zone: ZoneInfo) -> str:
    """On the day of the exam where it was made: in China a new day begins eight hours before it does in UTC."""
    if patient.birth_date is None:
        return ""
    number, unit = age_on(patient.birth_date, study.first_object_at.astimezone(zone).date())
    return text(f"age.{unit}", language, number=number)


def _ai_note(uow: UnitOfWork, case: Case, language: str) -> str:
    """How the machine took part: its models by name and version, or nothing where none answered."""
    models = {f"{a.model_name} {a.model_version}" for a in uow.analyses.of_case(case.id) if a.in_domain}
    if not models:
        return ""
    return text("document.ai_note", language, models=", ".join(sorted(models)))

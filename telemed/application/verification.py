"""A printed report is checked by its code: is it ours, is it unchanged, is it still in force."""

from dataclasses import dataclass
from datetime import datetime

from telemed.application.document import exam_name
from telemed.application.world import World
from telemed.domain.report import IN_FORCE


@dataclass(frozen=True, kw_only=True)
class Verified:
    """Enough to compare with the paper in one's hand, and not enough to learn whose it is."""

    version: int
    state: str
    exam: str
    patient_masked: str
    reporting_institution: str
    applicant_institution: str
    signed_at: datetime | None
    reviewed_at: datetime | None
    released_at: datetime | None
    critical: bool
    content_sha256: str
    superseded_by: int | None
    withdrawn_at: datetime | None = None


def verified(world: World, *, code: str, language: str) -> Verified | None:
    with world.unit_of_work(write=False) as uow:
        report = uow.reports.by_verification_code(code)
        if report is None:
            return None
        case = uow.cases.get(report.case_id)
        study = uow.studies.get(case.study_id)
        reporting = uow.institutions.get(case.reporting_institution_id or case.institution_id)
        applicant = uow.institutions.get(case.institution_id)
        released = [r.number for r in uow.reports.of_case(case.id) if r.state in IN_FORCE]
        # A version whose content no longer gives its digest is not confirmed.
        if report.digest() != report.content_sha256:
            return None
        description = uow.orders.procedure(case.procedure_id).description
        return Verified(
            version=report.number,
            state=report.state.value,
            exam=exam_name(study, description or study.description, language),
            patient_masked=masked(uow.patients.get(case.patient_id).name),
            reporting_institution=_name(reporting.name, reporting.name_en, language),
            applicant_institution=_name(applicant.name, applicant.name_en, language),
            signed_at=report.signed_at,
            reviewed_at=report.reviewed_at,
            released_at=report.released_at,
            critical=report.critical,
            content_sha256=report.content_sha256,
            superseded_by=max((n for n in released if n > report.number), default=None),
            withdrawn_at=report.withdrawn_at,
        )


def masked(name: str) -> str:
    """The family name's first character; a star for each other, so that the length can be compared."""
    return name[:1] + "*" * (len(name) - 1)


def _name(name: str, english: str, language: str) -> str:
    return english if language == "en" and english else name

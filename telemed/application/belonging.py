"""Whether a received object belongs to whom its study is filed under: asked only where its number differs."""

import hashlib

from telemed.application.ports import UnitOfWork
from telemed.domain.correction import accepted_numbers
from telemed.domain.study import Study


def expected_here(uow: UnitOfWork, study: Study, patient_id: str) -> bool:
    """A number that a person has decided about: machines go on sending a reassigned study under the old one."""
    made = uow.corrections.of_study(study.id)
    return patient_id[:64] in accepted_numbers(study.id, "", made)


def claim_of(patient_id: str, issuer: str) -> str:
    """What tells one foreign number from another, in a place where the number itself must not stand."""
    told = f"{patient_id}\\{issuer}" if issuer else patient_id
    return hashlib.sha256(told.encode()).hexdigest()[:16]

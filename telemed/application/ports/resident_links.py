"""What linking a patient to a resident, and undoing it, needs from the world."""

from collections.abc import Sequence
from typing import Protocol

from telemed.domain.case import Case
from telemed.domain.critical import CriticalValue
from telemed.domain.delivery import Delivery
from telemed.domain.resident import Patient


class ResidentLinks(Protocol):
    def patient(self, institution_id: int, uid: str) -> Patient | None:
        """One of this institution's own."""

    def patients_of(self, resident_id: int) -> Sequence[Patient]:
        """Every local identity of the resident, at any institution."""

    def cases_of(self, patient_ids: Sequence[int]) -> Sequence[Case]: ...
    def doctors_copies(self, patient_id: int) -> Sequence[Delivery]:
        """Reports of this patient that a family doctor has, and that were not taken back."""

    def critical_of(self, patient_id: int) -> Sequence[CriticalValue]:
        """What was raised of this patient and not withdrawn; what was done with too."""

    def in_use(self, resident_id: int) -> bool:
        """Whether a patient stands under the resident, or a contract names them."""

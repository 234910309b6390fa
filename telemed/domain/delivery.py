"""Who receives a report: always the institution that asked, and the family doctor of that day."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from telemed.domain.resident import Contract


class RecipientKind(StrEnum):
    INSTITUTION = "institution"
    FAMILY_DOCTOR = "family_doctor"


@dataclass(frozen=True)
class Recipient:
    kind: RecipientKind
    institution_id: int
    user_id: int | None


@dataclass(eq=False, kw_only=True)
class Delivery:
    uid: str
    report_id: int
    case_id: int
    consortium_id: int
    kind: RecipientKind
    institution_id: int
    user_id: int | None
    # "institution:<id>" or "user:<id>": one copy per report and recipient.
    recipient_key: str
    created_at: datetime
    opened_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: int | None = None
    # The patient stood under a resident who is somebody else: this doctor sees the report no longer.
    taken_back_at: datetime | None = None
    id: int = field(init=False)
    version: int = field(init=False)

    def take_back(self, now: datetime) -> None:
        if self.taken_back_at is None:
            self.taken_back_at = now

    def hand_out_again(self) -> None:
        """To one whose resident it is after all. What they did with it then, they did about somebody else."""
        if self.taken_back_at is not None:
            self.taken_back_at = self.opened_at = self.acknowledged_at = self.acknowledged_by = None


def recipient_key(recipient: Recipient) -> str:
    if recipient.user_id is None:
        return f"institution:{recipient.institution_id}"
    return f"user:{recipient.user_id}"


def recipients(applicant_institution_id: int, contracts: Sequence[Contract], day: date) -> list[Recipient]:
    """Never empty: the institution that asked comes first; then each family doctor whose contract is valid."""
    found = [Recipient(RecipientKind.INSTITUTION, applicant_institution_id, None)]
    for contract in contracts:
        if contract.valid_on(day):
            doctor = Recipient(
                RecipientKind.FAMILY_DOCTOR, contract.institution_id, contract.family_doctor_id
            )
            if doctor not in found:
                found.append(doctor)
    return found

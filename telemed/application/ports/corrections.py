"""What correcting an identity needs from the world, beside `telemed.application.ports`."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from telemed.domain.access import Actor
from telemed.domain.case import Case
from telemed.domain.correction import Reassignment
from telemed.domain.critical import CriticalAlert, CriticalValue
from telemed.domain.notice import Notice
from telemed.domain.order import Order, Procedure
from telemed.domain.resident import Patient
from telemed.domain.study import StoredObject, Study


@dataclass(frozen=True, kw_only=True)
class FoundPatient:
    """A person of the institution as a search shows them, with what was ordered for them."""

    patient: Patient
    id_last4: str
    orders: Sequence["FoundOrder"]


@dataclass(frozen=True, kw_only=True)
class FoundOrder:
    order: Order
    procedure: Procedure
    # Whether a study hangs on it already.
    performed: bool


@dataclass(frozen=True, kw_only=True)
class Mismatch:
    """Open notices of one doubt: one study, one kind, one other person."""

    notices: Sequence[Notice]
    study: Study
    patient: Patient
    id_last4: str
    order: Order | None
    exam: str

    @property
    def first(self) -> Notice:
        return self.notices[0]


@dataclass(frozen=True, kw_only=True)
class About:
    """Whom a notice to one person is about, and which case it leads to."""

    patient: Patient
    case_uid: str


class Corrections(Protocol):
    def add(self, made: Reassignment) -> None: ...
    def of_study(self, study_id: int) -> Sequence[Reassignment]:
        """Those that led into a study or out of it, oldest first."""

    def corrected(self, study_ids: Collection[int]) -> frozenset[int]:
        """Which of these studies are filed under another person than their bytes say."""

    def search(self, institution_id: int, text: str, limit: int) -> Sequence[FoundPatient]:
        """Persons of one institution by number, characters, pinyin or initials; the best fit first."""

    def mismatches(self, actor: Actor, codes: Collection[str], limit: int) -> Sequence[Mismatch]: ...
    def mismatch(self, actor: Actor, codes: Collection[str], uid: str) -> Mismatch | None:
        """The doubt that a notice belongs to, open or decided."""

    def objects_of(self, study_id: int) -> Sequence[StoredObject]:
        """Of every role, in series and instance order."""

    def openers(self, case_ids: Collection[int], study_id: int) -> frozenset[int]:
        """Everyone (by user id) who did anything with these cases: read, wrote, signed, opened, acknowledged.

        And whoever looked at objects of the study, with any viewer, since it was last reassigned as a whole.
        """

    def studies_on(self, procedure_id: int) -> int: ...
    def carry_analyses(
        self, old: Case, new: Case, uids: Sequence[str], *, sop_instance_uids: Collection[str], keep: bool
    ) -> int:
        """What machines said of these objects goes with them; `keep` leaves the old case its own copy.

        `uids` are fresh identifiers for copies, at least as many as there are rows. Returns how many went.
        """

    def count_analyses(self, case_id: int) -> int: ...
    def critical_said(self, case_id: int) -> Sequence[CriticalValue]:
        """All that was raised of a case and not withdrawn, oldest first; what was done with too."""

    def alerts_of(self, critical_value_id: int) -> Sequence[CriticalAlert]:
        """Whom a critical value was told to, by name or as an institution."""

    def about(self, notices: Sequence[Notice]) -> dict[int, About]:
        """By the notice's id, for those that name a case."""

"""What the list, the search in it and a person's earlier exams ask of the database."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple, Protocol

from telemed.domain.access import Actor
from telemed.domain.case import Case
from telemed.domain.order import OrderSource
from telemed.domain.people import Institution
from telemed.domain.report import Report
from telemed.domain.study import Study


class Examined(Protocol):
    """A person, as far as a page has to name them: a patient, or what a row of the list holds of one."""

    @property
    def patient_id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def sex(self) -> str: ...
    @property
    def birth_date(self) -> date | None: ...


class Taken(Protocol):
    """An exam, as far as a page has to name it."""

    @property
    def modality(self) -> str: ...
    @property
    def first_object_at(self) -> datetime: ...


class ListedPatient(NamedTuple):
    patient_id: str
    name: str
    sex: str
    birth_date: date | None


class ListedStudy(NamedTuple):
    study_instance_uid: str
    modality: str
    description: str
    body_part: str
    first_object_at: datetime


class ListedOrder(NamedTuple):
    accession_number: str
    clinical_history: str
    source: OrderSource


class ListedSite(NamedTuple):
    uid: str
    name: str
    name_en: str
    time_zone: str


@dataclass(frozen=True, kw_only=True)
class WorklistRow:
    """A case with what a glance at it needs of everything around it: half of what those rows hold."""

    case: Case
    patient: ListedPatient
    study: ListedStudy
    order: ListedOrder
    institution: ListedSite
    holder_name: str
    id_last4: str
    flags: tuple[str, ...]
    # What was asked for, in the words of the order.
    exam: str = ""
    # Earlier exams of this person by the same modality that this reader may see, and the newest of them.
    priors: int = 0
    prior_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class WorklistPage:
    rows: Sequence[WorklistRow]
    next_cursor: str | None
    # A search that matched too many names looked only so far back.
    partial: bool = False


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Cuts a view further. Empty means everything."""

    modality: str = ""
    # The uid of the institution that made the exam.
    site: str = ""


EVERYTHING = Filter()


@dataclass(frozen=True, kw_only=True)
class Sought:
    """What was typed, as the database looks for it."""

    # As names are kept; "" where it cannot be a name.
    name: str = ""
    # A local patient number, an accession number or the end of a card number; "" where it cannot be one.
    number: str = ""
    # The keyed hash of a whole card number.
    card_hash: str = ""


@dataclass(frozen=True, kw_only=True)
class Prior:
    case: Case
    study: Study
    institution: Institution
    exam: str
    # What is in force of it.
    report: Report | None


@dataclass(frozen=True, kw_only=True)
class RepeatRate:
    site: str
    # AE title; "" where it came by a browser.
    device: str
    exams: int
    # How often each reason was given.
    reasons: Mapping[str, int]

    @property
    def repeats(self) -> int:
        return sum(self.reasons.values())


class Worklists(Protocol):
    def open_repeats(self, institution_id: int, patient_id: int, modality: str) -> Sequence[Case]:
        """What this site is asked to make again of this person."""

    def repeats_answered_by(self, study_id: int) -> Sequence[Case]: ...
    def repeat_rates(self, consortium_id: int, since: datetime) -> Sequence[RepeatRate]: ...
    def worklist(
        self,
        actor: Actor,
        view: str,
        cursor: str | None,
        limit: int,
        now: datetime,
        only: Filter = ...,
    ) -> WorklistPage:
        """Raises InvalidInput for an unknown view and a cursor that none of its pages gave."""

    def search(self, actor: Actor, sought: Sought, cursor: str | None, limit: int) -> WorklistPage:
        """All visible cases of whoever is meant, the newest first."""

    def duty_places(self, user_id: int, consortium_id: int, now: datetime) -> Sequence[int]:
        """The institutions of this consortium for whose reading groups this person is on duty."""

    def row(self, actor: Actor, uid: str) -> WorklistRow | None: ...
    def rows_of(self, actor: Actor, case_ids: Sequence[int]) -> Sequence[WorklistRow]: ...
    def uids(self, case_ids: Collection[int]) -> frozenset[str]:
        """For those who were shown them before."""

    def counts(self, actor: Actor, now: datetime) -> dict[str, int]:
        """Of each counted view; `COUNT_LIMIT` + 1 means "more than that"."""

    def held(self, user_ids: Collection[int]) -> Mapping[int, int]:
        """How many unread cases each of these people holds."""

    def priors(self, actor: Actor, case: Case, limit: int) -> Sequence[Prior]:
        """Other cases of the same person, the newest first."""

"""Ports of the DICOM services: worklist steps, remote nodes, queues, the query index, and calling others."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from telemed.dimse.pdu import Pieces
from telemed.domain.access import Actor
from telemed.domain.exchange import CommitmentRequest, ForwardItem, ForwardRule, ForwardState, RemoteNode
from telemed.domain.matching import Criterion, NamePattern, OneOf
from telemed.domain.order import Order, Procedure
from telemed.domain.people import Device, Institution
from telemed.domain.resident import Patient
from telemed.domain.scheduling import PerformedStep, ScheduledStep
from telemed.domain.study import StoredObject, Study

# --- worklist and performed steps --------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class StepQuery:
    """What a machine asks for; None is any. `station` also finds the steps that no station was named for."""

    name: NamePattern | None = None
    patient_id: Criterion | None = None
    accession_number: Criterion | None = None
    study_instance_uid: OneOf | None = None
    step_id: Criterion | None = None
    procedure_id: Criterion | None = None
    modality: Criterion | None = None
    station: Criterion | None = None
    # Half open, in UTC: the days asked for, in the zone of the institution.
    since: datetime | None = None
    before: datetime | None = None

    @property
    def is_broad(self) -> bool:
        """Names no order, person or day: it asks for what is to be done now."""
        named = (self.name, self.patient_id, self.accession_number, self.study_instance_uid, self.step_id)
        return not any((*named, self.procedure_id, self.since, self.before))


@dataclass(frozen=True, kw_only=True)
class WorklistEntry:
    step: ScheduledStep
    procedure: Procedure
    order: Order
    patient: Patient
    institution: Institution
    requested_by: str


class Steps(Protocol):
    def add(self, step: ScheduledStep) -> None: ...
    def get(self, step_id: int) -> ScheduledStep: ...
    def of_procedure(self, procedure_id: int) -> ScheduledStep | None: ...
    def by_step_id(self, institution_id: int, step_id: str) -> ScheduledStep | None: ...
    def by_study_uid(self, institution_id: int, study_instance_uid: str) -> ScheduledStep | None: ...
    def open_for(
        self, device: Device, query: StepQuery, limit: int, now: datetime
    ) -> Sequence[WorklistEntry]:
        """Steps of the device's institution that wait to be performed: the nearest to now, by their time.

        Those that were begun long ago and never ended wait again. A query that names no station finds none that
        another registered machine of the institution is to do; a broad one finds none of long ago.
        """

    def performed(self, institution_id: int, sop_instance_uid: str) -> PerformedStep | None: ...
    def performed_of_studies(
        self, institution_id: int, study_instance_uids: Sequence[str]
    ) -> Sequence[PerformedStep]: ...
    def ensure_performed(self, performed: PerformedStep) -> bool:
        """False where there is one already under its UID."""


# --- queries -----------------------------------------------------------------------------------------------


class Level(StrEnum):
    PATIENT = "PATIENT"
    STUDY = "STUDY"
    SERIES = "SERIES"
    IMAGE = "IMAGE"


@dataclass(frozen=True, kw_only=True)
class ObjectQuery:
    """Keys by their DICOM keyword; those not known here are never in it. `wanted` are the keys to be answered."""

    level: Level
    name: NamePattern | None = None
    keys: Mapping[str, Criterion] = field(default_factory=dict)
    wanted: frozenset[str] = frozenset()


# A row of an answer: DICOM keyword -> text (numbers and lists written as DICOM writes them).
IndexRow = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Retrievable:
    """One object that a device may have, in every form in which it is held; the primary first."""

    study: Study
    forms: tuple[StoredObject, ...]
    # Of the patient's number, where another than the institution gave it out.
    issuer: str = ""

    @property
    def sop_class_uid(self) -> str:
        return self.forms[0].sop_class_uid

    @property
    def sop_instance_uid(self) -> str:
        return self.forms[0].sop_instance_uid


class ObjectIndex(Protocol):
    """Selects within what a device (its institution's studies, and those it reads) or a person may see."""

    def find(self, device: Device, query: ObjectQuery, limit: int) -> Sequence[IndexRow]:
        """So many that fit; none that fits is left out for one that does not."""

    def seen(self, actor: Actor, query: ObjectQuery, offset: int, limit: int) -> Sequence[IndexRow]:
        """What a person may see, newest studies first: study, series or image level."""

    def retrievable(self, device: Device, keys: Mapping[str, OneOf]) -> Sequence[Retrievable]:
        """`keys`: any of PatientID, IssuerOfPatientID, StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID."""


# --- others ------------------------------------------------------------------------------------------------


class RemoteNodes(Protocol):
    def get(self, node_id: int) -> RemoteNode: ...
    def by_ae_title(self, institution_id: int, ae_title: str) -> RemoteNode | None:
        """An active node registered for this institution."""

    def titled(self, institution_id: int, ae_title: str) -> RemoteNode | None:
        """As `by_ae_title`, active or not."""

    def by_uid(self, uid: str) -> RemoteNode | None: ...

    def of_consortium(self, consortium_id: int) -> Sequence[RemoteNode]: ...
    def add(self, node: RemoteNode) -> None: ...
    def add_rule(self, rule: ForwardRule) -> None: ...
    def rules(self, consortium_id: int) -> Sequence[ForwardRule]: ...
    def rules_for(self, study: Study) -> Sequence[ForwardRule]:
        """Active rules of the study's institution that fit it and lead to an active node of its consortium."""


class Forwards(Protocol):
    def ensure(self, item: ForwardItem) -> bool: ...
    def waiting(self, node_id: int, now: datetime, limit: int) -> Sequence[tuple[ForwardItem, StoredObject]]:
        """The oldest first, last those that were put off and are due again.

        Never an object of another consortium than the node's.
        """

    def next_at(self, node_id: int, now: datetime) -> datetime | None:
        """When there is something to be sent; None where nothing waits."""

    def put_off_study(self, node_id: int, study_id: int, now: datetime) -> None:
        """What waits of this study goes behind all others."""

    def try_anew(self, node_id: int, statuses: Collection[int | None] | None = None) -> int:
        """What was put off is due at once; what was refused (with one of `statuses`, if given) waits again.

        Returns how many of the refused wait again.
        """

    def get(self, item_id: int) -> ForwardItem: ...
    def count(self, consortium_id: int, state: ForwardState) -> Mapping[int, int]:
        """By node; those without any are left out."""


class Commitments(Protocol):
    def get(self, request_id: int) -> CommitmentRequest: ...
    def ensure(self, request: CommitmentRequest) -> CommitmentRequest: ...


@dataclass(frozen=True)
class CommitmentReport:
    transaction_uid: str
    committed: Sequence[tuple[str, str]]
    # (SOP Class UID, SOP Instance UID, failure reason).
    failed: Sequence[tuple[str, str, int]]


class SendingLine(Protocol):
    """One association with a remote node; its methods raise Unavailable when it breaks."""

    def accepts(self, sop_class_uid: str, transfer_syntax_uid: str) -> bool: ...
    def store(self, stored: StoredObject, data_set: Pieces, originator: tuple[str, int] | None = None) -> int:
        """The status of the other side. `originator`: AE title and message id of a C-MOVE."""


class Peers(Protocol):
    def sending_line(
        self, node: RemoteNode, kinds: Sequence[tuple[str, str]]
    ) -> AbstractContextManager[SendingLine]:
        """`kinds`: (SOP class, transfer syntax) pairs to be offered. Raises Unavailable."""

    def verify(self, node: RemoteNode) -> None:
        """C-ECHO on an association of its own. Raises Unavailable, with what stands in the way."""

    def report_commitment(self, node: RemoteNode, report: CommitmentReport) -> int:
        """N-EVENT-REPORT on an association of its own; returns the device's status. Raises Unavailable."""

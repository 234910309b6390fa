"""What the use cases need from the world, as Protocols. Adapters satisfy them; tests bring fakes.

Permission is in the query: the repositories of cases, studies, reports and deliveries select only through
`visible_to`-like methods that take the actor; the plain `get` variants serve jobs, which act for nobody.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from mmap import mmap
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from telemed.application.correction_ports import Corrections
from telemed.application.dicom_ports import Commitments, Forwards, ObjectIndex, RemoteNodes, Steps
from telemed.application.film_ports import FilmAnalyser
from telemed.application.jobs import Job, JobKind
from telemed.application.worklist_ports import WorklistRow as WorklistRow
from telemed.application.worklist_ports import Worklists
from telemed.application.writing_ports import Writing
from telemed.domain.access import Actor
from telemed.domain.analysis import Analysis
from telemed.domain.case import Case
from telemed.domain.critical import (
    CriticalAction,
    CriticalAlert,
    CriticalPolicy,
    CriticalRule,
    CriticalValue,
    EscalationStep,
    Tier,
)
from telemed.domain.delivery import Delivery
from telemed.domain.document import ReportDocument
from telemed.domain.events import Event
from telemed.domain.inference import AnalysisRecord, ModelApproval, Urgency
from telemed.domain.notice import Notice
from telemed.domain.order import Order, Procedure
from telemed.domain.people import Device, Institution, Session, User
from telemed.domain.report import Report
from telemed.domain.resident import Contract, Patient, Resident
from telemed.domain.routing import Duty, ReadingGroup, RoutingRule
from telemed.domain.study import Series, StoredObject, Study
from telemed.domain.triage import TriageRule
from telemed.imaging.waveform import Waveform


class Clock(Protocol):
    def now(self) -> datetime:
        """The current instant, aware, UTC."""


class Identifiers(Protocol):
    def uid(self) -> str:
        """A fresh random identifier for the outside: it cannot be guessed."""

    def token(self) -> str:
        """A fresh secret."""


# --- bytes -----------------------------------------------------------------------------------------------


class Spool(Protocol):
    """The durable landing place. Nothing is acknowledged before `make_durable` returned."""

    def free_bytes(self) -> int: ...

    def open_part(self) -> "SpoolPart":
        """A place to write one object to while it arrives. Raises OutOfResources below the low-water mark."""

    def make_durable(self, parts: Sequence["SpoolPart"]) -> None:
        """write < fsync < rename < directory fsync: when it returns, a power cut loses none of these bytes."""

    def read(self, file_sha256: str) -> bytes:
        """Raises KeyError where the spool holds no such object."""

    def path(self, file_sha256: str) -> Path | None: ...

    def remove(self, file_sha256: str) -> None: ...


class SpoolPart(Protocol):
    file_sha256: str
    dataset_sha256: str
    size: int

    def write_meta(self, data: bytes) -> None:
        """Preamble and file meta: they count to the file's digest, not to the data set's."""

    def write(self, data: bytes | memoryview) -> None:
        """Bytes of the data set."""

    def finish(self) -> None:
        """No more bytes: the digests are known, nothing is durable yet."""

    def discard(self) -> None:
        """Leaves nothing behind; safe to call at any time, also after `make_durable`."""

    def head(self, limit: int) -> bytes:
        """The first bytes of the whole file, for its header."""

    def mapped(self) -> AbstractContextManager[mmap]:
        """The whole file where it lies, of any size in little memory. Raises ValueError where it is empty."""

    def content(self) -> bytes: ...


class ObjectStore(Protocol):
    """The final place: create-only, named by the digest of the bytes."""

    def put(self, file_sha256: str, data: bytes) -> None:
        """Durable when it returns; the same name again is no error and changes nothing."""

    def get(self, file_sha256: str) -> bytes:
        """Raises KeyError where there is no such object."""

    def check(self) -> None:
        """Raises Unavailable where the store does not answer."""


# --- rows ------------------------------------------------------------------------------------------------


class Institutions(Protocol):
    def get(self, institution_id: int) -> Institution: ...
    def quiet_seconds(self, institution_id: int) -> int:
        """Raises NotFound."""

    def by_code(self, code: str) -> Institution | None: ...
    def by_uid(self, uid: str) -> Institution | None: ...
    def all(self, consortium_id: int | None = None) -> Sequence[Institution]: ...
    def certificate_authorities(self) -> Sequence[str]:
        """PEM texts of all sites that have one."""

    def add(self, institution: Institution) -> None: ...


class Users(Protocol):
    def get(self, user_id: int) -> User: ...
    def by_username(self, username: str) -> User | None: ...
    def of_institution(self, institution_id: int) -> Sequence[User]: ...
    def of_consortium(self, consortium_id: int) -> Sequence[User]: ...
    def any(self) -> bool: ...
    def add(self, user: User) -> None: ...


class Sessions(Protocol):
    def by_digest(self, token_digest: str) -> Session | None: ...
    def add(self, session: Session) -> None: ...
    def remove(self, session: Session) -> None: ...
    def remove_of(self, user_id: int, kind: str) -> None: ...
    def remove_expired(self, now: datetime) -> int: ...


class Devices(Protocol):
    def by_ae_title(self, ae_title: str) -> Sequence[Device]:
        """Active devices of this AE title: several, since titles repeat in the field."""

    def of_consortium(self, consortium_id: int) -> Sequence[Device]: ...
    def get(self, device_id: int) -> Device: ...
    def add(self, device: Device) -> None: ...


class Residents(Protocol):
    def get(self, resident_id: int) -> Resident: ...
    def by_card_hash(self, consortium_id: int, keyed_hash: str) -> Resident | None: ...
    def contracts(self, resident_id: int) -> Sequence[Contract]: ...
    def add(self, resident: Resident) -> None: ...
    def add_contract(self, contract: Contract) -> None: ...


class Patients(Protocol):
    def get(self, patient_id: int) -> Patient: ...
    def among(self, patient_ids: Sequence[int]) -> Sequence[Patient]: ...
    def by_local_id(self, institution_id: int, patient_id: str) -> Patient | None: ...
    def by_local_ids(self, institution_id: int, patient_ids: Sequence[str]) -> Sequence[Patient]: ...
    def ensure(self, patient: Patient) -> Patient:
        """Inserts, or returns the one another transaction was first to insert."""

    def ensure_all(self, patients: Sequence[Patient]) -> Sequence[Patient]:
        """The rows that now hold these numbers, in no certain order."""


class Orders(Protocol):
    def get(self, order_id: int) -> Order: ...
    def by_accession(self, institution_id: int, accession_number: str) -> Order | None: ...
    def procedures(self, order_id: int) -> Sequence[Procedure]: ...
    def procedure(self, procedure_id: int) -> Procedure: ...
    def add(self, order: Order) -> None: ...
    def add_procedure(self, procedure: Procedure) -> None: ...


@dataclass(frozen=True, kw_only=True)
class StudyOverview:
    """One line of the township page and of `GET /api/v1/studies/{uid}`."""

    study: Study
    patient: Patient
    objects: int
    placed: int
    conflicts: int
    case: Case | None
    reader_name: str
    # The latest released version, whichever case of the study it belongs to.
    report: Report | None
    quality: tuple[str, ...]
    # None until the study found its order, or made one of its own.
    order: Order | None = None
    exam: str = ""
    id_last4: str = ""


class Studies(Protocol):
    def get(self, study_id: int) -> Study: ...
    def by_instance_uid(self, institution_id: int, study_instance_uid: str) -> Study | None: ...
    def by_instance_uids(
        self, institution_id: int, study_instance_uids: Sequence[str]
    ) -> Sequence[Study]: ...
    def ensure(self, study: Study) -> Study: ...
    def ensure_all(self, studies: Sequence[Study]) -> Sequence[Study]:
        """The rows that now hold these UIDs, in no certain order."""

    def ensure_series(self, series: Series) -> Series: ...
    def ensure_series_all(self, series: Sequence[Series]) -> Sequence[Series]: ...
    def series(self, study_id: int) -> Sequence[Series]: ...
    def series_among(
        self, study_ids: Sequence[int], series_instance_uids: Sequence[str]
    ) -> Sequence[Series]: ...
    def objects(self, study_id: int, *, made: bool = False) -> Sequence[StoredObject]:
        """Primary objects in series and instance order; with `made` what models said of them too."""

    def made_of(self, study_id: int, sop_instance_uids: Sequence[str]) -> Sequence[StoredObject]:
        """What was made here of these objects of the study."""

    def held_under(self, institution_id: int, sop_instance_uid: str) -> Sequence[StoredObject]: ...
    def held_under_any(
        self, institution_id: int, sop_instance_uids: Sequence[str]
    ) -> Sequence[StoredObject]: ...
    def object(self, object_id: int) -> StoredObject: ...
    def add_object(self, stored: StoredObject) -> None: ...
    def all_objects(self, after_id: int, limit: int) -> Sequence[StoredObject]: ...
    def unplaced(self) -> int:
        """How many objects are not yet in their final place."""

    def visible_object(
        self, actor: Actor, sop_instance_uid: str, study_id: int | None = None
    ) -> StoredObject | None:
        """Of this study where one is named. Raises Conflict where several visible institutions use the UID."""

    def visible_study(self, actor: Actor, study_instance_uid: str) -> Study | None:
        """Raises Conflict where several visible institutions use the UID."""

    def exams(self, actor: Actor, since: datetime, limit: int) -> Sequence[StudyOverview]:
        """Own institution's studies by last arrival, newest first."""

    def overview(self, actor: Actor, study_instance_uid: str) -> StudyOverview | None: ...


class Cases(Worklists, Protocol):
    def get(self, case_id: int) -> Case: ...
    def lock(self, case_id: int) -> Case:
        """As it now stands; no other transaction changes it until this one ends."""

    def of_study(self, study_id: int) -> Sequence[Case]: ...
    def of_order(self, order_id: int) -> Sequence[Case]: ...
    def visible(self, actor: Actor, uid: str) -> Case | None: ...
    def expired_leases(self, now: datetime, limit: int) -> Sequence[Case]: ...
    def open_without_ai(self, institution_id: int) -> Sequence[Case]:
        """Cases still to be read whose site had no approved model when they came."""

    def lacking(
        self, consortium_id: int, modality: str, models: Sequence[str], before: int | None, limit: int
    ) -> Sequence[int]:
        """Ids of cases of a modality, the newest first, that lack an answer of one of the models (sha256) which
        their site approved, or whose last attempt failed, and that no open job is going to read; only ids
        smaller than `before`."""

    def add(self, case: Case) -> None: ...


class Reports(Protocol):
    def get(self, report_id: int) -> Report: ...
    def of_case(self, case_id: int) -> Sequence[Report]:
        """All versions, oldest first."""

    def latest(self, case_id: int) -> Report | None: ...
    def final_of_patient(self, patient_id: int) -> Sequence[Report]: ...
    def visible(self, actor: Actor, uid: str) -> Report | None: ...
    def by_verification_code(self, code: str) -> Report | None: ...
    def add(self, report: Report) -> None: ...


@dataclass(frozen=True, kw_only=True)
class InboxRow:
    delivery: Delivery
    report: Report
    case: Case
    study: Study
    patient: Patient
    reporting_institution: Institution | None
    applicant_institution: Institution
    # Who wrote and signed, by id.
    people: Mapping[int, User]
    exam: str = ""
    id_last4: str = ""


class Deliveries(Protocol):
    def of_report(self, report_id: int) -> Sequence[Delivery]: ...
    def inbox(self, actor: Actor, limit: int, *, open_only: bool) -> Sequence[InboxRow]:
        """Abnormal first, then newest."""

    def row(self, actor: Actor, uid: str) -> InboxRow | None: ...
    def visible(self, actor: Actor, uid: str) -> Delivery | None: ...
    def ensure(self, delivery: Delivery) -> Delivery: ...


@dataclass(frozen=True, kw_only=True)
class CriticalRow:
    """One critical value as a card shows it, with everything that names the patient."""

    value: CriticalValue
    case: Case
    study: Study
    patient: Patient
    applicant_institution: Institution
    reporting_institution: Institution | None
    actions: Sequence[CriticalAction]
    alerts: Sequence[CriticalAlert]
    people: Mapping[int, User]
    exam: str = ""
    id_last4: str = ""


class CriticalValues(Protocol):
    def rules(self, consortium_id: int, *, ended: bool = False) -> Sequence[CriticalRule]:
        """Those in force, or every edition."""

    def policies(self, consortium_id: int) -> Sequence[CriticalPolicy]: ...
    def steps(self, consortium_id: int) -> Sequence[EscalationStep]: ...
    def get(self, value_id: int) -> CriticalValue: ...
    def open_of(self, case_id: int, code: str) -> CriticalValue | None: ...
    def most_urgent_open(self, case_id: int) -> Tier | None: ...
    def visible(self, actor: Actor, uid: str) -> CriticalValue | None: ...
    def row(self, actor: Actor, uid: str) -> CriticalRow | None: ...
    def rows(self, actor: Actor, limit: int, *, open_only: bool = True) -> Sequence[CriticalRow]:
        """Critical before warning; of these the one whose clock ends first."""

    def rows_of_case(self, actor: Actor, case_id: int) -> Sequence[CriticalRow]: ...
    def actions(self, value_id: int) -> Sequence[CriticalAction]: ...
    def tell(self, alert: CriticalAlert) -> bool:
        """True if this recipient was not told before."""

    def add(
        self, row: CriticalValue | CriticalRule | CriticalPolicy | EscalationStep | CriticalAction
    ) -> None: ...


class Analyses(Protocol):
    def of_case(self, case_id: int) -> Sequence[AnalysisRecord]: ...
    def ensure(self, record: AnalysisRecord) -> bool:
        """True if it is new; the same result key again changes nothing."""

    def approvals(self, institution_id: int) -> Sequence[ModelApproval]:
        """Those not withdrawn."""

    def add_approval(self, approval: ModelApproval) -> None: ...


class Rules(Protocol):
    def routing(self, consortium_id: int) -> Sequence[RoutingRule]: ...
    def triage(self, consortium_id: int) -> Sequence[TriageRule]: ...
    def group(self, group_id: int) -> ReadingGroup: ...
    def groups(self, consortium_id: int) -> Sequence[ReadingGroup]: ...
    def roster(self, consortium_id: int) -> Sequence[Duty]: ...
    def add(self, row: RoutingRule | TriageRule | ReadingGroup | Duty) -> None: ...


class Notices(Protocol):
    def raise_once(self, notice: Notice) -> bool: ...
    def open_for(self, actor: Actor, limit: int) -> Sequence[Notice]: ...
    def visible(self, actor: Actor, uid: str) -> Notice | None: ...
    def of_study(self, study_id: int) -> Sequence[Notice]: ...


class Events(Protocol):
    def append(self, event: Event) -> None: ...
    def after(self, event_id: int, limit: int) -> Sequence[Event]: ...
    def last_id(self) -> int: ...
    def unsealed(self, limit: int) -> Sequence[Event]: ...
    def last_sealed(self) -> Event | None: ...
    def sealed_after(self, sequence: int, limit: int) -> Sequence[Event]:
        """In the order of the chain."""

    def of_study(self, study_id: int) -> Sequence[Event]: ...


@dataclass(frozen=True, kw_only=True)
class DueJob:
    id: int
    rank: int


class Jobs(Protocol):
    """A claim is a lease under a token. `finish`, `put_back` and `give_up` act under the token alone: whoever
    lost the lease meanwhile changes nothing, and a job asked for again while it ran comes once more."""

    def ask(self, kind: JobKind, subject_id: int, due_at: datetime, now: datetime) -> None:
        """One open job per kind and subject: if there is one, its due time moves; one that runs, runs again."""

    def ask_all(self, kind: JobKind, subjects: Sequence[tuple[int, datetime]], now: datetime) -> None:
        """As `ask`, for (subject, due time) of one kind."""

    def due(self, now: datetime, limit: int) -> Sequence[DueJob]: ...
    def claim(self, now: datetime, limit: int, token: str) -> Sequence[Job]: ...
    def claim_one(self, job_id: int, now: datetime, token: str) -> Job | None:
        """The job if it is due, or already held under this very token; else None."""

    def finish(self, job_id: int, token: str, now: datetime) -> bool:
        """False where the job was asked for again, or the lease lost: then it is not done."""

    def put_back(self, job_id: int, token: str, due_at: datetime, error: str) -> None: ...
    def give_up(self, job_id: int, token: str, error: str) -> bool:
        """True if the job is now failed."""

    def next_due(self) -> datetime | None: ...
    def waiting(self, now: datetime) -> tuple[int, datetime | None]:
        """How many jobs are due, and since when the oldest of them is."""

    def failed(self) -> Sequence[Job]: ...
    def open_of(self, kind: JobKind) -> int:
        """How many jobs of a kind are not done and not given up."""

    def get(self, job_id: int) -> Job: ...
    def remove_done(self, before: datetime) -> int: ...


class UnitOfWork(Protocol):
    """One transaction. Leaving the block without `commit` rolls back."""

    @property
    def institutions(self) -> Institutions: ...
    @property
    def users(self) -> Users: ...
    @property
    def sessions(self) -> Sessions: ...
    @property
    def devices(self) -> Devices: ...
    @property
    def residents(self) -> Residents: ...
    @property
    def patients(self) -> Patients: ...
    @property
    def orders(self) -> Orders: ...
    @property
    def studies(self) -> Studies: ...
    @property
    def cases(self) -> Cases: ...
    @property
    def reports(self) -> Reports: ...
    @property
    def deliveries(self) -> Deliveries: ...
    @property
    def analyses(self) -> Analyses: ...
    @property
    def rules(self) -> Rules: ...
    @property
    def notices(self) -> Notices: ...
    @property
    def events(self) -> Events: ...
    @property
    def jobs(self) -> Jobs: ...
    @property
    def steps(self) -> Steps: ...
    @property
    def index(self) -> ObjectIndex: ...
    @property
    def remote_nodes(self) -> RemoteNodes: ...
    @property
    def forwards(self) -> Forwards: ...
    @property
    def commitments(self) -> Commitments: ...
    @property
    def critical(self) -> CriticalValues: ...
    @property
    def corrections(self) -> Corrections: ...
    @property
    def writing(self) -> Writing: ...

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def flush(self) -> None:
        """Sends pending rows so that their ids are known; nothing is committed."""

    def commit(self) -> None:
        """Raises Conflict where another transaction changed the same row first."""


class UnitOfWorkFactory(Protocol):
    def __call__(self, *, write: bool = True) -> AbstractContextManager[UnitOfWork]:
        """`write` takes the writer's place at once (SQLite: BEGIN IMMEDIATE), so a read never turns into one."""


# --- the rest of the world ---------------------------------------------------------------------------------


class Analyser(FilmAnalyser, Protocol):
    def models_for(self, modality: str) -> Sequence["ModelDescription"]:
        """Every version of each model for a modality, the newest first."""

    def analyse(
        self,
        model: str,
        waveform: Waveform,
        *,
        version: str | None = None,
        urgency: Urgency = Urgency.ROUTINE,
    ) -> Analysis:
        """Out of domain is an answer; raises Unavailable where the engine does not answer, with code
        `TAKEN_OUT` where no further attempt would change that."""

    def refuse(
        self, model: str, reason: str, params: dict[str, str | int], *, version: str | None = None
    ) -> Analysis:
        """The answer about bytes that hold nothing the model reads: out of domain, with the reason."""

    def check(self) -> None:
        """Raises Unavailable where a model or its provider is not ready."""

    def metrics(self) -> bytes:
        """The engine's counters in Prometheus' text format; empty where it cannot be asked."""


class ModelDescription(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def sha256(self) -> str: ...
    @property
    def task(self) -> str: ...
    def card(self, language: str) -> str:
        """The model card, as Markdown."""


class Renderer(Protocol):
    def missing_glyphs(self, document: ReportDocument) -> list[str]: ...
    def render(
        self, document: ReportDocument, waveform: Waveform | None = None, pictures: Sequence[bytes] = ()
    ) -> bytes: ...


class Passwords(Protocol):
    def hash(self, password: str) -> str: ...
    def verify(self, password_hash: str, password: str) -> bool: ...


class NameReadings(Protocol):
    def pinyin(self, name: str) -> str:
        """All plausible readings, space separated, lower case: "shan yu dan yu"."""

    def initials(self, name: str) -> str: ...
    def alphabetic(self, name: str) -> str:
        """In Latin letters as DICOM's first component group has it: "Zhang^San"."""


class Waker(Protocol):
    def wake(self) -> None:
        """Work may be due. Losing a wake-up costs time, never work."""

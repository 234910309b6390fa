"""What models said, rules, notices, events and jobs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from telemed.application.jobs import Job, JobKind, JobState
from telemed.application.ports.worklist import WorklistRow as WorklistRow
from telemed.domain.access import Actor
from telemed.domain.events import Event
from telemed.domain.inference import AnalysisRecord, ModelApproval
from telemed.domain.notice import Notice
from telemed.domain.routing import Duty, ReadingGroup, RoutingRule
from telemed.domain.triage import TriageRule


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
    def open_of(self, code: str) -> Sequence[Notice]:
        """Everywhere: for those who look after the whole installation."""


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

    def ask_in_turn(self, kind: JobKind, subject_id: int, due_at: datetime, now: datetime) -> None:
        """As `ask`, but a job that waits keeps its time: what is put off on purpose is not hurried by more work."""

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

    def start_again(self, job_id: int, now: datetime) -> None:
        """A failed job is due now, with all its attempts; where it was asked for anew meanwhile, that one is."""

    def next_due(self) -> datetime | None: ...
    def waiting(self, now: datetime) -> tuple[int, datetime | None]:
        """How many jobs are due, and since when the oldest of them is."""

    def failed(self) -> Sequence[Job]: ...
    def open_of(self, kind: JobKind) -> int:
        """How many jobs of a kind are not done and not given up."""

    def tally(self, kind: JobKind, modality: str) -> Mapping[tuple[JobState, str], int]:
        """How many jobs of a kind on cases of a modality are open or given up, by state and last error."""

    def forget_failed(self, kind: JobKind, subject_ids: Sequence[int]) -> None:
        """Given-up jobs that are asked for anew: the new ones stand for them."""

    def get(self, job_id: int) -> Job: ...
    def remove_done(self, before: datetime) -> int: ...

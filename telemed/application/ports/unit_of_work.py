"""One transaction over all of it."""

from contextlib import AbstractContextManager
from types import TracebackType
from typing import Protocol, Self

from telemed.application.ports.corrections import Corrections
from telemed.application.ports.dicom import Commitments, Forwards, ObjectIndex, RemoteNodes, Steps
from telemed.application.ports.people import (
    Devices,
    Institutions,
    Orders,
    Patients,
    Residents,
    Sessions,
    Users,
)
from telemed.application.ports.reading import Cases, CriticalValues, Deliveries, Reports
from telemed.application.ports.resident_links import ResidentLinks
from telemed.application.ports.studies import Studies
from telemed.application.ports.trail import Analyses, Events, Jobs, Notices, Rules
from telemed.application.ports.worklist import WorklistRow as WorklistRow
from telemed.application.ports.writing import Writing


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
    def links(self) -> ResidentLinks: ...
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
    def __call__(self, *, write: bool = True, synced: bool = True) -> AbstractContextManager[UnitOfWork]:
        """`write` takes the writer's place at once (SQLite: BEGIN IMMEDIATE), so a read never turns into one.

        Not `synced`: the commit is everybody's at once, and the disk's later: with PostgreSQL within a second, with
        SQLite at the next commit that is synced or when the system writes by itself (half a minute where nothing
        else is written). A power cut before that takes it, and nothing that was promised. For notes of who looked.
        """

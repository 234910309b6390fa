"""The unit of work over SQLAlchemy: one session, one transaction, every repository on it."""

from types import TracebackType
from typing import Self

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import sessionmaker
from sqlalchemy.orm.exc import StaleDataError

from telemed.adapters.db.cases import SqlCases, SqlDeliveries, SqlReports
from telemed.adapters.db.corrections import SqlCorrections
from telemed.adapters.db.critical import SqlCriticalValues
from telemed.adapters.db.dicom_services import SqlCommitments, SqlRemoteNodes, SqlSteps
from telemed.adapters.db.forward_queue import SqlForwards
from telemed.adapters.db.holding import HoldingSession
from telemed.adapters.db.jobs import SqlJobs
from telemed.adapters.db.mapping import map_classes
from telemed.adapters.db.object_index import SqlObjectIndex
from telemed.adapters.db.repositories import (
    SqlAnalyses,
    SqlDevices,
    SqlEvents,
    SqlInstitutions,
    SqlNotices,
    SqlOrders,
    SqlPatients,
    SqlResidents,
    SqlRules,
    SqlSessions,
    SqlUsers,
)
from telemed.adapters.db.resident_links import SqlResidentLinks
from telemed.adapters.db.studies import SqlStudies
from telemed.adapters.db.writing import SqlWriting
from telemed.domain.errors import Conflict, Unavailable

# PostgreSQL's deadlock_detected and serialization_failure.
_ROLLED_BACK = ("40P01", "40001")


class SqlUnitOfWork:
    def __init__(self, session: HoldingSession, *, only_reads: bool = False) -> None:
        self._session = session
        self._only_reads = only_reads
        self.institutions = SqlInstitutions(session)
        self.users = SqlUsers(session)
        self.sessions = SqlSessions(session)
        self.devices = SqlDevices(session)
        self.residents = SqlResidents(session)
        self.patients = SqlPatients(session)
        self.orders = SqlOrders(session)
        self.studies = SqlStudies(session)
        self.cases = SqlCases(session)
        self.reports = SqlReports(session)
        self.deliveries = SqlDeliveries(session)
        self.analyses = SqlAnalyses(session)
        self.rules = SqlRules(session)
        self.notices = SqlNotices(session)
        self.events = SqlEvents(session)
        self.jobs = SqlJobs(session)
        self.steps = SqlSteps(session)
        self.index = SqlObjectIndex(session)
        self.remote_nodes = SqlRemoteNodes(session)
        self.forwards = SqlForwards(session)
        self.commitments = SqlCommitments(session)
        self.critical = SqlCriticalValues(session)
        self.corrections = SqlCorrections(session)
        self.links = SqlResidentLinks(session)
        self.writing = SqlWriting(session)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None and self._only_reads:
            # PostgreSQL's driver forgets every prepared statement at a ROLLBACK, and plans them all anew.
            self._session.commit()
        self._session.close()
        if isinstance(error, StaleDataError | IntegrityError):
            raise Conflict("error.changed_meanwhile") from error
        if isinstance(error, OperationalError) and getattr(error.orig, "sqlstate", "") in _ROLLED_BACK:
            # For a rival's sake: the next attempt is one against one.
            raise Conflict("error.changed_meanwhile") from error
        if isinstance(error, OperationalError | PoolTimeout):
            raise Unavailable("error.database_unavailable") from error

    def flush(self) -> None:
        self._session.flush()

    def commit(self) -> None:
        self._session.commit()


class SqlUnitOfWorkFactory:
    """`factory()` gives a unit of work for writing, `factory(write=False)` one that only reads.

    `factory(synced=False)` writes what nobody was promised: its commit does not wait for the disk.
    """

    def __init__(self, engine: Engine) -> None:
        map_classes()
        self.engine = engine
        self._writing = sessionmaker(engine, class_=HoldingSession, expire_on_commit=False)
        hasty = engine.execution_options(synced=False)
        self._hasty = sessionmaker(hasty, class_=HoldingSession, expire_on_commit=False)
        only_reads = engine.execution_options(write=False, postgresql_readonly=True)
        self._reading = sessionmaker(only_reads, class_=HoldingSession, expire_on_commit=False)

    def __call__(self, *, write: bool = True, synced: bool = True) -> SqlUnitOfWork:
        if write:
            return SqlUnitOfWork((self._writing if synced else self._hasty)())
        return SqlUnitOfWork(self._reading(), only_reads=True)

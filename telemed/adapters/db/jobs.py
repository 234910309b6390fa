"""The queue as a table: claims that exactly one worker wins, on both engines."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Insert,
    Select,
    String,
    Update,
    and_,
    bindparam,
    case,
    delete,
    func,
    literal_column,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from telemed.adapters.db import tables as t
from telemed.adapters.db.direct import run_each, run_kept
from telemed.adapters.db.repositories import Repository
from telemed.application.jobs import LEASE, RANK, Job, JobKind, JobState
from telemed.application.ports import DueJob
from telemed.domain.errors import NotFound

# In front of the token of a job that was asked for again while it runs: its runner may have read the old
# state, so that its end is not the end of the job.
_AGAIN = "again:"
_J = t.job.c


class SqlJobs(Repository):
    def ask(self, kind: JobKind, subject_id: int, due_at: datetime, now: datetime) -> None:
        self.ask_all(kind, [(subject_id, due_at)], now)

    def ask_in_turn(self, kind: JobKind, subject_id: int, due_at: datetime, now: datetime) -> None:
        self._ask(kind, [(subject_id, due_at)], now, hurrying=False)

    def ask_all(self, kind: JobKind, subjects: Sequence[tuple[int, datetime]], now: datetime) -> None:
        self._ask(kind, subjects, now, hurrying=True)

    def _ask(
        self, kind: JobKind, subjects: Sequence[tuple[int, datetime]], now: datetime, *, hurrying: bool
    ) -> None:
        asked = [
            {
                "kind": kind,
                "subject_id": subject_id,
                "due_at": due_at,
                "rank": RANK[kind],
                "created_at": now,
                "state": JobState.PENDING,
                "attempts": 0,
            }
            for subject_id, due_at in subjects
        ]
        if asked:
            run_each(self._session.connection(), Job, _asking(self._dialect, hurrying), asked)

    @property
    def _dialect(self) -> str:
        return self._session.get_bind().dialect.name

    def due(self, now: datetime, limit: int) -> Sequence[DueJob]:
        rows = self._session.execute(_in_order(select(_J.id, _J.rank).where(_due(now))).limit(limit))
        return [DueJob(id=row.id, rank=row.rank) for row in rows]

    def claim(self, now: datetime, limit: int, token: str) -> Sequence[Job]:
        if self._dialect != "sqlite":
            return self._take(_in_order(select(_J.id).where(_due(now))).limit(limit), now, token)
        # SQLite knows no FOR UPDATE: its writer is alone by BEGIN IMMEDIATE, and one statement is enough.
        values = {
            "state1": JobState.PENDING,
            "due_at1": now,
            "lease_until1": now,
            "lease_until2": now + LEASE,
            "lease_token1": token,
            "most": limit,
        }
        _, rows = run_kept(self._session.connection(), Job, _claiming(), values)
        return _by_urgency(_job(row) for row in rows)

    def claim_one(self, job_id: int, now: datetime, token: str) -> Job | None:
        # A message that comes a second time brings the token of the first: its reader is gone, and waiting
        # for the lease to end would only keep the patient waiting.
        mine = and_(_J.state == JobState.PENDING, _J.lease_token.in_((token, _AGAIN + token)))
        taken = self._take(select(_J.id).where(_J.id == job_id, or_(_due(now), mine)), now, token)
        return taken[0] if taken else None

    def _take(self, chosen: Select[Any], now: datetime, token: str) -> Sequence[Job]:
        connection = self._session.connection()
        ids: Any = chosen
        if self._dialect != "sqlite":
            ids = connection.execute(chosen.with_for_update(skip_locked=True)).scalars().all()
            if not ids:
                return []
        taking = (
            update(t.job)
            .where(_J.id.in_(ids))
            .values(lease_until=now + LEASE, lease_token=token, attempts=_J.attempts + 1)
            .returning(*t.job.c)
        )
        return _by_urgency(_job(dict(row._mapping)) for row in connection.execute(taking))

    def finish(self, job_id: int, token: str, now: datetime) -> bool:
        values = {
            "id1": job_id,
            "lease_token1": token,
            "state1": JobState.PENDING,
            "state2": JobState.DONE,
            "done_at1": now,
        }
        count, _ = run_kept(self._session.connection(), Job, _ending(), values)
        if count == 1:
            return True
        self._free_asked_again(job_id, token)
        return False

    def put_back(self, job_id: int, token: str, due_at: datetime, error: str) -> None:
        later = self._end(job_id, token).values(
            due_at=due_at, lease_until=None, lease_token="", last_error=error
        )
        if self._session.connection().execute(later).rowcount == 0:
            self._free_asked_again(job_id, token, last_error=error)

    def give_up(self, job_id: int, token: str, error: str) -> bool:
        failed = self._end(job_id, token).values(
            state=JobState.FAILED, lease_until=None, lease_token="", last_error=error
        )
        if self._session.connection().execute(failed).rowcount == 1:
            return True
        self._free_asked_again(job_id, token, last_error=error)
        return False

    def start_again(self, job_id: int, now: datetime) -> None:
        job = self.get(job_id)
        if job.state is not JobState.FAILED:
            return
        # The one open job of its kind and subject takes its place.
        self.ask(job.kind, job.subject_id, now, now)
        self._session.connection().execute(delete(t.job).where(_J.id == job_id, _J.state == JobState.FAILED))
        self._session.expunge(job)

    def _end(self, job_id: int, token: str) -> Update:
        """Under its own token only: whoever lost the lease has nothing to say about the job any more."""
        return update(t.job).where(_J.id == job_id, _J.lease_token == token, _J.state == JobState.PENDING)

    def _free_asked_again(self, job_id: int, token: str, **values: Any) -> None:
        # Its due time is the one asked for; it starts anew, with all its attempts.
        again = self._end(job_id, _AGAIN + token)
        self._session.connection().execute(
            again.values(lease_until=None, lease_token="", attempts=0, **values)
        )

    def next_due(self) -> datetime | None:
        free_at = case((_J.lease_until > _J.due_at, _J.lease_until), else_=_J.due_at)
        statement = select(func.min(free_at)).where(_J.state == JobState.PENDING)
        return self._session.execute(statement).scalar()

    def waiting(self, now: datetime) -> tuple[int, datetime | None]:
        row = self._session.execute(select(func.count(), func.min(_J.due_at)).where(_due(now))).one()
        return int(row[0]), row[1]

    def open_of(self, kind: JobKind) -> int:
        statement = select(func.count()).where(_J.kind == kind, _J.state == JobState.PENDING)
        return int(self._session.execute(statement).scalar_one())

    def tally(self, kind: JobKind, modality: str) -> Mapping[tuple[JobState, str], int]:
        of_case = t.reading_case.c
        statement = (
            select(_J.state, _J.last_error, func.count())
            .join(t.reading_case, of_case.id == _J.subject_id)
            .where(
                _J.kind == kind,
                of_case.modality == modality,
                _J.state.in_((JobState.PENDING, JobState.FAILED)),
            )
            .group_by(_J.state, _J.last_error)
        )
        return {(JobState(state), error): n for state, error, n in self._session.execute(statement)}

    def forget_failed(self, kind: JobKind, subject_ids: Sequence[int]) -> None:
        gone = delete(t.job).where(
            _J.kind == kind, _J.subject_id.in_(subject_ids), _J.state == JobState.FAILED
        )
        self._session.connection().execute(gone)

    def failed(self) -> Sequence[Job]:
        return self._all(Job, _J.state == JobState.FAILED, order=_J.id)

    def get(self, job_id: int) -> Job:
        # Read afresh: the statements above change rows behind the session's back.
        job = self._session.get(Job, job_id, populate_existing=True)
        if job is None:
            raise NotFound("error.not_found")
        return job

    def remove_done(self, before: datetime) -> int:
        statement = delete(t.job).where(_J.state == JobState.DONE, _J.done_at < before)
        return self._session.connection().execute(statement).rowcount


@cache
def _asking(dialect: str, hurrying: bool) -> Insert:
    # One statement, decided by the unique key of open jobs: no look before, hence no race with a rival that asks
    # too, or with a runner that ends at this moment.
    insert = (postgresql if dialect == "postgresql" else sqlite).insert(t.job)
    # Written out: the only parameters are those of the row.
    again, some_again, none = (literal_column(f"'{value}'", String) for value in (_AGAIN, f"{_AGAIN}%", ""))
    running = and_(_J.lease_token != none, _J.lease_token.not_like(some_again))
    names = ("kind", "subject_id", "due_at", "rank", "created_at", "state", "attempts")
    statement = insert.values({name: bindparam(name) for name in names})
    asked_for = statement.excluded.due_at
    asked: Insert = statement.on_conflict_do_update(
        index_elements=["kind", "subject_id"],
        index_where=text("state = 'pending'"),
        set_={
            "due_at": asked_for if hurrying else case((running, asked_for), else_=_J.due_at),
            "lease_token": case((running, again.concat(_J.lease_token)), else_=_J.lease_token),
        },
    )
    return asked


@cache
def _claiming() -> Update:
    """SQLite's: the most urgent of what is due, taken under a new lease."""
    now: BindParameter[Any] = bindparam("due_at1")
    free = or_(_J.lease_until.is_(None), _J.lease_until < bindparam("lease_until1"))
    due = select(_J.id).where(_J.state == bindparam("state1"), _J.due_at <= now, free)
    taken = update(t.job).where(_J.id.in_(_in_order(due).limit(bindparam("most"))))
    return taken.values(
        lease_until=bindparam("lease_until2"),
        lease_token=bindparam("lease_token1"),
        attempts=_J.attempts + 1,
    ).returning(*t.job.c)


@cache
def _ending() -> Update:
    own = and_(_J.id == bindparam("id1"), _J.lease_token == bindparam("lease_token1"))
    return (
        update(t.job)
        .where(own, _J.state == bindparam("state1"))
        .values(
            state=bindparam("state2"),
            done_at=bindparam("done_at1"),
            lease_until=None,
            lease_token="",
            last_error="",
        )
    )


def _by_urgency(jobs: Iterable[Job]) -> Sequence[Job]:
    return sorted(jobs, key=lambda job: (job.rank, job.due_at, job.id))


def _job(row: Mapping[str, Any]) -> Job:
    """A job to be run, no row of the session's: how it ends is said by statements under its token."""
    values = dict(row)
    id_ = values.pop("id")
    job = Job(**values)
    job.id = id_
    return job


def _due(now: datetime) -> ColumnElement[bool]:
    free = or_(_J.lease_until.is_(None), _J.lease_until < now)
    return and_(_J.state == JobState.PENDING, _J.due_at <= now, free)


def _in_order(statement: Select[Any]) -> Select[Any]:
    return statement.order_by(_J.rank, _J.due_at, _J.id)

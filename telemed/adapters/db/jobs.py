"""The queue as a table: claims that exactly one worker wins, on both engines."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, update

from telemed.adapters.db import tables as t
from telemed.adapters.db.repositories import Repository
from telemed.application.jobs import LEASE, RANK, Job, JobKind, JobState


class SqlJobs(Repository):
    def ask(self, kind: JobKind, subject_id: int, due_at: datetime, now: datetime) -> None:
        job = Job(kind=kind, subject_id=subject_id, due_at=due_at, rank=RANK[kind], created_at=now)
        moved = self._session.connection().execute(
            update(t.job)
            .where(
                t.job.c.kind == kind,
                t.job.c.subject_id == subject_id,
                t.job.c.state == JobState.PENDING,
                # A job that runs right now may have read the old state: it must come again.
                t.job.c.lease_until.is_(None),
            )
            .values(due_at=due_at)
        )
        if moved.rowcount == 0 and not self._repeat_running(kind, subject_id, due_at):
            self._session.add(job)

    def _repeat_running(self, kind: JobKind, subject_id: int, due_at: datetime) -> bool:
        """A leased job is marked to run once more: the token changes, so its finisher leaves it pending."""
        result = self._session.connection().execute(
            update(t.job)
            .where(t.job.c.kind == kind, t.job.c.subject_id == subject_id, t.job.c.state == JobState.PENDING)
            .values(due_at=due_at, lease_token="", lease_until=None)
        )
        return result.rowcount > 0

    def _due(self, now: datetime) -> ColumnElement[bool]:
        free = or_(t.job.c.lease_until.is_(None), t.job.c.lease_until < now)
        return and_(t.job.c.state == JobState.PENDING, t.job.c.due_at <= now, free)

    def due_ids(self, now: datetime, limit: int) -> Sequence[int]:
        statement = (
            select(t.job.c.id)
            .where(self._due(now))
            .order_by(t.job.c.rank, t.job.c.due_at, t.job.c.id)
            .limit(limit)
        )
        return self._session.execute(statement).scalars().all()

    def claim(self, now: datetime, limit: int, token: str) -> Sequence[Job]:
        chosen = (
            select(t.job.c.id)
            .where(self._due(now))
            .order_by(t.job.c.rank, t.job.c.due_at, t.job.c.id)
            .limit(limit)
        )
        return self._take(chosen.with_for_update(skip_locked=True), now, token)

    def claim_one(self, job_id: int, now: datetime, token: str) -> Job | None:
        chosen = select(t.job.c.id).where(t.job.c.id == job_id, self._due(now))
        taken = self._take(chosen.with_for_update(skip_locked=True), now, token)
        return taken[0] if taken else None

    def _take(self, chosen: Any, now: datetime, token: str) -> Sequence[Job]:
        # SQLite knows no FOR UPDATE (and ignores it): its writer is alone by BEGIN IMMEDIATE.
        ids = self._session.execute(chosen).scalars().all()
        if not ids:
            return []
        self._session.connection().execute(
            update(t.job)
            .where(t.job.c.id.in_(ids))
            .values(lease_until=now + LEASE, lease_token=token, attempts=t.job.c.attempts + 1)
        )
        statement = select(Job).where(t.job.c.id.in_(ids)).order_by(t.job.c.rank, t.job.c.due_at, t.job.c.id)
        return self._session.execute(statement.execution_options(populate_existing=True)).scalars().all()

    def next_due(self) -> datetime | None:
        statement = select(t.job.c.due_at).where(t.job.c.state == JobState.PENDING)
        return self._session.execute(statement.order_by(t.job.c.due_at).limit(1)).scalar()

    def failed(self) -> Sequence[Job]:
        return self._all(Job, t.job.c.state == JobState.FAILED, order=t.job.c.id)

    def get(self, job_id: int) -> Job:
        return self._get(Job, job_id)

"""Rows of the forwarding queues."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Select, false, func, or_, select, update

from telemed.adapters.db import tables as t
from telemed.adapters.db.repositories import Repository
from telemed.adapters.db.upsert import ensure
from telemed.domain.exchange import ForwardItem, ForwardState
from telemed.domain.study import StoredObject


class SqlForwards(Repository):
    def ensure(self, item: ForwardItem) -> bool:
        return ensure(self._session, item, "remote_node_id", "object_id")[1]

    def waiting(self, node_id: int, now: datetime, limit: int) -> Sequence[tuple[ForwardItem, StoredObject]]:
        item = t.forward_item.c
        queue = _queue_of(node_id)
        fresh = queue.where(item.due_at.is_(None)).order_by(item.id).limit(limit)
        found = [(row[0], row[1]) for row in self._session.execute(fresh)]
        if len(found) < limit:
            due = queue.where(item.due_at <= now).order_by(item.due_at, item.id)
            found += [(row[0], row[1]) for row in self._session.execute(due.limit(limit - len(found)))]
        return found

    def next_at(self, node_id: int, now: datetime) -> datetime | None:
        if self.waiting(node_id, now, 1):
            return now
        first = _queue_of(node_id).order_by(t.forward_item.c.due_at).limit(1)
        found = self._session.execute(first).first()
        return found[0].due_at if found else None

    def put_off_study(self, node_id: int, study_id: int, now: datetime) -> None:
        item = t.forward_item.c
        waiting = (item.remote_node_id == node_id, item.state == ForwardState.WAITING)
        fresh = (item.study_id == study_id, item.due_at.is_(None))
        self._session.connection().execute(update(t.forward_item).where(*waiting, *fresh).values(due_at=now))

    def try_anew(self, node_id: int, statuses: Collection[int | None] | None = None) -> int:
        item = t.forward_item.c
        here = update(t.forward_item).where(item.remote_node_id == node_id)
        self._session.connection().execute(here.where(item.state == ForwardState.WAITING).values(due_at=None))
        refused = here.where(item.state == ForwardState.REFUSED)
        if statuses is not None:
            known = [one for one in statuses if one is not None]
            unanswered = item.last_status.is_(None) if None in statuses else false()
            refused = refused.where(or_(item.last_status.in_(known), unanswered))
        anew = refused.values(state=ForwardState.WAITING, attempts=0, due_at=None)
        return int(self._session.connection().execute(anew).rowcount)

    def get(self, item_id: int) -> ForwardItem:
        return self._get(ForwardItem, item_id)

    def count(self, consortium_id: int, state: ForwardState) -> Mapping[int, int]:
        item = t.forward_item.c
        statement = (
            select(item.remote_node_id, func.count())
            .where(item.state == state, item.consortium_id == consortium_id)
            .group_by(item.remote_node_id)
        )
        return {int(row[0]): int(row[1]) for row in self._session.execute(statement)}


def _queue_of(node_id: int) -> Select[ForwardItem, StoredObject]:
    item, node, stored = t.forward_item.c, t.remote_node.c, t.stored_object.c
    return (
        select(ForwardItem, StoredObject)
        .join(t.stored_object, stored.id == item.object_id)
        .join(t.remote_node, node.id == item.remote_node_id)
        .where(
            item.remote_node_id == node_id,
            item.state == ForwardState.WAITING,
            node.consortium_id == stored.consortium_id,
        )
    )

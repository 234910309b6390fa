"""What a consortium asks of its reports."""

from collections.abc import Sequence

from sqlalchemy import delete

from telemed.adapters.db import tables as t
from telemed.adapters.db.repositories import Repository
from telemed.adapters.db.upsert import ensure
from telemed.domain.writing import RequiredPart


class SqlWriting(Repository):
    def required(self, consortium_id: int) -> Sequence[RequiredPart]:
        return self._all(
            RequiredPart, t.required_part.c.consortium_id == consortium_id, order=t.required_part.c.id
        )

    def ensure_required(self, row: RequiredPart) -> RequiredPart:
        return ensure(self._session, row, "consortium_id", "modality", "body_part", "part")[0]

    def remove_required(self, consortium_id: int, uid: str) -> bool:
        row = t.required_part.c
        gone = delete(t.required_part).where(row.consortium_id == consortium_id, row.uid == uid)
        return self._session.connection().execute(gone).rowcount == 1

"""What a consortium asks of its reports."""

from collections.abc import Sequence

from sqlalchemy import Table, delete

from telemed.adapters.db import tables as t
from telemed.adapters.db.repositories import Repository
from telemed.adapters.db.upsert import ensure
from telemed.domain.hanging import HangingRule
from telemed.domain.writing import ReportText, RequiredPart


class SqlWriting(Repository):
    def required(self, consortium_id: int) -> Sequence[RequiredPart]:
        return self._all(
            RequiredPart, t.required_part.c.consortium_id == consortium_id, order=t.required_part.c.id
        )

    def ensure_required(self, row: RequiredPart) -> RequiredPart:
        return ensure(self._session, row, "consortium_id", "modality", "body_part", "part")[0]

    def remove_required(self, consortium_id: int, uid: str) -> bool:
        return self._removed(t.required_part, consortium_id, uid)

    def texts(self, consortium_id: int) -> Sequence[ReportText]:
        return self._all(
            ReportText, t.report_text.c.consortium_id == consortium_id, order=t.report_text.c.code
        )

    def ensure_text(self, text: ReportText) -> ReportText:
        return ensure(self._session, text, "consortium_id", "code")[0]

    def remove_text(self, consortium_id: int, uid: str) -> bool:
        return self._removed(t.report_text, consortium_id, uid)

    def hanging(self, consortium_id: int) -> Sequence[HangingRule]:
        return self._all(
            HangingRule, t.hanging_rule.c.consortium_id == consortium_id, order=t.hanging_rule.c.id
        )

    def ensure_hanging(self, rule: HangingRule) -> HangingRule:
        return ensure(self._session, rule, "institution_id", "modality", "body_part")[0]

    def remove_hanging(self, consortium_id: int, uid: str) -> bool:
        return self._removed(t.hanging_rule, consortium_id, uid)

    def _removed(self, table: Table, consortium_id: int, uid: str) -> bool:
        gone = delete(table).where(table.c.consortium_id == consortium_id, table.c.uid == uid)
        return self._session.connection().execute(gone).rowcount == 1

"""What the writing of reports asks of the database."""

from collections.abc import Sequence
from typing import Protocol

from telemed.domain.hanging import HangingRule
from telemed.domain.writing import ReportText, RequiredPart


class Writing(Protocol):
    def required(self, consortium_id: int) -> Sequence[RequiredPart]: ...
    def ensure_required(self, row: RequiredPart) -> RequiredPart:
        """One row for each part of an exam."""

    def texts(self, consortium_id: int) -> Sequence[ReportText]: ...
    def ensure_text(self, text: ReportText) -> ReportText:
        """One text for each code."""

    def remove_text(self, consortium_id: int, uid: str) -> bool: ...
    def remove_required(self, consortium_id: int, uid: str) -> bool: ...
    def hanging(self, consortium_id: int) -> Sequence[HangingRule]: ...
    def ensure_hanging(self, rule: HangingRule) -> HangingRule:
        """One row for each exam of a centre."""

    def remove_hanging(self, consortium_id: int, uid: str) -> bool: ...

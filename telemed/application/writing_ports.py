"""What the writing of reports asks of the database."""

from collections.abc import Sequence
from typing import Protocol

from telemed.domain.writing import RequiredPart


class Writing(Protocol):
    def required(self, consortium_id: int) -> Sequence[RequiredPart]: ...
    def ensure_required(self, row: RequiredPart) -> RequiredPart:
        """One row for each part of an exam."""

    def remove_required(self, consortium_id: int, uid: str) -> bool: ...

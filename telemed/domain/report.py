"""A report and its versions. A signed version is never overwritten: an amendment is a new row."""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from telemed.domain.errors import Conflict, InvalidInput


class ReportState(StrEnum):
    DRAFT = "draft"
    AWAITING_REVIEW = "awaiting_review"
    FINAL = "final"
    # Replaced by a later version; what was signed stays readable.
    AMENDED = "amended"
    WITHDRAWN = "withdrawn"


@dataclass(eq=False, kw_only=True)
class Report:
    uid: str
    case_id: int
    institution_id: int
    consortium_id: int
    number: int  # version of the report, from 1
    author_id: int
    created_at: datetime
    updated_at: datetime
    findings: str = ""
    impression: str = ""
    recommendation: str = ""
    critical: bool = False
    abnormal: bool = True
    state: ReportState = ReportState.DRAFT
    # Counts saves; a signature names the revision its signer saw.
    revision: int = 0
    review_comment: str = ""
    signed_by: int | None = None
    signed_at: datetime | None = None
    reviewed_by: int | None = None
    reviewed_at: datetime | None = None
    released_at: datetime | None = None
    content_sha256: str = ""
    verification_code: str = ""
    amends_report_id: int | None = None
    pdf_sha256: str = ""
    withdrawn_at: datetime | None = None
    withdrawn_by: int | None = None
    withdrawal_reason: str = ""
    id: int = field(init=False)
    version: int = field(init=False)

    def write(
        self,
        *,
        findings: str,
        impression: str,
        recommendation: str,
        critical: bool,
        abnormal: bool,
        now: datetime,
    ) -> None:
        # Not while it awaits review: the first signature stands for these very words.
        if self.state is not ReportState.DRAFT:
            raise Conflict("error.report_is_signed")
        self.findings, self.impression, self.recommendation = findings, impression, recommendation
        self.critical, self.abnormal = critical, abnormal
        self.updated_at = now
        self.revision += 1

    def sign(self, user_id: int, revision: int, now: datetime, *, needs_review: bool) -> None:
        """The reporting doctor's signature: final, or waiting for the second one."""
        if self.state is not ReportState.DRAFT:
            raise Conflict("error.report_is_signed")
        self._demand_signable(revision)
        self.signed_by, self.signed_at = user_id, now
        if needs_review:
            self.state = ReportState.AWAITING_REVIEW
        else:
            self._release(now)

    def review(self, user_id: int, revision: int, now: datetime) -> None:
        """The reviewing doctor's signature: another person than the first signer."""
        if self.state is not ReportState.AWAITING_REVIEW:
            raise Conflict("error.report_not_awaiting_review")
        if self.signed_by == user_id:
            raise Conflict("error.reviewer_is_author")
        self._demand_signable(revision)
        self.reviewed_by, self.reviewed_at = user_id, now
        self._release(now)

    def send_back(self, user_id: int, comment: str, now: datetime) -> None:
        if self.state is not ReportState.AWAITING_REVIEW:
            raise Conflict("error.report_not_awaiting_review")
        if self.signed_by == user_id:
            raise Conflict("error.reviewer_is_author")
        if not comment.strip():
            raise InvalidInput("error.comment_required", field="comment")
        self.state, self.review_comment = ReportState.DRAFT, comment.strip()
        self.signed_by = self.signed_at = None
        self.updated_at = now

    def withdraw(self, user_id: int, reason: str, now: datetime) -> bool:
        """It holds no longer, in any version; what was signed stays as it was. True if it held until now."""
        if self.state is ReportState.WITHDRAWN:
            return False
        self.state, self.withdrawn_at, self.withdrawn_by = ReportState.WITHDRAWN, now, user_id
        self.withdrawal_reason = reason
        return True

    def outdate(self, now: datetime) -> None:
        """What the draft is about has changed: a signature over the revision shown before is refused."""
        self.revision += 1
        self.updated_at = now

    def _demand_signable(self, revision: int) -> None:
        if revision != self.revision:
            raise Conflict("error.report_changed_since_shown")
        for name in ("findings", "impression"):
            if not getattr(self, name).strip():
                raise InvalidInput("error.report_field_empty", field=name)

    def _release(self, now: datetime) -> None:
        self.state, self.released_at = ReportState.FINAL, now
        self.content_sha256 = self.digest()

    def digest(self) -> str:
        """SHA-256 over what was signed, by whom and when: any later change is detectable."""
        content = [
            self.uid,
            self.case_id,
            self.number,
            self.findings,
            self.impression,
            self.recommendation,
            self.critical,
            self.abnormal,
            self.signed_by,
            self.signed_at.isoformat() if self.signed_at else None,
            self.reviewed_by,
            self.reviewed_at.isoformat() if self.reviewed_at else None,
        ]
        return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()

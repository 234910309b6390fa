"""A report and its versions. A signed version is never overwritten: an amendment is a new row."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from telemed.domain.errors import Conflict, InvalidInput


class ReportState(StrEnum):
    DRAFT = "draft"
    AWAITING_REVIEW = "awaiting_review"
    # Signed by everybody who must; for some seconds it can be taken back, and until then nobody has it.
    HELD = "held"
    # An emergency report (急诊报告), released under one signature; the final one takes its place.
    PRELIMINARY = "preliminary"
    FINAL = "final"
    # Replaced by a later version; what was signed stays readable.
    AMENDED = "amended"
    WITHDRAWN = "withdrawn"


# What its recipients have and go by.
IN_FORCE = frozenset({ReportState.PRELIMINARY, ReportState.FINAL})
WORDS = ("findings", "impression", "recommendation", "critical", "abnormal")
NO_HOLD = timedelta(0)


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
    # Until then the last signature can be taken back by whoever gave it.
    hold_until: datetime | None = None
    # The words of the first signature, where the reviewing doctor changed them.
    submitted: dict[str, str | bool] | None = None
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

    def put(self, words: Mapping[str, str | bool], revision: int, now: datetime) -> None:
        """Writes words upon the revision they were written on; the same words again count no further save."""
        if revision != self.revision:
            raise Conflict("error.report_changed_since_shown")
        if self.revision == 0 or self._words() != words:
            self.write(
                findings=str(words["findings"]),
                impression=str(words["impression"]),
                recommendation=str(words["recommendation"]),
                critical=bool(words["critical"]),
                abnormal=bool(words["abnormal"]),
                now=now,
            )

    def spoken(self, revision: int, words: Mapping[str, str | bool] | None) -> bool:
        """Whether this is what was asked for before: that revision; or these words, put upon that revision."""
        if words is None:
            return self.revision == revision
        return self.revision - revision in (0, 1) and self._words() == words

    def _words(self) -> dict[str, str | bool]:
        return {name: getattr(self, name) for name in WORDS}

    def sign(
        self, user_id: int, revision: int, now: datetime, *, needs_review: bool, hold: timedelta = NO_HOLD
    ) -> None:
        """The reporting doctor's signature: the last one, or waiting for the second."""
        if self.state is not ReportState.DRAFT:
            raise Conflict("error.report_is_signed")
        self._demand_signable(revision)
        # What is signed now are the own words again, whoever wrote them first.
        self.submitted = None
        self.signed_by, self.signed_at = user_id, now
        if needs_review:
            self.state = ReportState.AWAITING_REVIEW
            self.hold_until = now + hold if hold else None
        else:
            self._complete(now, hold)

    def review(self, user_id: int, revision: int, now: datetime, *, hold: timedelta = NO_HOLD) -> None:
        """The reviewing doctor's signature: another person than the first signer."""
        if self.state is not ReportState.AWAITING_REVIEW:
            raise Conflict("error.report_not_awaiting_review")
        if self.signed_by == user_id:
            raise Conflict("error.reviewer_is_author")
        self._demand_signable(revision)
        self.reviewed_by, self.reviewed_at = user_id, now
        self._complete(now, hold)

    def release_preliminary(self, user_id: int, revision: int, now: datetime) -> None:
        """Out at once under one signature: it waits for no second one and for no second thoughts."""
        if self.state is not ReportState.DRAFT:
            raise Conflict("error.report_is_signed")
        self._demand_signable(revision)
        self.signed_by, self.signed_at = user_id, now
        self._release(now)
        self.state = ReportState.PRELIMINARY

    def _complete(self, now: datetime, hold: timedelta) -> None:
        if hold:
            self.state, self.hold_until = ReportState.HELD, now + hold
        else:
            self._release(now)

    def apply(self, now: datetime) -> bool:
        """The hold is over: final. True if it was this call that made it so."""
        if self.state is not ReportState.HELD or self.hold_until is None or now < self.hold_until:
            return False
        self._release(now)
        return True

    def undoable_by(self, user_id: int, now: datetime) -> bool:
        """A held signature while it is held; the first of two while nobody has answered it, for as long."""
        if self.state is ReportState.HELD:
            return user_id == (self.reviewed_by or self.signed_by)
        first = self.state is ReportState.AWAITING_REVIEW and self.signed_by == user_id
        return first and self.hold_until is not None and now < self.hold_until

    def undo(self, user_id: int, now: datetime) -> None:
        """Takes the last signature back, as if it had not been given."""
        if not self.undoable_by(user_id, now):
            raise Conflict("error.signature_applied")
        if self.reviewed_by is not None:
            self.state, self.reviewed_by, self.reviewed_at = ReportState.AWAITING_REVIEW, None, None
        else:
            self.state, self.signed_by, self.signed_at = ReportState.DRAFT, None, None
        self.hold_until, self.updated_at = None, now

    def revise(self, user_id: int, revision: int, words: Mapping[str, str | bool], now: datetime) -> bool:
        """The reviewing doctor's words in the place of the first signer's, which are kept beside them.

        True if there was anything to change.
        """
        if self.state is not ReportState.AWAITING_REVIEW:
            raise Conflict("error.report_not_awaiting_review")
        if self.signed_by == user_id:
            raise Conflict("error.reviewer_is_author")
        if revision != self.revision:
            raise Conflict("error.report_changed_since_shown")
        before = self._words()
        if before == words:
            return False
        if self.submitted is None:
            self.submitted = before
        for name in WORDS:
            setattr(self, name, words[name])
        self.revision += 1
        self.updated_at = now
        return True

    def send_back(self, user_id: int, comment: str, now: datetime) -> None:
        if self.state is not ReportState.AWAITING_REVIEW:
            raise Conflict("error.report_not_awaiting_review")
        if self.signed_by == user_id:
            raise Conflict("error.reviewer_is_author")
        if not comment.strip():
            raise InvalidInput("error.comment_required", field="comment")
        self.state, self.review_comment = ReportState.DRAFT, comment.strip()
        self.signed_by = self.signed_at = self.hold_until = None
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
        self.state, self.released_at, self.hold_until = ReportState.FINAL, now, None
        self.content_sha256 = self.digest()

    def digest(self) -> str:
        """SHA-256 over what was signed, by whom and when: any later change is detectable."""
        content: list[object] = [
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
        if self.submitted is not None:
            content.append([self.submitted[name] for name in WORDS])
        return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()

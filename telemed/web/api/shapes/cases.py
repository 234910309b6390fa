"""A case as it is opened and worked on."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from telemed.domain.repeat import RepeatCode
from telemed.domain.report import ReportState
from telemed.domain.writing import Demanded, Part
from telemed.web.api.shapes.basics import Body, Instant, Reason
from telemed.web.api.shapes.worklist import Row


class InstanceOut(BaseModel):
    sop_instance_uid: str
    sop_class_uid: str
    kind: Literal["ecg", "image", "document", "other"]
    frames: int
    rows: int | None
    columns: int | None
    waveform_url: str | None
    rendered_url: str | None
    quality: list[Reason]


class SeriesOut(BaseModel):
    series_instance_uid: str
    number: int | None
    modality: str
    description: str
    instances: list[InstanceOut]


class ReportOut(BaseModel):
    id: str
    number: int
    state: ReportState
    findings: str
    impression: str
    recommendation: str
    critical: bool
    abnormal: bool
    revision: int
    author: str | None
    signed_by: str | None
    signed_at: Instant | None
    reviewed_by: str | None
    reviewed_at: Instant | None
    released_at: Instant | None
    review_comment: str
    verification_code: str
    pdf_url: str | None
    updated_at: Instant
    withdrawn_at: Instant | None
    withdrawal_reason: str
    # The first signer's words, where the reviewing doctor changed them.
    submitted: dict[str, str | bool] | None
    # Signed, and until then it can be taken back.
    hold_until: Instant | None


class NoticeOut(BaseModel):
    id: str
    code: str
    text: str
    created_at: Instant


class NoticeRow(NoticeOut):
    resolved_at: Instant | None


class Can(BaseModel):
    claim: bool
    write: bool
    sign: bool
    review: bool
    amend: bool
    repeat: bool
    undo: bool
    preliminary: bool
    take: bool


class RepeatOut(BaseModel):
    # Of the latest time it went back.
    open: bool
    reason: str
    asked_at: Instant
    # What came since and is, or may be, what was asked for.
    answer_at: Instant | None
    closed_at: Instant | None
    closed_because: str


class CaseOut(Row):
    series: list[SeriesOut]
    analyses: list[dict[str, Any]]
    ai_reason: str
    generation: int
    report: ReportOut | None
    versions: list[ReportOut]
    notices: list[NoticeOut]
    can: Can
    lease_until: Instant | None
    # Reported before under another person; that report was withdrawn.
    read_again: bool
    # Parts that must not be empty: always, or where the report is abnormal.
    demanded: dict[Part, Demanded]
    # Who would like to go on with it in the place of its holder.
    asked_by: str
    # That it went back to be made again, and what became of it.
    repeat: RepeatOut | None
    # Of what went back it is the new recording, or may be: for as long as it is open nobody has said so.
    repeats: list[RepeatOut]


class DraftIn(Body):
    findings: str = ""
    impression: str = ""
    recommendation: str = ""
    critical: bool = False
    abnormal: bool = True
    revision: int = Field(ge=0)


class WordsIn(Body):
    findings: str = Field(max_length=8000)
    impression: str = Field(max_length=8000)
    recommendation: str = Field(max_length=8000)
    critical: bool
    abnormal: bool


class SignIn(Body):
    # The revision that was shown.
    revision: int = Field(ge=0)
    # What is shown upon it: claimed, written and signed in one step. Absent where it was saved before.
    words: WordsIn | None = None

    def written(self) -> dict[str, str | bool] | None:
        return self.words.model_dump() if self.words else None


class ReviewIn(Body):
    decision: Literal["approve", "return"]
    revision: int = Field(ge=0)
    comment: str = Field("", max_length=400)
    # What the reviewing doctor made of the text; absent where nothing was changed.
    words: WordsIn | None = None


class RepeatMarkIn(Body):
    """A box in shares of the picture; or leads of a recording, a stretch of it, or both."""

    sop_instance_uid: str = Field(max_length=64)
    x: float = 0
    y: float = 0
    width: float = 0
    height: float = 0
    leads: tuple[str, ...] = Field((), max_length=12)
    from_ms: int | None = Field(None, ge=0)
    to_ms: int | None = None


class RepeatIn(Body):
    reason: str = Field(max_length=400)
    code: RepeatCode = RepeatCode.OTHER
    mark: RepeatMarkIn | None = None


class RepeatMarkOut(RepeatMarkIn):
    picture_url: str | None


class ReasonIn(Body):
    reason: str = Field(max_length=400)

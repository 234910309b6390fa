"""Bodies and answers of the API, as /openapi.json shows them."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, field_validator

from telemed.domain.case import AiState, CaseState
from telemed.domain.critical import Tier
from telemed.domain.order import OrderSource
from telemed.domain.people import InstitutionKind, MadeObjects, Role
from telemed.domain.repeat import RepeatCode
from telemed.domain.report import ReportState
from telemed.domain.worklist import View
from telemed.domain.writing import Demanded, Part

T = TypeVar("T")


def _utc(value: datetime) -> str:
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")


Instant = Annotated[datetime, PlainSerializer(_utc, return_type=str)]
# A form sends a field nobody filled in as an empty text.
EmptyIsNone = Annotated[T | None, BeforeValidator(lambda given: None if given == "" else given)]
PriorityName = Literal["stat", "urgent", "routine"]


class Body(BaseModel):
    model_config = ConfigDict(extra="ignore")

    @field_validator("*", mode="before")
    @classmethod
    def _storable(cls, value: Any) -> Any:
        """JSON can spell half a surrogate pair and NUL; no database and no page takes them for text."""
        if isinstance(value, str):
            value.encode()  # UnicodeEncodeError is a ValueError
            if "\0" in value:
                raise ValueError("NUL")
        return value


# --- people ------------------------------------------------------------------------------------------------


class UserOut(BaseModel):
    id: str
    username: str
    display_name: str
    role: Role
    language: str
    licensed: bool


class InstitutionRef(BaseModel):
    id: str
    name: str


class SessionOut(BaseModel):
    user: UserOut
    institution: InstitutionRef
    csrf_token: str
    signing_until: Instant


class PasswordIn(Body):
    password: str = Field(max_length=256)


class OwnPasswordIn(PasswordIn):
    """`password` is the present one; the new one twice, since nobody sees what they type."""

    new_password: str = Field(max_length=256)
    repeated: str = Field(max_length=256)


class SigningOut(BaseModel):
    signing_until: Instant


class LanguageIn(Body):
    language: Literal["zh-CN", "en"]


# --- patients and cases --------------------------------------------------------------------------------------


class Age(BaseModel):
    value: int
    unit: Literal["year", "month", "day"]


class PatientOut(BaseModel):
    name: str
    sex: str
    age: Age | None
    patient_id: str
    id_last4: str


class Holder(BaseModel):
    name: str
    mine: bool


class Ai(BaseModel):
    state: AiState
    flags: list[str]


class Priors(BaseModel):
    count: int
    latest: Instant | None


class Row(BaseModel):
    """`position` sorts as text in the order of the list; `views` are those the row stands in. Not among them is
    `overdue`: into that one a row of `all` comes by the clock."""

    id: str
    state: CaseState
    priority: PriorityName
    effective_priority: PriorityName
    raised_because: str
    deadline: Instant
    arrived_at: Instant
    modality: str
    exam: str
    body_part: str
    site: str
    site_id: str
    patient: PatientOut
    accession_number: str
    history: str
    holder: Holder | None
    ai: Ai
    study_instance_uid: str
    order_source: OrderSource
    critical: Tier | None
    returned: bool
    priors: Priors
    position: str
    views: list[View]


class WorklistOut(BaseModel):
    rows: list[Row]
    next_cursor: str | None
    counts: dict[str, int]
    # A count beyond it means "more".
    count_limit: int
    now: Instant
    last_event_id: int


class Reason(BaseModel):
    code: str
    text: str


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


class MarkIn(Body):
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
    mark: MarkIn | None = None


class MarkOut(MarkIn):
    picture_url: str | None


class ReasonIn(Body):
    reason: str = Field(max_length=400)


# --- the township --------------------------------------------------------------------------------------------


class ReportRef(BaseModel):
    id: str
    pdf_url: str | None
    abnormal: bool
    critical: bool
    # An emergency report: the final one is still to come.
    preliminary: bool
    released_at: Instant | None


class ExamOut(BaseModel):
    study_instance_uid: str
    modality: str
    exam: str
    patient: PatientOut
    accession_number: str
    arrived: int
    placed: int
    safe: bool
    complete: bool
    state: Literal["receiving", "waiting", "reading", "awaiting_review", "reported", "repeat"]
    reader: str | None
    report: ReportRef | None
    quality: list[Reason]
    repeat_reason: str
    repeat_mark: MarkOut | None
    conflicts: int
    received_at: Instant
    order_source: OrderSource | None


class ExamsOut(BaseModel):
    exams: list[ExamOut]


class ObjectDigest(BaseModel):
    sop_instance_uid: str
    sha256: str
    size: int


class StudyOut(ExamOut):
    generation: int
    digests: list[ObjectDigest]


class UploadedOut(BaseModel):
    file: str
    status: Literal["new", "repeat", "alternate", "conflict", "refused"]
    sop_instance_uid: str | None = None
    study_instance_uid: str | None = None
    sha256: str
    size: int
    problem: str | None = None
    code: str | None = None


class UploadsOut(BaseModel):
    objects: list[UploadedOut]
    accepted: int
    refused: int


class OrderPatientIn(Body):
    patient_id: str
    name: str
    sex: str = ""
    birth_date: date | None = None
    id_card_number: str = ""


class OrderIn(Body):
    accession_number: str = ""
    patient: OrderPatientIn
    modality: str
    description: str = Field("", max_length=200)
    body_part: str = Field("", max_length=64)
    priority: PriorityName = "routine"
    clinical_history: str = Field("", max_length=2000)
    # An instant, or a time of day and date in the institution's own zone.
    scheduled_at: datetime | None = None
    station_ae_title: str = Field("", max_length=16)


class OrderOut(BaseModel):
    id: str
    accession_number: str
    patient_id: str
    modality: str
    description: str
    body_part: str
    priority: PriorityName
    clinical_history: str
    source: OrderSource
    created_at: Instant


class CsvFault(BaseModel):
    line: int
    problem: str


class CsvOut(BaseModel):
    created: int
    existing: int
    errors: list[CsvFault]


class InboxRowOut(BaseModel):
    id: str
    report: ReportOut
    patient: PatientOut
    modality: str
    exam: str
    study_instance_uid: str
    reporting_institution: str
    applicant_institution: str
    created_at: Instant
    opened_at: Instant | None
    acknowledged_at: Instant | None
    abnormal: bool
    critical: bool
    pdf_url: str | None


class InboxOut(BaseModel):
    rows: list[InboxRowOut]


# --- administration ------------------------------------------------------------------------------------------


class ModelOut(BaseModel):
    name: str
    version: str
    sha256: str
    task: str
    card: str
    approved: bool
    approved_at: Instant | None


class ApproveIn(Body):
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    institution: str | None = None


class WithdrawIn(Body):
    institution: str | None = None


class AdminUserOut(BaseModel):
    id: str
    username: str
    display_name: str
    role: Role
    institution: InstitutionRef
    license_number: str
    language: str
    active: bool


class AdminUserIn(Body):
    username: str = Field(max_length=64)
    display_name: str = Field(max_length=64)
    role: Role
    password: str = Field(max_length=256)
    license_number: str = Field("", max_length=64)
    language: Literal["zh-CN", "en"] = "zh-CN"
    institution: str | None = None


class DeviceOut(BaseModel):
    id: str
    ae_title: str
    network: str
    certificate_sha256: str
    default_charset: str
    description: str
    institution: InstitutionRef
    active: bool


class ActiveIn(Body):
    active: bool


class DeviceFieldsIn(Body):
    network: str = Field(max_length=64)
    certificate_sha256: str = Field("", max_length=95)
    default_charset: str = Field("", max_length=32)
    description: str = Field("", max_length=200)


class DeviceIn(DeviceFieldsIn):
    ae_title: str = Field(max_length=16)
    institution: str | None = None


class DeviceChange(DeviceFieldsIn):
    active: bool = False


class InstitutionOut(BaseModel):
    id: str
    code: str
    name: str
    name_en: str
    kind: InstitutionKind
    parent: str | None
    time_zone: str
    quiet_seconds: int
    second_signature: bool
    signing_minutes: int
    hold_seconds: int
    made_objects: MadeObjects
    issuer_names: str
    worklist_days: int
    step_hours: int
    commitment_days: int


class MadeObjectsIn(Body):
    made_objects: MadeObjects


class MachineRulesIn(Body):
    # Further names of the site as the issuer of its patient numbers, one a line.
    issuer_names: str = Field("", max_length=2000)
    worklist_days: int = Field(7, ge=1, le=366)
    step_hours: int = Field(12, ge=1, le=720)
    commitment_days: int = Field(7, ge=1, le=366)


class InstitutionIn(Body):
    code: str = Field(max_length=64)
    name: str = Field(max_length=200)
    name_en: str = Field("", max_length=200)
    kind: InstitutionKind
    time_zone: str = "Asia/Shanghai"
    quiet_seconds: int = Field(30, ge=0, le=3600)
    second_signature: bool = True

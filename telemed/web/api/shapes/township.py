"""What a township sends, asks for and receives."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field

from telemed.domain.order import OrderSource
from telemed.web.api.shapes.basics import Body, Instant, PatientOut, PriorityName, Reason
from telemed.web.api.shapes.cases import RepeatMarkOut, RepeatOut, ReportOut


class ReportRef(BaseModel):
    id: str
    pdf_url: str | None
    abnormal: bool
    critical: bool
    # An emergency report: the final one is still to come.
    preliminary: bool
    released_at: Instant | None


class RepeatClosing(Body):
    # Not needed where a new recording has come: that is the reason.
    reason: str = Field("", max_length=400)


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
    state: Literal["receiving", "waiting", "reading", "awaiting_review", "reported", "repeat", "repeated"]
    reader: str | None
    report: ReportRef | None
    quality: list[Reason]
    repeat_reason: str
    repeat_mark: RepeatMarkOut | None
    repeat: RepeatOut | None
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
    # What the machine's worklist names the examination by: e.g. "P1-73800", "SRT", "12 lead ECG".
    code_value: str = Field("", max_length=16)
    code_scheme: str = Field("", max_length=16)
    code_meaning: str = Field("", max_length=64)


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

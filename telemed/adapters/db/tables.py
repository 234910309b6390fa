"""The tables. Keys: bigint inside, a random identifier (`uid`) outside; whatever someone can see carries its
institution and consortium."""

from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from telemed.adapters.db.types import BigKey, EnumValue, IntEnumValue, UtcDateTime
from telemed.application.jobs import JobKind, JobState
from telemed.domain.case import AiState, CaseState
from telemed.domain.critical import ActionKind, Check, CriticalState, How, Milestone, Tier
from telemed.domain.delivery import RecipientKind
from telemed.domain.events import Kind
from telemed.domain.exchange import CommitmentState, ForwardState
from telemed.domain.order import OrderSource, Priority
from telemed.domain.people import InstitutionKind, MadeObjects, Role
from telemed.domain.report import ReportState
from telemed.domain.scheduling import PerformedState, StepState
from telemed.domain.study import ObjectRole, StudyState
from telemed.domain.writing import Demanded, Part, TextKind

# Named constraints, so that a later migration can address them on every engine.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
# Compared by code point on every engine: the beginning of a text is then a range of an index.
_SearchText = String(120).with_variant(String(120, collation="C"), "postgresql")
Json = JSON().with_variant(JSONB(), "postgresql")


# Where nothing is said there is no value, and not the value "null".
NullJson = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def _key() -> Column[Any]:
    return Column("id", BigKey, primary_key=True, autoincrement=True)


def _uid() -> Column[Any]:
    return Column("uid", String(36), nullable=False, unique=True)


def _version() -> Column[Any]:
    return Column("version", Integer, nullable=False)


def _ref(name: str, target: str, *, null: bool = False, index: bool = False) -> Column[Any]:
    return Column(name, BigKey, ForeignKey(f"{target}.id"), nullable=null, index=index)


def _text(name: str, length: int = 0, default: str | None = "") -> Column[Any]:
    return Column(name, String(length) if length else Text(), nullable=False, server_default=default)


institution = Table(
    "institution",
    metadata,
    _key(),
    _uid(),
    Column("kind", EnumValue(InstitutionKind), nullable=False),
    Column("code", String(32), nullable=False, unique=True),
    _text("name", 200),
    _text("name_en", 200),
    _ref("parent_id", "institution", null=True),
    _ref("consortium_id", "institution", null=True),
    _text("time_zone", 64, "Asia/Shanghai"),
    Column("quiet_seconds", Integer, nullable=False),
    Column("second_signature", Boolean, nullable=False),
    Column("signing_minutes", Integer, nullable=False),
    Column("hold_seconds", Integer, nullable=False, server_default="10"),
    _text("certificate_authority"),
    Column("certificate_demanded", Boolean, nullable=False, server_default=false()),
    Column("made_objects", EnumValue(MadeObjects), nullable=False, server_default=MadeObjects.REPORTS.value),
    _version(),
)

user_account = Table(
    "user_account",
    metadata,
    _key(),
    _uid(),
    Column("username", String(64), nullable=False, unique=True),
    _text("display_name", 100),
    Column("role", EnumValue(Role), nullable=False),
    _ref("institution_id", "institution", index=True),
    _ref("consortium_id", "institution"),
    _text("password_hash", 200),
    _text("license_number", 64),
    _text("language", 8, "zh-CN"),
    Column("active", Boolean, nullable=False),
    Column("failed_sign_ins", Integer, nullable=False),
    Column("locked_until", UtcDateTime),
    _version(),
)

web_session = Table(
    "web_session",
    metadata,
    _key(),
    Column("token_digest", String(64), nullable=False, unique=True),
    _text("kind", 8),
    _ref("user_id", "user_account"),
    _text("csrf_token", 64),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    Column("authenticated_at", UtcDateTime, nullable=False),
)

device = Table(
    "device",
    metadata,
    _key(),
    _uid(),
    _ref("institution_id", "institution"),
    _ref("consortium_id", "institution"),
    Column("ae_title", String(16), nullable=False, index=True),
    _text("network", 64),
    Column("certificate_sha256", String(64)),
    Column("default_charset", String(64)),
    _text("description", 200),
    Column("active", Boolean, nullable=False),
    _version(),
)

resident = Table(
    "resident",
    metadata,
    _key(),
    _uid(),
    _ref("consortium_id", "institution"),
    _text("name", 200),
    _text("sex", 1),
    Column("birth_date", Date),
    Column("id_card_keyed_hash", String(64)),
    _text("id_card_last4", 4),
    _text("phone", 32),
    _version(),
    UniqueConstraint("consortium_id", "id_card_keyed_hash"),
    Index("ix_resident_last4", "consortium_id", "id_card_last4"),
)

contract = Table(
    "contract",
    metadata,
    _key(),
    _uid(),
    _ref("resident_id", "resident", index=True),
    _ref("family_doctor_id", "user_account", index=True),
    _ref("institution_id", "institution"),
    _ref("consortium_id", "institution"),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
)

patient = Table(
    "patient",
    metadata,
    _key(),
    _uid(),
    _ref("institution_id", "institution"),
    _ref("consortium_id", "institution"),
    Column("patient_id", String(64), nullable=False),
    _text("name", 324),
    _text("name_pinyin", 400),
    _text("name_initials", 64),
    _text("sex", 1),
    Column("birth_date", Date),
    _ref("resident_id", "resident", null=True, index=True),
    _version(),
    UniqueConstraint("institution_id", "patient_id"),
)

exam_order = Table(
    "exam_order",
    metadata,
    _key(),
    _uid(),
    _ref("institution_id", "institution"),
    _ref("consortium_id", "institution"),
    Column("accession_number", String(64), nullable=False),
    _ref("patient_id", "patient", index=True),
    Column("source", EnumValue(OrderSource), nullable=False),
    Column("priority", IntEnumValue(Priority), nullable=False),
    _text("clinical_history"),
    Column("created_at", UtcDateTime, nullable=False),
    _ref("created_by", "user_account", null=True),
    _version(),
    UniqueConstraint("institution_id", "accession_number"),
)

procedure = Table(
    "requested_procedure",
    metadata,
    _key(),
    _uid(),
    _ref("order_id", "exam_order", index=True),
    _ref("institution_id", "institution"),
    _ref("consortium_id", "institution"),
    _text("modality", 16),
    _text("description", 200),
    _text("body_part", 64),
    _version(),
)

study = Table(
    "study",
    metadata,
    _key(),
    _uid(),
    _ref("institution_id", "institution"),
    _ref("consortium_id", "institution"),
    Column("study_instance_uid", String(64), nullable=False, index=True),
    _ref("patient_id", "patient", index=True),
    _text("modality", 16),
    _text("accession_number", 64),
    _text("description", 200),
    _text("body_part", 64),
    _text("study_date", 8),
    _text("study_time", 16),
    Column("state", EnumValue(StudyState), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("object_count", Integer, nullable=False),
    Column("first_object_at", UtcDateTime, nullable=False),
    Column("last_object_at", UtcDateTime, nullable=False),
    Column("whole_at", UtcDateTime),
    _ref("procedure_id", "requested_procedure", null=True, index=True),
    _version(),
    UniqueConstraint("institution_id", "study_instance_uid"),
    Index("ix_study_institution_last", "institution_id", "last_object_at"),
)

series = Table(
    "series",
    metadata,
    _key(),
    _uid(),
    _ref("study_id", "study"),
    _ref("institution_id", "institution"),
    _ref("consortium_id", "institution"),
    Column("series_instance_uid", String(64), nullable=False),
    _text("modality", 16),
    Column("number", Integer),
    _text("description", 200),
    UniqueConstraint("study_id", "series_instance_uid"),
)

stored_object = Table(
    "stored_object",
    metadata,
    _key(),
    _uid(),
    _ref("institution_id", "institution"),
    _ref("consortium_id", "institution"),
    _ref("study_id", "study", index=True),
    _ref("series_id", "series"),
    Column("sop_class_uid", String(64), nullable=False),
    Column("sop_instance_uid", String(64), nullable=False, index=True),
    Column("transfer_syntax_uid", String(64), nullable=False),
    Column("role", EnumValue(ObjectRole), nullable=False),
    Column("dataset_sha256", String(64), nullable=False),
    Column("file_sha256", String(64), nullable=False, index=True),
    Column("size", BigKey, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("instance_number", Integer),
    Column("frames", Integer, nullable=False),
    Column("rows", Integer),
    Column("columns", Integer),
    _ref("device_id", "device", null=True),
    _ref("uploaded_by", "user_account", null=True),
    Column("placed", Boolean, nullable=False),
    _text("quality", 200),
    _text("source_uid", 64),
    _version(),
    # Racing senders of one object leave one row: the database decides, not a look before the insert.
    UniqueConstraint("institution_id", "sop_instance_uid", "dataset_sha256", "transfer_syntax_uid"),
    Index(
        "uq_stored_object_primary",
        "institution_id",
        "sop_instance_uid",
        unique=True,
        sqlite_where=text("role = 'primary'"),
        postgresql_where=text("role = 'primary'"),
    ),
)

# The conditions stand in the statements word for word: that is how an engine knows that it may use an index.
# Spelled with OR, because that is how PostgreSQL hands them back.
IS_UNREAD = "state = 'waiting' OR state = 'reading'"
IS_OPEN = f"{IS_UNREAD} OR state = 'signing' OR state = 'awaiting_review'"
IS_DONE = "state = 'final' OR state = 'repeat_requested' OR state = 'closed'"
IS_IN_REVIEW = "state = 'awaiting_review'"
IS_RETURNED = "returned_at IS NOT NULL"
IS_CRITICAL = "critical_tier IS NOT NULL"


def _list_indexes() -> list[Index]:
    """The order of the list, once for each view that is cut from it: a page is the beginning of an index, however
    many cases are done. Small, because all but the last hold open cases only."""
    order = ("effective_priority", "deadline", "arrived_at", "id")
    place = "reporting_institution_id"

    def some(name: str, where: str, *columns: str) -> Index:
        return Index(f"ix_case_{name}", *columns, sqlite_where=text(where), postgresql_where=text(where))

    return [
        some("open", IS_OPEN, place, *order),
        some("waiting", IS_UNREAD, place, *order),
        some("review", IS_IN_REVIEW, place, *order),
        some("returned", IS_RETURNED, place, *order),
        some("critical", IS_CRITICAL, place, *order),
        some("mine", "claimed_by IS NOT NULL", "claimed_by", *order),
        some("done", IS_DONE, place, "id", "name_id"),
        # All cases of one name, the newest first.
        some("name", "name_id IS NOT NULL", place, "name_id", "id"),
    ]


reading_case = Table(
    "reading_case",
    metadata,
    _key(),
    _uid(),
    _ref("institution_id", "institution"),
    _ref("consortium_id", "institution"),
    _ref("reporting_institution_id", "institution", null=True),
    _ref("reading_group_id", "reading_group", null=True),
    _ref("study_id", "study", index=True),
    _ref("procedure_id", "requested_procedure", index=True),
    _ref("patient_id", "patient", index=True),
    _text("modality", 16),
    Column("priority", IntEnumValue(Priority), nullable=False),
    Column("effective_priority", IntEnumValue(Priority), nullable=False),
    Column("deadline", UtcDateTime, nullable=False),
    Column("arrived_at", UtcDateTime, nullable=False),
    _text("raised_because", 64),
    Column("state", EnumValue(CaseState), nullable=False),
    Column("ai_state", EnumValue(AiState), nullable=False),
    Column("generation", Integer, nullable=False),
    _ref("claimed_by", "user_account", null=True),
    Column("lease_until", UtcDateTime),
    _text("repeat_reason", 400),
    _text("repeat_code", 32),
    Column("repeat_mark", NullJson),
    # Who would like to go on with it; a name for its holder, no reference of its own.
    Column("asked_by", BigKey),
    _ref("follows_case_id", "reading_case", null=True),
    _version(),
    Column("returned_at", UtcDateTime),
    Column("critical_tier", EnumValue(Tier)),
    # A term of the search, not a reference: see `search_keys`.
    Column("name_id", BigKey),
    *_list_indexes(),
    # One first case per study, however often it is routed; a follow-up names the case it follows.
    Index(
        "uq_case_first_of_study",
        "study_id",
        unique=True,
        sqlite_where=text("follows_case_id IS NULL"),
        postgresql_where=text("follows_case_id IS NULL"),
    ),
)

# Every name once, and the keys it is found by: far fewer than cases, so that a name's readings are kept once.
person_name = Table(
    "person_name",
    metadata,
    _key(),
    # As `telemed.domain.name_keys.search_text` writes it.
    Column("name", _SearchText, nullable=False, unique=True),
)

person_name_key = Table(
    "person_name_key",
    metadata,
    Column("key", _SearchText, primary_key=True),
    Column("name_id", BigKey, ForeignKey("person_name.id"), primary_key=True, autoincrement=False),
)

report = Table(
    "report",
    metadata,
    _key(),
    _uid(),
    _ref("case_id", "reading_case"),
    _ref("institution_id", "institution"),
    _ref("consortium_id", "institution"),
    Column("number", Integer, nullable=False),
    _ref("author_id", "user_account"),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    _text("findings"),
    _text("impression"),
    _text("recommendation"),
    Column("critical", Boolean, nullable=False),
    Column("abnormal", Boolean, nullable=False),
    Column("state", EnumValue(ReportState), nullable=False),
    Column("revision", Integer, nullable=False),
    _text("review_comment"),
    _ref("signed_by", "user_account", null=True),
    Column("signed_at", UtcDateTime),
    _ref("reviewed_by", "user_account", null=True),
    Column("reviewed_at", UtcDateTime),
    Column("released_at", UtcDateTime),
    _text("content_sha256", 64),
    _text("verification_code", 32),
    _ref("amends_report_id", "report", null=True),
    _text("pdf_sha256", 64),
    Column("withdrawn_at", UtcDateTime),
    _ref("withdrawn_by", "user_account", null=True),
    _text("withdrawal_reason", 400),
    Column("hold_until", UtcDateTime),
    # The words of the first signature, where the reviewing doctor changed them.
    Column("submitted", NullJson),
    _version(),
    UniqueConstraint("case_id", "number"),
    Index(
        "uq_report_verification_code",
        "verification_code",
        unique=True,
        sqlite_where=text("verification_code <> ''"),
        postgresql_where=text("verification_code <> ''"),
    ),
)

delivery = Table(
    "delivery",
    metadata,
    _key(),
    _uid(),
    _ref("report_id", "report"),
    _ref("case_id", "reading_case", index=True),
    _ref("consortium_id", "institution"),
    Column("kind", EnumValue(RecipientKind), nullable=False),
    _ref("institution_id", "institution", index=True),
    _ref("user_id", "user_account", null=True, index=True),
    Column("recipient_key", String(40), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("opened_at", UtcDateTime),
    Column("acknowledged_at", UtcDateTime),
    _ref("acknowledged_by", "user_account", null=True),
    _version(),
    UniqueConstraint("report_id", "recipient_key"),
)

required_part = Table(
    "required_part",
    metadata,
    _key(),
    _uid(),
    _ref("consortium_id", "institution"),
    _text("modality", 16),
    _text("body_part", 64),
    Column("part", EnumValue(Part), nullable=False),
    Column("demanded", EnumValue(Demanded), nullable=False),
    UniqueConstraint("consortium_id", "modality", "body_part", "part"),
)

report_text = Table(
    "report_text",
    metadata,
    _key(),
    _uid(),
    _ref("consortium_id", "institution"),
    Column("kind", EnumValue(TextKind), nullable=False),
    Column("code", String(16), nullable=False),
    _text("title", 64),
    _text("modality", 16),
    _text("body_part", 64),
    _text("findings"),
    _text("impression"),
    _text("recommendation"),
    Column("abnormal", Boolean, nullable=False),
    UniqueConstraint("consortium_id", "code"),
)

reading_group = Table(
    "reading_group",
    metadata,
    _key(),
    _uid(),
    _ref("institution_id", "institution"),
    _ref("consortium_id", "institution"),
    Column("code", String(32), nullable=False),
    _text("name", 100),
    UniqueConstraint("consortium_id", "code"),
)

routing_rule = Table(
    "routing_rule",
    metadata,
    _key(),
    _uid(),
    _ref("consortium_id", "institution", index=True),
    Column("rank", Integer, nullable=False),
    _ref("reading_group_id", "reading_group"),
    _ref("fallback_group_id", "reading_group", null=True),
    _text("modality", 16),
    _ref("institution_id", "institution", null=True),
    Column("priority", IntEnumValue(Priority)),
    Column("limit_minutes", Integer, nullable=False),
    Column("active", Boolean, nullable=False),
    _version(),
)

duty = Table(
    "duty",
    metadata,
    _key(),
    _ref("reading_group_id", "reading_group", index=True),
    _ref("user_id", "user_account", index=True),
    Column("starts_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime),
)

triage_rule = Table(
    "triage_rule",
    metadata,
    _key(),
    _uid(),
    _ref("consortium_id", "institution", index=True),
    _text("modality", 16),
    _text("finding", 64),
    Column("priority", IntEnumValue(Priority), nullable=False),
    Column("active", Boolean, nullable=False),
)

model_approval = Table(
    "model_approval",
    metadata,
    _key(),
    _uid(),
    _ref("institution_id", "institution", index=True),
    _ref("consortium_id", "institution"),
    _text("model_name", 64),
    _text("model_version", 32),
    _text("model_sha256", 64),
    _ref("approved_by", "user_account"),
    Column("approved_at", UtcDateTime, nullable=False),
    Column("withdrawn_at", UtcDateTime),
)

analysis = Table(
    "analysis",
    metadata,
    _key(),
    _uid(),
    _ref("case_id", "reading_case", index=True),
    _ref("study_id", "study"),
    _ref("institution_id", "institution"),
    _ref("consortium_id", "institution"),
    Column("result_key", String(64), nullable=False),
    _text("model_name", 64),
    _text("model_version", 32),
    _text("model_sha256", 64),
    Column("in_domain", Boolean, nullable=False),
    _text("reason", 64),
    Column("created_at", UtcDateTime, nullable=False),
    Column("answer", Json, nullable=False),
    _text("sop_instance_uid", 64),
    Column("generation", Integer, nullable=False),
    UniqueConstraint("case_id", "result_key"),
)

notice = Table(
    "notice",
    metadata,
    _key(),
    _uid(),
    _ref("institution_id", "institution"),
    _ref("consortium_id", "institution"),
    _text("code", 64),
    Column("cause_key", String(200), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("facts", Json, nullable=False),
    _ref("study_id", "study", null=True, index=True),
    _ref("case_id", "reading_case", null=True),
    _ref("object_id", "stored_object", null=True),
    _ref("user_id", "user_account", null=True, index=True),
    Column("resolved_at", UtcDateTime),
    _ref("resolved_by", "user_account", null=True),
    Index("ix_notice_open", "institution_id", "resolved_at", "id"),
)

event = Table(
    "event",
    metadata,
    _key(),
    _uid(),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("kind", EnumValue(Kind), nullable=False),
    _ref("institution_id", "institution", null=True),
    _ref("consortium_id", "institution", null=True),
    _ref("actor_user_id", "user_account", null=True),
    _ref("device_id", "device", null=True),
    _ref("study_id", "study", null=True, index=True),
    _ref("case_id", "reading_case", null=True, index=True),
    _ref("report_id", "report", null=True),
    Column("facts", Json, nullable=False),
    Column("sequence", BigKey, unique=True),
    Column("chain_hash", String(64)),
)

job = Table(
    "job",
    metadata,
    _key(),
    Column("kind", EnumValue(JobKind), nullable=False),
    Column("subject_id", BigKey, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("state", EnumValue(JobState), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("lease_until", UtcDateTime),
    _text("lease_token", 64),
    _text("last_error", 400),
    # For clearing what is done.
    Column("done_at", UtcDateTime, index=True),
    # The order of claims: with a long backlog the next job must not be sorted for.
    Index("ix_job_order", "state", "rank", "due_at", "id"),
    Index(
        "uq_job_open",
        "kind",
        "subject_id",
        unique=True,
        sqlite_where=text("state = 'pending'"),
        postgresql_where=text("state = 'pending'"),
    ),
)

scheduled_step = Table(
    "scheduled_step",
    metadata,
    _key(),
    _uid(),
    _ref("procedure_id", "requested_procedure"),
    _ref("institution_id", "institution"),
    _ref("consortium_id", "institution"),
    Column("study_instance_uid", String(64), nullable=False, unique=True),
    Column("step_id", String(16), nullable=False),
    _text("modality", 16),
    Column("scheduled_at", UtcDateTime, nullable=False),
    _text("station_ae_title", 16),
    _text("code_value", 16),
    _text("code_scheme", 16),
    _text("code_meaning", 64),
    Column("state", EnumValue(StepState), nullable=False),
    _version(),
    UniqueConstraint("procedure_id"),
    UniqueConstraint("institution_id", "step_id"),
    # A machine asks for the open steps of its institution on a day.
    Index("ix_scheduled_step_open", "institution_id", "state", "scheduled_at"),
)

performed_step = Table(
    "performed_step",
    metadata,
    _key(),
    _uid(),
    _ref("institution_id", "institution"),
    _ref("consortium_id", "institution"),
    _ref("device_id", "device"),
    Column("sop_instance_uid", String(64), nullable=False),
    _text("study_instance_uid", 64),
    Column("state", EnumValue(PerformedState), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    _ref("step_id", "scheduled_step", null=True),
    Column("promised", Json, nullable=False),
    Column("attributes", Json, nullable=False),
    _version(),
    UniqueConstraint("institution_id", "sop_instance_uid"),
    Index("ix_performed_step_study", "institution_id", "study_instance_uid"),
)

remote_node = Table(
    "remote_node",
    metadata,
    _key(),
    _uid(),
    _ref("institution_id", "institution"),
    _ref("consortium_id", "institution"),
    Column("ae_title", String(16), nullable=False),
    Column("host", String(255), nullable=False),
    Column("port", Integer, nullable=False),
    _text("description", 200),
    Column("active", Boolean, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("failing_since", UtcDateTime),
    Column("tls", Boolean, nullable=False, server_default=false()),
    _text("certificate_authority"),
    _text("server_name", 255),
    _version(),
    UniqueConstraint("institution_id", "ae_title"),
)

forward_rule = Table(
    "forward_rule",
    metadata,
    _key(),
    _uid(),
    _ref("institution_id", "institution", index=True),
    _ref("consortium_id", "institution"),
    _ref("remote_node_id", "remote_node"),
    _text("modality", 16),
    Column("with_made", Boolean, nullable=False, server_default=false()),
    Column("active", Boolean, nullable=False),
    _version(),
)

forward_item = Table(
    "forward_item",
    metadata,
    _key(),
    _ref("remote_node_id", "remote_node"),
    _ref("object_id", "stored_object"),
    _ref("study_id", "study"),
    _ref("institution_id", "institution"),
    _ref("consortium_id", "institution"),
    Column("created_at", UtcDateTime, nullable=False),
    Column("state", EnumValue(ForwardState), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("last_status", Integer),
    Column("sent_at", UtcDateTime),
    UniqueConstraint("remote_node_id", "object_id"),
    Index("ix_forward_item_queue", "remote_node_id", "state", "id"),
)

commitment_request = Table(
    "commitment_request",
    metadata,
    _key(),
    _uid(),
    _ref("institution_id", "institution"),
    _ref("consortium_id", "institution"),
    _ref("device_id", "device"),
    Column("transaction_uid", String(64), nullable=False),
    Column("objects", Json, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("state", EnumValue(CommitmentState), nullable=False),
    Column("failures", Integer, nullable=False),
    Column("reported_at", UtcDateTime),
    _version(),
    UniqueConstraint("device_id", "transaction_uid"),
)

reassignment = Table(
    "reassignment",
    metadata,
    _key(),
    _uid(),
    _ref("institution_id", "institution"),
    _ref("consortium_id", "institution"),
    _ref("from_study_id", "study", index=True),
    _ref("study_id", "study", index=True),
    _ref("object_id", "stored_object", null=True),
    _ref("from_patient_id", "patient"),
    _ref("to_patient_id", "patient"),
    _text("received_as", 64),
    _text("reason", 400),
    _ref("made_by", "user_account"),
    Column("made_at", UtcDateTime, nullable=False),
)

# What queries of machines and viewers look for.
Index("ix_study_study_date", study.c.study_date)
Index("ix_study_accession_number", study.c.accession_number)
Index("ix_patient_patient_id", patient.c.patient_id)
Index("ix_stored_object_series_id", stored_object.c.series_id)

critical_rule = Table(
    "critical_rule",
    metadata,
    _key(),
    _uid(),
    _ref("consortium_id", "institution"),
    Column("code", String(64), nullable=False),
    Column("edition", Integer, nullable=False),
    _text("modality", 16),
    Column("tier", EnumValue(Tier), nullable=False),
    _text("text_zh", 200),
    _text("text_en", 200),
    Column("findings", Json, nullable=False),
    Column("limits", Json, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    UniqueConstraint("consortium_id", "code", "edition"),
)

critical_policy = Table(
    "critical_policy",
    metadata,
    _key(),
    _uid(),
    _ref("consortium_id", "institution", index=True),
    _ref("institution_id", "institution", null=True),
    Column("tell_minutes", Integer, nullable=False),
    Column("same_doctor_at_night", Boolean, nullable=False),
    _text("night_from", 5),
    _text("night_to", 5),
)

escalation_step = Table(
    "escalation_step",
    metadata,
    _key(),
    _uid(),
    _ref("consortium_id", "institution"),
    Column("rank", Integer, nullable=False),
    Column("code", String(32), nullable=False),
    Column("minutes", Integer, nullable=False),
    Column("tier", EnumValue(Tier), nullable=False),
    Column("waits_for", EnumValue(Milestone), nullable=False),
    _ref("user_id", "user_account", null=True),
    Column("role", EnumValue(Role)),
    _ref("institution_id", "institution", null=True),
    Column("before_check", Boolean, nullable=False),
    UniqueConstraint("consortium_id", "rank"),
)

critical_value = Table(
    "critical_value",
    metadata,
    _key(),
    _uid(),
    _ref("case_id", "reading_case"),
    _ref("institution_id", "institution"),
    _ref("consortium_id", "institution"),
    _ref("reporting_institution_id", "institution", null=True),
    _ref("rule_id", "critical_rule"),
    Column("code", String(64), nullable=False),
    Column("tier", EnumValue(Tier), nullable=False),
    _text("finding_zh", 200),
    _text("finding_en", 200),
    _text("note", 400),
    _ref("raised_by", "user_account"),
    Column("raised_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime),
    Column("proposed_by_ai", Boolean, nullable=False),
    Column("state", EnumValue(CriticalState), nullable=False),
    _ref("checked_by", "user_account", null=True),
    Column("checked_at", UtcDateTime),
    Column("check_kind", EnumValue(Check)),
    Column("released_at", UtcDateTime),
    _text("received_by", 100),
    Column("received_at", UtcDateTime),
    Column("how", EnumValue(How)),
    _text("read_back", 400),
    _ref("acknowledged_by", "user_account", null=True),
    Column("acknowledged_at", UtcDateTime),
    Column("acted_at", UtcDateTime),
    _ref("closed_by", "user_account", null=True),
    Column("closed_at", UtcDateTime),
    _text("closing_note", 400),
    Column("escalated", Integer, nullable=False),
    _version(),
    # The same finding of the same case is open once: a key pressed twice raises one.
    Index(
        "uq_critical_open",
        "case_id",
        "code",
        unique=True,
        sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    ),
    Index("ix_critical_reading", "reporting_institution_id", "closed_at"),
)

critical_alert = Table(
    "critical_alert",
    metadata,
    _key(),
    _uid(),
    _ref("critical_value_id", "critical_value"),
    _ref("consortium_id", "institution"),
    _ref("institution_id", "institution"),
    _ref("user_id", "user_account", null=True),
    Column("role", EnumValue(Role)),
    Column("recipient_key", String(100), nullable=False),
    _text("step", 32),
    Column("before_check", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("critical_value_id", "recipient_key"),
    Index("ix_critical_alert_place", "institution_id", "user_id"),
)

critical_action = Table(
    "critical_action",
    metadata,
    _key(),
    _uid(),
    _ref("critical_value_id", "critical_value", index=True),
    Column("kind", EnumValue(ActionKind), nullable=False),
    _text("note", 400),
    _ref("taken_by", "user_account"),
    Column("taken_at", UtcDateTime, nullable=False),
)

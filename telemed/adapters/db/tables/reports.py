"""Reports, to whom they went, and the texts and parts that a centre asks for."""

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, UniqueConstraint, text

from telemed.adapters.db.tables.columns import NullJson, key, metadata, ref, uid, version, words
from telemed.adapters.db.types import EnumValue, UtcDateTime
from telemed.domain.delivery import RecipientKind
from telemed.domain.report import ReportState
from telemed.domain.writing import Demanded, Part, TextKind

report = Table(
    "report",
    metadata,
    key(),
    uid(),
    ref("case_id", "reading_case"),
    ref("institution_id", "institution"),
    ref("consortium_id", "institution"),
    Column("number", Integer, nullable=False),
    ref("author_id", "user_account"),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    words("findings"),
    words("impression"),
    words("recommendation"),
    Column("critical", Boolean, nullable=False),
    Column("abnormal", Boolean, nullable=False),
    Column("state", EnumValue(ReportState), nullable=False),
    Column("revision", Integer, nullable=False),
    words("review_comment"),
    ref("signed_by", "user_account", null=True),
    Column("signed_at", UtcDateTime),
    ref("reviewed_by", "user_account", null=True),
    Column("reviewed_at", UtcDateTime),
    Column("released_at", UtcDateTime),
    words("content_sha256", 64),
    words("verification_code", 32),
    ref("amends_report_id", "report", null=True),
    words("pdf_sha256", 64),
    Column("withdrawn_at", UtcDateTime),
    ref("withdrawn_by", "user_account", null=True),
    words("withdrawal_reason", 400),
    Column("hold_until", UtcDateTime),
    # The words of the first signature, where the reviewing doctor changed them.
    Column("submitted", NullJson),
    version(),
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
    key(),
    uid(),
    ref("report_id", "report"),
    ref("case_id", "reading_case", index=True),
    ref("consortium_id", "institution"),
    Column("kind", EnumValue(RecipientKind), nullable=False),
    ref("institution_id", "institution", index=True),
    ref("user_id", "user_account", null=True, index=True),
    Column("recipient_key", String(40), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("opened_at", UtcDateTime),
    Column("acknowledged_at", UtcDateTime),
    ref("acknowledged_by", "user_account", null=True),
    Column("taken_back_at", UtcDateTime),
    version(),
    UniqueConstraint("report_id", "recipient_key"),
)

required_part = Table(
    "required_part",
    metadata,
    key(),
    uid(),
    ref("consortium_id", "institution"),
    words("modality", 16),
    words("body_part", 64),
    Column("part", EnumValue(Part), nullable=False),
    Column("demanded", EnumValue(Demanded), nullable=False),
    UniqueConstraint("consortium_id", "modality", "body_part", "part"),
)

report_text = Table(
    "report_text",
    metadata,
    key(),
    uid(),
    ref("consortium_id", "institution"),
    Column("kind", EnumValue(TextKind), nullable=False),
    Column("code", String(16), nullable=False),
    words("title", 64),
    words("modality", 16),
    words("body_part", 64),
    words("findings"),
    words("impression"),
    words("recommendation"),
    Column("abnormal", Boolean, nullable=False),
    UniqueConstraint("consortium_id", "code"),
)

hanging_rule = Table(
    "hanging_rule",
    metadata,
    key(),
    uid(),
    ref("consortium_id", "institution"),
    ref("institution_id", "institution"),
    words("modality", 16),
    words("body_part", 64),
    Column("prior", Boolean, nullable=False),
    Column("window", Integer, nullable=False),
    UniqueConstraint("institution_id", "modality", "body_part"),
)

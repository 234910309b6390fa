"""Models, where they may speak, and what they said."""

from sqlalchemy import Boolean, Column, Integer, String, Table, UniqueConstraint

from telemed.adapters.db.tables.columns import Json, key, metadata, ref, uid, words
from telemed.adapters.db.types import UtcDateTime

model_approval = Table(
    "model_approval",
    metadata,
    key(),
    uid(),
    ref("institution_id", "institution", index=True),
    ref("consortium_id", "institution"),
    words("model_name", 64),
    words("model_version", 32),
    words("model_sha256", 64),
    ref("approved_by", "user_account"),
    Column("approved_at", UtcDateTime, nullable=False),
    Column("withdrawn_at", UtcDateTime),
)

analysis = Table(
    "analysis",
    metadata,
    key(),
    uid(),
    ref("case_id", "reading_case", index=True),
    ref("study_id", "study"),
    ref("institution_id", "institution"),
    ref("consortium_id", "institution"),
    Column("result_key", String(64), nullable=False),
    words("model_name", 64),
    words("model_version", 32),
    words("model_sha256", 64),
    Column("in_domain", Boolean, nullable=False),
    words("reason", 64),
    Column("created_at", UtcDateTime, nullable=False),
    Column("answer", Json, nullable=False),
    Column("flags", Json, nullable=False, server_default="[]"),
    words("sop_instance_uid", 64),
    Column("generation", Integer, nullable=False),
    UniqueConstraint("case_id", "result_key"),
)

"""What people are told, what happened, and what is still to be done."""

from sqlalchemy import Column, Index, Integer, String, Table, text

from telemed.adapters.db.tables.columns import (
    Json,
    key,
    metadata,
    ref,
    uid,
    words,
)
from telemed.adapters.db.types import BigKey, EnumValue, UtcDateTime
from telemed.application.jobs import JobKind, JobState
from telemed.domain.events import Kind

notice = Table(
    "notice",
    metadata,
    key(),
    uid(),
    ref("institution_id", "institution"),
    ref("consortium_id", "institution"),
    words("code", 64),
    Column("cause_key", String(200), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("facts", Json, nullable=False),
    ref("study_id", "study", null=True, index=True),
    ref("case_id", "reading_case", null=True),
    ref("object_id", "stored_object", null=True),
    ref("user_id", "user_account", null=True, index=True),
    Column("resolved_at", UtcDateTime),
    ref("resolved_by", "user_account", null=True),
    Index("ix_notice_open", "institution_id", "resolved_at", "id"),
)

event = Table(
    "event",
    metadata,
    key(),
    uid(),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("kind", EnumValue(Kind), nullable=False),
    ref("institution_id", "institution", null=True),
    ref("consortium_id", "institution", null=True),
    ref("actor_user_id", "user_account", null=True),
    ref("device_id", "device", null=True),
    ref("study_id", "study", null=True, index=True),
    ref("case_id", "reading_case", null=True, index=True),
    ref("report_id", "report", null=True),
    Column("facts", Json, nullable=False),
    Column("sequence", BigKey, unique=True),
    Column("chain_hash", String(64)),
)

job = Table(
    "job",
    metadata,
    key(),
    Column("kind", EnumValue(JobKind), nullable=False),
    Column("subject_id", BigKey, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("state", EnumValue(JobState), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("lease_until", UtcDateTime),
    words("lease_token", 64),
    words("last_error", 400),
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

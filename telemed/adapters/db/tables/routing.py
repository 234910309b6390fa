"""Who reads what, and what comes first."""

from sqlalchemy import Boolean, Column, Integer, String, Table, UniqueConstraint

from telemed.adapters.db.tables.columns import (
    key,
    metadata,
    ref,
    uid,
    version,
    words,
)
from telemed.adapters.db.types import IntEnumValue, UtcDateTime
from telemed.domain.order import Priority

reading_group = Table(
    "reading_group",
    metadata,
    key(),
    uid(),
    ref("institution_id", "institution"),
    ref("consortium_id", "institution"),
    Column("code", String(32), nullable=False),
    words("name", 100),
    UniqueConstraint("consortium_id", "code"),
)

routing_rule = Table(
    "routing_rule",
    metadata,
    key(),
    uid(),
    ref("consortium_id", "institution", index=True),
    Column("rank", Integer, nullable=False),
    ref("reading_group_id", "reading_group"),
    ref("fallback_group_id", "reading_group", null=True),
    words("modality", 16),
    ref("institution_id", "institution", null=True),
    Column("priority", IntEnumValue(Priority)),
    Column("limit_minutes", Integer, nullable=False),
    Column("active", Boolean, nullable=False),
    version(),
)

duty = Table(
    "duty",
    metadata,
    key(),
    ref("reading_group_id", "reading_group", index=True),
    ref("user_id", "user_account", index=True),
    Column("starts_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime),
)

triage_rule = Table(
    "triage_rule",
    metadata,
    key(),
    uid(),
    ref("consortium_id", "institution", index=True),
    words("modality", 16),
    words("finding", 64),
    Column("priority", IntEnumValue(Priority), nullable=False),
    Column("active", Boolean, nullable=False),
)

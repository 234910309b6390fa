"""Institutions, their people and machines."""

from sqlalchemy import Boolean, Column, Integer, String, Table, false

from telemed.adapters.db.tables.columns import key, metadata, ref, uid, version, words
from telemed.adapters.db.types import EnumValue, UtcDateTime
from telemed.domain.people import InstitutionKind, MadeObjects, Role

institution = Table(
    "institution",
    metadata,
    key(),
    uid(),
    Column("kind", EnumValue(InstitutionKind), nullable=False),
    Column("code", String(32), nullable=False, unique=True),
    words("name", 200),
    words("name_en", 200),
    ref("parent_id", "institution", null=True),
    ref("consortium_id", "institution", null=True),
    words("time_zone", 64, "Asia/Shanghai"),
    Column("quiet_seconds", Integer, nullable=False),
    Column("second_signature", Boolean, nullable=False),
    Column("signing_minutes", Integer, nullable=False),
    Column("hold_seconds", Integer, nullable=False, server_default="10"),
    words("certificate_authority"),
    Column("certificate_demanded", Boolean, nullable=False, server_default=false()),
    Column("made_objects", EnumValue(MadeObjects), nullable=False, server_default=MadeObjects.REPORTS.value),
    words("issuer_names"),
    Column("worklist_days", Integer, nullable=False, server_default="7"),
    Column("step_hours", Integer, nullable=False, server_default="12"),
    Column("commitment_days", Integer, nullable=False, server_default="7"),
    version(),
)

user_account = Table(
    "user_account",
    metadata,
    key(),
    uid(),
    Column("username", String(64), nullable=False, unique=True),
    words("display_name", 100),
    Column("role", EnumValue(Role), nullable=False),
    ref("institution_id", "institution", index=True),
    ref("consortium_id", "institution"),
    words("password_hash", 200),
    words("license_number", 64),
    words("language", 8, "zh-CN"),
    Column("active", Boolean, nullable=False),
    Column("failed_sign_ins", Integer, nullable=False),
    Column("locked_until", UtcDateTime),
    version(),
)

web_session = Table(
    "web_session",
    metadata,
    key(),
    Column("token_digest", String(64), nullable=False, unique=True),
    words("kind", 8),
    ref("user_id", "user_account"),
    words("csrf_token", 64),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    Column("authenticated_at", UtcDateTime, nullable=False),
)

device = Table(
    "device",
    metadata,
    key(),
    uid(),
    ref("institution_id", "institution"),
    ref("consortium_id", "institution"),
    Column("ae_title", String(16), nullable=False, index=True),
    words("network", 64),
    Column("certificate_sha256", String(64)),
    Column("default_charset", String(64)),
    words("description", 200),
    Column("active", Boolean, nullable=False),
    version(),
)

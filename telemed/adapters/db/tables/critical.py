"""Critical values: rules, policies, alerts and what was done."""

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, UniqueConstraint, text

from telemed.adapters.db.tables.columns import Json, key, metadata, ref, uid, version, words
from telemed.adapters.db.types import EnumValue, UtcDateTime
from telemed.domain.critical import ActionKind, Check, CriticalState, How, Milestone, Tier
from telemed.domain.people import Role

critical_rule = Table(
    "critical_rule",
    metadata,
    key(),
    uid(),
    ref("consortium_id", "institution"),
    ref("institution_id", "institution", null=True),
    Column("code", String(64), nullable=False),
    Column("edition", Integer, nullable=False),
    words("modality", 16),
    Column("tier", EnumValue(Tier), nullable=False),
    words("text_zh", 200),
    words("text_en", 200),
    Column("findings", Json, nullable=False),
    Column("limits", Json, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    UniqueConstraint("consortium_id", "code", "edition"),
)

critical_policy = Table(
    "critical_policy",
    metadata,
    key(),
    uid(),
    ref("consortium_id", "institution", index=True),
    ref("institution_id", "institution", null=True),
    Column("tell_minutes", Integer, nullable=False),
    Column("same_doctor_at_night", Boolean, nullable=False),
    words("night_from", 5),
    words("night_to", 5),
)

escalation_step = Table(
    "escalation_step",
    metadata,
    key(),
    uid(),
    ref("consortium_id", "institution"),
    Column("rank", Integer, nullable=False),
    Column("code", String(32), nullable=False),
    Column("minutes", Integer, nullable=False),
    Column("tier", EnumValue(Tier), nullable=False),
    Column("waits_for", EnumValue(Milestone), nullable=False),
    ref("user_id", "user_account", null=True),
    Column("role", EnumValue(Role)),
    ref("institution_id", "institution", null=True),
    Column("before_check", Boolean, nullable=False),
    UniqueConstraint("consortium_id", "rank"),
)

critical_value = Table(
    "critical_value",
    metadata,
    key(),
    uid(),
    ref("case_id", "reading_case"),
    ref("institution_id", "institution"),
    ref("consortium_id", "institution"),
    ref("reporting_institution_id", "institution", null=True),
    ref("rule_id", "critical_rule"),
    Column("code", String(64), nullable=False),
    Column("tier", EnumValue(Tier), nullable=False),
    words("finding_zh", 200),
    words("finding_en", 200),
    words("note", 400),
    ref("raised_by", "user_account"),
    Column("raised_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime),
    Column("proposed_by_ai", Boolean, nullable=False),
    Column("state", EnumValue(CriticalState), nullable=False),
    ref("checked_by", "user_account", null=True),
    Column("checked_at", UtcDateTime),
    Column("check_kind", EnumValue(Check)),
    Column("released_at", UtcDateTime),
    words("received_by", 100),
    Column("received_at", UtcDateTime),
    Column("how", EnumValue(How)),
    words("read_back", 400),
    ref("acknowledged_by", "user_account", null=True),
    Column("acknowledged_at", UtcDateTime),
    Column("acted_at", UtcDateTime),
    ref("closed_by", "user_account", null=True),
    Column("closed_at", UtcDateTime),
    words("closing_note", 400),
    Column("escalated", Integer, nullable=False),
    version(),
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
    key(),
    uid(),
    ref("critical_value_id", "critical_value"),
    ref("consortium_id", "institution"),
    ref("institution_id", "institution"),
    ref("user_id", "user_account", null=True),
    Column("role", EnumValue(Role)),
    Column("recipient_key", String(100), nullable=False),
    words("step", 32),
    Column("before_check", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("taken_back_at", UtcDateTime),
    UniqueConstraint("critical_value_id", "recipient_key"),
    Index("ix_critical_alert_place", "institution_id", "user_id"),
)

critical_action = Table(
    "critical_action",
    metadata,
    key(),
    uid(),
    ref("critical_value_id", "critical_value", index=True),
    Column("kind", EnumValue(ActionKind), nullable=False),
    words("note", 400),
    ref("taken_by", "user_account"),
    Column("taken_at", UtcDateTime, nullable=False),
)

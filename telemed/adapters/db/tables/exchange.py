"""Other nodes, what goes to them, and what they want confirmed."""

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, UniqueConstraint, false

from telemed.adapters.db.tables.columns import Json, key, metadata, ref, uid, version, words
from telemed.adapters.db.types import EnumValue, UtcDateTime
from telemed.domain.exchange import CommitmentState, ForwardState

remote_node = Table(
    "remote_node",
    metadata,
    key(),
    uid(),
    ref("institution_id", "institution"),
    ref("consortium_id", "institution"),
    Column("ae_title", String(16), nullable=False),
    Column("host", String(255), nullable=False),
    Column("port", Integer, nullable=False),
    words("description", 200),
    Column("active", Boolean, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("failing_since", UtcDateTime),
    Column("tls", Boolean, nullable=False, server_default=false()),
    words("certificate_authority"),
    words("server_name", 255),
    version(),
    UniqueConstraint("institution_id", "ae_title"),
)

forward_rule = Table(
    "forward_rule",
    metadata,
    key(),
    uid(),
    ref("institution_id", "institution", index=True),
    ref("consortium_id", "institution"),
    ref("remote_node_id", "remote_node"),
    words("modality", 16),
    Column("with_made", Boolean, nullable=False, server_default=false()),
    Column("active", Boolean, nullable=False),
    version(),
)

forward_item = Table(
    "forward_item",
    metadata,
    key(),
    ref("remote_node_id", "remote_node"),
    ref("object_id", "stored_object"),
    ref("study_id", "study"),
    ref("institution_id", "institution"),
    ref("consortium_id", "institution"),
    Column("created_at", UtcDateTime, nullable=False),
    Column("state", EnumValue(ForwardState), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("last_status", Integer),
    Column("due_at", UtcDateTime),
    Column("sent_at", UtcDateTime),
    UniqueConstraint("remote_node_id", "object_id"),
    Index("ix_forward_item_queue", "remote_node_id", "state", "id"),
)

commitment_request = Table(
    "commitment_request",
    metadata,
    key(),
    uid(),
    ref("institution_id", "institution"),
    ref("consortium_id", "institution"),
    ref("device_id", "device"),
    Column("transaction_uid", String(64), nullable=False),
    Column("objects", Json, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("state", EnumValue(CommitmentState), nullable=False),
    Column("failures", Integer, nullable=False),
    Column("reported_at", UtcDateTime),
    version(),
    UniqueConstraint("device_id", "transaction_uid"),
)

"""Orders and the procedures they ask for."""

from sqlalchemy import Column, String, Table, UniqueConstraint

from telemed.adapters.db.tables.columns import (
    key,
    metadata,
    ref,
    uid,
    version,
    words,
)
from telemed.adapters.db.types import EnumValue, IntEnumValue, UtcDateTime
from telemed.domain.order import OrderSource, Priority

exam_order = Table(
    "exam_order",
    metadata,
    key(),
    uid(),
    ref("institution_id", "institution"),
    ref("consortium_id", "institution"),
    Column("accession_number", String(64), nullable=False),
    ref("patient_id", "patient", index=True),
    Column("source", EnumValue(OrderSource), nullable=False),
    Column("priority", IntEnumValue(Priority), nullable=False),
    words("clinical_history"),
    Column("created_at", UtcDateTime, nullable=False),
    ref("created_by", "user_account", null=True),
    version(),
    UniqueConstraint("institution_id", "accession_number"),
)

procedure = Table(
    "requested_procedure",
    metadata,
    key(),
    uid(),
    ref("order_id", "exam_order", index=True),
    ref("institution_id", "institution"),
    ref("consortium_id", "institution"),
    words("modality", 16),
    words("description", 200),
    words("body_part", 64),
    version(),
)

"""Residents, their contracts, and patients as each institution numbers them."""

from sqlalchemy import Column, Date, Index, String, Table, UniqueConstraint

from telemed.adapters.db.tables.columns import (
    key,
    metadata,
    ref,
    uid,
    version,
    words,
)
from telemed.adapters.db.types import UtcDateTime

resident = Table(
    "resident",
    metadata,
    key(),
    uid(),
    ref("consortium_id", "institution"),
    words("name", 200),
    words("sex", 1),
    Column("birth_date", Date),
    Column("id_card_keyed_hash", String(64)),
    words("id_card_last4", 4),
    words("phone", 32),
    version(),
    UniqueConstraint("consortium_id", "id_card_keyed_hash"),
    Index("ix_resident_last4", "consortium_id", "id_card_last4"),
)

contract = Table(
    "contract",
    metadata,
    key(),
    uid(),
    ref("resident_id", "resident", index=True),
    ref("family_doctor_id", "user_account", index=True),
    ref("institution_id", "institution"),
    ref("consortium_id", "institution"),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
)

patient = Table(
    "patient",
    metadata,
    key(),
    uid(),
    ref("institution_id", "institution"),
    ref("consortium_id", "institution"),
    Column("patient_id", String(64), nullable=False),
    words("name", 324),
    words("name_pinyin", 400),
    words("name_initials", 64),
    words("sex", 1),
    Column("birth_date", Date),
    ref("resident_id", "resident", null=True, index=True),
    Column("linked_at", UtcDateTime),
    words("issuer", 64),
    version(),
    UniqueConstraint("institution_id", "issuer", "patient_id"),
)

# What queries of machines and viewers look for.
Index("ix_patient_patient_id", patient.c.patient_id)

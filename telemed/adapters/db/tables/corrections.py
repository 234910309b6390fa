"""What was moved to the right person."""

from sqlalchemy import Column, Table

from telemed.adapters.db.tables.columns import key, metadata, ref, uid, words
from telemed.adapters.db.types import UtcDateTime

reassignment = Table(
    "reassignment",
    metadata,
    key(),
    uid(),
    ref("institution_id", "institution"),
    ref("consortium_id", "institution"),
    ref("from_study_id", "study", index=True),
    ref("study_id", "study", index=True),
    ref("object_id", "stored_object", null=True),
    ref("from_patient_id", "patient"),
    ref("to_patient_id", "patient"),
    words("received_as", 64),
    words("reason", 400),
    ref("made_by", "user_account"),
    Column("made_at", UtcDateTime, nullable=False),
)

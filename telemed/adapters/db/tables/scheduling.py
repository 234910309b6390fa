"""Steps that machines are asked for, and that they performed."""

from sqlalchemy import Column, Index, String, Table, UniqueConstraint

from telemed.adapters.db.tables.columns import Json, key, metadata, ref, uid, version, words
from telemed.adapters.db.types import EnumValue, UtcDateTime
from telemed.domain.scheduling import PerformedState, StepState

scheduled_step = Table(
    "scheduled_step",
    metadata,
    key(),
    uid(),
    ref("procedure_id", "requested_procedure"),
    ref("institution_id", "institution"),
    ref("consortium_id", "institution"),
    Column("study_instance_uid", String(64), nullable=False, unique=True),
    Column("step_id", String(16), nullable=False),
    words("modality", 16),
    Column("scheduled_at", UtcDateTime, nullable=False),
    words("station_ae_title", 16),
    words("code_value", 16),
    words("code_scheme", 16),
    words("code_meaning", 64),
    Column("state", EnumValue(StepState), nullable=False),
    Column("begun_at", UtcDateTime),
    version(),
    UniqueConstraint("procedure_id"),
    UniqueConstraint("institution_id", "step_id"),
    # A machine asks for the open steps of its institution on a day.
    Index("ix_scheduled_step_open", "institution_id", "state", "scheduled_at"),
)

performed_step = Table(
    "performed_step",
    metadata,
    key(),
    uid(),
    ref("institution_id", "institution"),
    ref("consortium_id", "institution"),
    ref("device_id", "device"),
    Column("sop_instance_uid", String(64), nullable=False),
    words("study_instance_uid", 64),
    Column("state", EnumValue(PerformedState), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    ref("step_id", "scheduled_step", null=True),
    Column("promised", Json, nullable=False),
    Column("attributes", Json, nullable=False),
    version(),
    UniqueConstraint("institution_id", "sop_instance_uid"),
    Index("ix_performed_step_study", "institution_id", "study_instance_uid"),
)

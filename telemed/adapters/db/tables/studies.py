"""Studies, series and objects as they were received."""

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, UniqueConstraint, text

from telemed.adapters.db.tables.columns import (
    key,
    metadata,
    ref,
    uid,
    version,
    words,
)
from telemed.adapters.db.types import BigKey, EnumValue, UtcDateTime
from telemed.domain.study import ObjectRole, StudyState

study = Table(
    "study",
    metadata,
    key(),
    uid(),
    ref("institution_id", "institution"),
    ref("consortium_id", "institution"),
    Column("study_instance_uid", String(64), nullable=False, index=True),
    ref("patient_id", "patient", index=True),
    words("modality", 16),
    Column("patient_number", String(64), nullable=False, server_default=""),
    words("accession_number", 64),
    words("description", 200),
    words("body_part", 64),
    words("study_date", 8),
    words("study_time", 16),
    Column("state", EnumValue(StudyState), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("object_count", Integer, nullable=False),
    Column("first_object_at", UtcDateTime, nullable=False),
    Column("last_object_at", UtcDateTime, nullable=False),
    Column("whole_at", UtcDateTime),
    ref("procedure_id", "requested_procedure", null=True, index=True),
    version(),
    UniqueConstraint("institution_id", "study_instance_uid"),
    Index("ix_study_institution_last", "institution_id", "last_object_at"),
)

series = Table(
    "series",
    metadata,
    key(),
    uid(),
    ref("study_id", "study"),
    ref("institution_id", "institution"),
    ref("consortium_id", "institution"),
    Column("series_instance_uid", String(64), nullable=False),
    words("modality", 16),
    Column("number", Integer),
    words("description", 200),
    UniqueConstraint("study_id", "series_instance_uid"),
)

stored_object = Table(
    "stored_object",
    metadata,
    key(),
    uid(),
    ref("institution_id", "institution"),
    ref("consortium_id", "institution"),
    ref("study_id", "study", index=True),
    ref("series_id", "series"),
    Column("sop_class_uid", String(64), nullable=False),
    Column("sop_instance_uid", String(64), nullable=False, index=True),
    Column("transfer_syntax_uid", String(64), nullable=False),
    Column("role", EnumValue(ObjectRole), nullable=False),
    Column("dataset_sha256", String(64), nullable=False),
    Column("file_sha256", String(64), nullable=False, index=True),
    Column("size", BigKey, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("instance_number", Integer),
    Column("frames", Integer, nullable=False),
    Column("rows", Integer),
    Column("columns", Integer),
    ref("device_id", "device", null=True),
    ref("uploaded_by", "user_account", null=True),
    Column("placed", Boolean, nullable=False),
    words("quality", 200),
    words("source_uid", 64),
    version(),
    # Racing senders of one object leave one row: the database decides, not a look before the insert.
    UniqueConstraint("institution_id", "sop_instance_uid", "dataset_sha256", "transfer_syntax_uid"),
    Index(
        "uq_stored_object_primary",
        "institution_id",
        "sop_instance_uid",
        unique=True,
        sqlite_where=text("role = 'primary'"),
        postgresql_where=text("role = 'primary'"),
    ),
)

# What queries of machines and viewers look for.
Index("ix_study_study_date", study.c.study_date)
Index("ix_study_accession_number", study.c.accession_number)
Index("ix_stored_object_series_id", stored_object.c.series_id)

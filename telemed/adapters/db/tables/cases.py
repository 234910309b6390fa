"""Cases to read, the conditions and indexes of the lists, and the names by which cases are found."""

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, text

from telemed.adapters.db.tables.columns import (
    NullJson,
    SearchText,
    key,
    metadata,
    ref,
    uid,
    version,
    words,
)
from telemed.adapters.db.types import BigKey, EnumValue, IntEnumValue, UtcDateTime
from telemed.domain.case import AiState, CaseState
from telemed.domain.critical import Tier
from telemed.domain.order import Priority

# The conditions stand in the statements word for word: that is how an engine knows that it may use an index.
# Spelled with OR, because that is how PostgreSQL hands them back.
IS_UNREAD = "state = 'waiting' OR state = 'reading'"
IS_OPEN = f"{IS_UNREAD} OR state = 'signing' OR state = 'awaiting_review'"
IS_DONE = "state = 'final' OR state = 'repeat_requested' OR state = 'closed'"
IS_IN_REVIEW = "state = 'awaiting_review'"
IS_RETURNED = "returned_at IS NOT NULL"
IS_CRITICAL = "critical_tier IS NOT NULL"
IS_TO_REPEAT = "state = 'repeat_requested'"


def _list_indexes() -> list[Index]:
    """The order of the list, once for each view that is cut from it: a page is the beginning of an index, however
    many cases are done. Small, because all but the last hold open cases only."""
    order = ("effective_priority", "deadline", "arrived_at", "id")
    place = "reporting_institution_id"

    def some(name: str, where: str, *columns: str) -> Index:
        return Index(f"ix_case_{name}", *columns, sqlite_where=text(where), postgresql_where=text(where))

    return [
        some("open", IS_OPEN, place, *order),
        some("waiting", IS_UNREAD, place, *order),
        some("review", IS_IN_REVIEW, place, *order),
        some("returned", IS_RETURNED, place, *order),
        some("critical", IS_CRITICAL, place, *order),
        some("mine", "claimed_by IS NOT NULL", "claimed_by", *order),
        some("done", IS_DONE, place, "id", "name_id"),
        # All cases of one name, the newest first.
        some("name", "name_id IS NOT NULL", place, "name_id", "id"),
        # What a site is asked to make again: asked for with every look at its page.
        some("repeat", IS_TO_REPEAT, "institution_id", "repeat_closed_at"),
        some("repeat_answer", "repeat_answer_id IS NOT NULL", "repeat_answer_id"),
    ]


reading_case = Table(
    "reading_case",
    metadata,
    key(),
    uid(),
    ref("institution_id", "institution"),
    ref("consortium_id", "institution"),
    ref("reporting_institution_id", "institution", null=True),
    ref("reading_group_id", "reading_group", null=True),
    ref("study_id", "study", index=True),
    ref("procedure_id", "requested_procedure", index=True),
    ref("patient_id", "patient", index=True),
    words("modality", 16),
    Column("priority", IntEnumValue(Priority), nullable=False),
    Column("effective_priority", IntEnumValue(Priority), nullable=False),
    Column("deadline", UtcDateTime, nullable=False),
    Column("arrived_at", UtcDateTime, nullable=False),
    words("raised_because", 64),
    Column("state", EnumValue(CaseState), nullable=False),
    Column("ai_state", EnumValue(AiState), nullable=False),
    Column("generation", Integer, nullable=False),
    ref("claimed_by", "user_account", null=True),
    Column("lease_until", UtcDateTime),
    words("repeat_reason", 400),
    words("repeat_code", 32),
    Column("repeat_mark", NullJson),
    Column("repeat_asked_at", UtcDateTime),
    Column("repeat_asked_by", BigKey),
    Column("repeat_answer_id", BigKey),
    Column("repeat_closed_at", UtcDateTime),
    Column("repeat_closed_by", BigKey),
    words("repeat_closed_because", 400),
    # Who would like to go on with it; a name for its holder, no reference of its own.
    Column("asked_by", BigKey),
    ref("follows_case_id", "reading_case", null=True),
    version(),
    Column("returned_at", UtcDateTime),
    Column("critical_tier", EnumValue(Tier)),
    # A term of the search, not a reference: see `search_keys`.
    Column("name_id", BigKey),
    *_list_indexes(),
    # One first case per study, however often it is routed; a follow-up names the case it follows.
    Index(
        "uq_case_first_of_study",
        "study_id",
        unique=True,
        sqlite_where=text("follows_case_id IS NULL"),
        postgresql_where=text("follows_case_id IS NULL"),
    ),
)

# Every name once, and the keys it is found by: far fewer than cases, so that a name's readings are kept once.
person_name = Table(
    "person_name",
    metadata,
    key(),
    # As `telemed.domain.name_keys.search_text` writes it.
    Column("name", SearchText, nullable=False, unique=True),
)

person_name_key = Table(
    "person_name_key",
    metadata,
    Column("key", SearchText, primary_key=True),
    Column("name_id", BigKey, ForeignKey("person_name.id"), primary_key=True, autoincrement=False),
)

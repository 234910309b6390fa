"""What a site allows its models to do, and what they answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

TAKEN_OUT = "model.taken_out"
"""The code of a refusal that no further attempt changes: a model that failed again and again."""

NO_MODEL_READS = "error.no_model_reads"
"""The code of a modality that no model here reads."""

GIVEN_UP = "model.given_up"
"""The code of a case that no attempt could read; the code of the last attempt's fault is its parameter `error`."""


class Urgency(StrEnum):
    """How a request stands in the engine's line: someone waits now, a case is new, an archive is read again."""

    STAT = "stat"
    ROUTINE = "routine"
    BACKFILL = "backfill"


@dataclass(eq=False, kw_only=True)
class ModelApproval:
    """AI is off for a site until an administrator has opened the card of exactly these weights."""

    uid: str
    institution_id: int
    consortium_id: int
    model_name: str
    model_version: str
    model_sha256: str
    approved_by: int
    approved_at: datetime
    withdrawn_at: datetime | None = None
    id: int = field(init=False)


@dataclass(eq=False, kw_only=True)
class AnalysisRecord:
    """One answer of one model about one study's objects, under its result key: stored once, however often run."""

    uid: str
    case_id: int
    study_id: int
    institution_id: int
    consortium_id: int
    result_key: str
    model_name: str
    model_version: str
    model_sha256: str
    in_domain: bool
    reason: str
    created_at: datetime
    # `telemed.domain.analysis.Analysis` as plain data.
    answer: dict[str, Any] = field(default_factory=dict)
    # What of the answer is shown in the list: an answer is long, and a list has fifty.
    flags: list[str] = field(default_factory=list)
    sop_instance_uid: str = ""
    generation: int = 1
    id: int = field(init=False)


def flags_of(answer: Mapping[str, Any]) -> list[str]:
    """The findings that were raised, each once, in the order of the answer."""
    return list(dict.fromkeys(f["name"] for f in answer.get("findings", ()) if f.get("flag")))

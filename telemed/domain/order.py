"""An order asks for one or more procedures; a procedure has any number of studies and cases."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum


class Priority(IntEnum):
    """Smaller is more urgent; the order of every list starts with it."""

    STAT = 0
    URGENT = 1
    ROUTINE = 2


class OrderSource(StrEnum):
    API = "api"
    FORM = "form"
    CSV = "csv"
    # A study that came without an order makes one of its own, and says so.
    STUDY = "study"


@dataclass(eq=False, kw_only=True)
class Order:
    uid: str
    institution_id: int
    consortium_id: int
    accession_number: str
    patient_id: int
    source: OrderSource
    priority: Priority
    clinical_history: str
    created_at: datetime
    created_by: int | None = None
    id: int = field(init=False)
    version: int = field(init=False)


@dataclass(eq=False, kw_only=True)
class Procedure:
    """A requested procedure of an order."""

    uid: str
    order_id: int
    institution_id: int
    consortium_id: int
    modality: str
    description: str
    body_part: str = ""
    id: int = field(init=False)
    version: int = field(init=False)

"""A row of the list, and a page of them."""

from pydantic import BaseModel

from telemed.domain.case import AiState, CaseState
from telemed.domain.critical import Tier
from telemed.domain.order import OrderSource
from telemed.domain.worklist import View
from telemed.web.api.shapes.basics import Instant, PatientOut, PriorityName


class Holder(BaseModel):
    name: str
    mine: bool


class Ai(BaseModel):
    state: AiState
    flags: list[str]


class Priors(BaseModel):
    count: int
    latest: Instant | None


class Row(BaseModel):
    """`position` sorts as text in the order of the list; `views` are those the row stands in. Not among them is
    `overdue`: into that one a row of `all` comes by the clock."""

    id: str
    state: CaseState
    priority: PriorityName
    effective_priority: PriorityName
    raised_because: str
    deadline: Instant
    arrived_at: Instant
    modality: str
    exam: str
    body_part: str
    site: str
    site_id: str
    patient: PatientOut
    accession_number: str
    history: str
    holder: Holder | None
    ai: Ai
    study_instance_uid: str
    order_source: OrderSource
    critical: Tier | None
    returned: bool
    priors: Priors
    position: str
    views: list[View]


class WorklistOut(BaseModel):
    rows: list[Row]
    next_cursor: str | None
    counts: dict[str, int]
    # A count beyond it means "more".
    count_limit: int
    now: Instant
    last_event_id: int

"""Reports that came back: to the institution that asked, and to the family doctor."""

from typing import Annotated

from fastapi import APIRouter, Query

from telemed.application import deliver
from telemed.application.worklist import inbox
from telemed.domain.access import Action
from telemed.web.api import convert
from telemed.web.api.shapes import InboxOut, InboxRowOut
from telemed.web.context import TheWorld
from telemed.web.guard import guard
from telemed.web.security import CurrentActor

router = APIRouter(prefix="/inbox", tags=["inbox"])


@router.get("", **guard(Action.SEE_INBOX))
def read(
    world: TheWorld,
    actor: CurrentActor,
    open_only: Annotated[bool, Query(alias="open", description="only what nobody acknowledged")] = False,
) -> InboxOut:
    found = inbox(world, actor=actor, open_only=open_only)
    return InboxOut(rows=[convert.inbox_row(row, actor.language) for row in found])


@router.post("/{delivery_id}/open", **guard(Action.SEE_INBOX))
def open_delivery(world: TheWorld, actor: CurrentActor, delivery_id: str) -> InboxRowOut:
    return convert.inbox_row(deliver.open_delivery(world, actor=actor, uid=delivery_id), actor.language)


@router.post("/{delivery_id}/acknowledge", **guard(Action.SEE_INBOX))
def acknowledge(world: TheWorld, actor: CurrentActor, delivery_id: str) -> InboxRowOut:
    return convert.inbox_row(deliver.acknowledge(world, actor=actor, uid=delivery_id), actor.language)

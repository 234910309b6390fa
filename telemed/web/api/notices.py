"""What a person has to look at."""

from fastapi import APIRouter
from pydantic import BaseModel

from telemed.application import administer
from telemed.domain.access import Action
from telemed.web.api import convert
from telemed.web.api.shapes import NoticeOut, NoticeRow
from telemed.web.context import TheWorld
from telemed.web.guard import guard
from telemed.web.security import CurrentActor

router = APIRouter(prefix="/notices", tags=["notices"])


class NoticesOut(BaseModel):
    notices: list[NoticeOut]


@router.get("", **guard(Action.SEE_SELF))
def read(world: TheWorld, actor: CurrentActor) -> NoticesOut:
    found = administer.notices(world, actor=actor)
    return NoticesOut(notices=[convert.notice(one, actor.language) for one in found])


@router.post("/{notice_id}/resolve", **guard(Action.SEE_SELF))
def resolve(world: TheWorld, actor: CurrentActor, notice_id: str) -> NoticeRow:
    found = administer.resolve_notice(world, actor=actor, uid=notice_id)
    return convert.notice_row(found, actor.language)

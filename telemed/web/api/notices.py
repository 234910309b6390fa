"""What a person has to look at."""

from fastapi import APIRouter
from pydantic import BaseModel

from telemed.application import administer
from telemed.application.corrections import subjects
from telemed.application.ports.corrections import About
from telemed.domain.access import Action
from telemed.domain.notice import Notice
from telemed.web.api import convert
from telemed.web.api.shapes import NoticeOut, NoticeRow
from telemed.web.context import TheWorld
from telemed.web.guard import guard
from telemed.web.security import CurrentActor

router = APIRouter(prefix="/notices", tags=["notices"])


class AboutOut(BaseModel):
    name: str
    patient_id: str


class ToldNoticeOut(NoticeOut):
    # Of what was told to this very person: whose case it was, as they knew it then.
    about: AboutOut | None
    case_id: str | None


class NoticesOut(BaseModel):
    notices: list[ToldNoticeOut]


@router.get("", **guard(Action.SEE_SELF))
def read(world: TheWorld, actor: CurrentActor) -> NoticesOut:
    found = administer.notices(world, actor=actor)
    known = subjects(world, found)
    return NoticesOut(notices=[_told(one, known.get(one.id), actor.language) for one in found])


def _told(notice: Notice, about: About | None, language: str) -> ToldNoticeOut:
    return ToldNoticeOut(
        **dict(convert.notice(notice, language)),
        about=AboutOut(name=about.patient.name, patient_id=about.patient.patient_id) if about else None,
        case_id=about.case_uid if about else None,
    )


@router.post("/{notice_id}/resolve", **guard(Action.SEE_SELF))
def resolve(world: TheWorld, actor: CurrentActor, notice_id: str) -> NoticeRow:
    found = administer.resolve_notice(world, actor=actor, uid=notice_id)
    return convert.notice_row(found, actor.language)

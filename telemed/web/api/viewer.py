"""The way to a full viewer (OHIF) at an address of its own, where one is installed."""

from urllib.parse import urlencode

from fastapi import APIRouter
from pydantic import BaseModel

from telemed.application.identity import hand_to_viewer
from telemed.domain.access import Action
from telemed.domain.errors import NotFound
from telemed.web.context import TheSettings, TheWorld
from telemed.web.guard import guard
from telemed.web.security import CurrentActor

router = APIRouter(prefix="/studies", tags=["viewer"])


class ViewerOut(BaseModel):
    url: str


@router.post("/{study_instance_uid}/viewer", **guard(Action.SEE_CASE))
def hand_over(
    world: TheWorld, settings: TheSettings, actor: CurrentActor, study_instance_uid: str
) -> ViewerOut:
    """The address of this study in the viewer. It is this person's for an hour: not to be passed on."""
    if not settings.ohif_url:
        raise NotFound("error.no_viewer")
    token = hand_to_viewer(world, actor=actor, study_instance_uid=study_instance_uid)
    query = urlencode({"StudyInstanceUIDs": study_instance_uid})
    # In the fragment: it never leaves the browser, and stands in no server's log.
    return ViewerOut(url=f"{settings.ohif_url}/viewer?{query}#token={token}")

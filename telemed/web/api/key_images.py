"""The pictures of a case that matter, as its reader marked them."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from telemed.application.key_images import KeyImage, key_images, mark_key_image
from telemed.domain.access import Action
from telemed.web.api.shapes import Body, Instant
from telemed.web.context import TheWorld
from telemed.web.guard import guard
from telemed.web.security import CurrentActor

router = APIRouter(prefix="/cases/{case_id}/key-images", tags=["cases"])

_Finite = Annotated[float, Field(ge=-1e9, le=1e9)]


class WindowBody(Body):
    """In modality units."""

    center: _Finite
    width: _Finite


class MarkIn(Body):
    sop_instance_uid: str = Field(max_length=64)
    frame: int = Field(default=1, ge=1)
    window: WindowBody | None = None
    note: str = Field(default="", max_length=120)
    on: bool


class KeyImageOut(Body):
    sop_instance_uid: str
    frame: int
    window: WindowBody | None
    note: str
    mine: bool
    at: Instant


class KeyImagesOut(Body):
    rows: list[KeyImageOut]


@router.get("", **guard(Action.SEE_CASE))
def read_key_images(world: TheWorld, actor: CurrentActor, case_id: str) -> KeyImagesOut:
    return _out(key_images(world, actor=actor, uid=case_id), actor.user_id)


@router.post("", **guard(Action.WRITE_REPORT))
def mark(world: TheWorld, actor: CurrentActor, case_id: str, body: MarkIn) -> KeyImagesOut:
    """Marks a picture, or takes its mark away; only while the case is held."""
    found = mark_key_image(
        world,
        actor=actor,
        uid=case_id,
        sop_instance_uid=body.sop_instance_uid,
        frame=body.frame,
        window=(body.window.center, body.window.width) if body.window else None,
        note=" ".join(body.note.split()),
        on=body.on,
    )
    return _out(found, actor.user_id)


def _out(found: Sequence[KeyImage], user_id: int) -> KeyImagesOut:
    return KeyImagesOut(
        rows=[
            KeyImageOut(
                sop_instance_uid=one.sop_instance_uid,
                frame=one.frame,
                window=WindowBody(center=one.window[0], width=one.window[1]) if one.window else None,
                note=one.note,
                mine=one.by == user_id,
                at=one.at,
            )
            for one in found
        ]
    )

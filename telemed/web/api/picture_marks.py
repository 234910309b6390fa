"""What a reader measured in the pictures of a case."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from telemed.application import picture_marks as marks
from telemed.domain.access import Action
from telemed.domain.picture_mark import MarkKind, PictureMark
from telemed.web.api.shapes import Body
from telemed.web.context import TheWorld
from telemed.web.guard import guard
from telemed.web.security import CurrentActor

router = APIRouter(prefix="/cases/{case_id}/marks", tags=["cases"])

_Finite = Annotated[float, Field(ge=-1e9, le=1e9)]
MarkId = Annotated[str, Path(pattern=r"^[0-9a-zA-Z-]{1,64}$")]


class MarkBody(Body):
    """`points` (x, y) in pixels from the upper left corner; `unit` of lengths and areas: mm, detector or pixels."""

    kind: MarkKind
    sop_instance_uid: str = Field(max_length=64)
    frame: int = Field(default=1, ge=1)
    points: list[tuple[_Finite, _Finite]] = Field(max_length=4)
    values: dict[str, _Finite] = Field(max_length=8)
    unit: str = Field(max_length=16)
    hounsfield: bool = False


class MarkOut(MarkBody):
    id: str


class MarksOut(Body):
    rows: list[MarkOut]


@router.get("", **guard(Action.SEE_CASE))
def read_marks(world: TheWorld, actor: CurrentActor, case_id: str) -> MarksOut:
    return _out(marks.picture_marks(world, actor=actor, uid=case_id))


@router.put("/{mark_id}", **guard(Action.WRITE_REPORT))
def keep(world: TheWorld, actor: CurrentActor, case_id: str, mark_id: MarkId, body: MarkBody) -> MarksOut:
    """A new mark, or a known one moved; only while the case is held."""
    given = body.model_dump() | {"points": tuple(body.points)}
    return _out(marks.keep_mark(world, actor=actor, uid=case_id, mark=PictureMark(uid=mark_id, **given)))


@router.delete("/{mark_id}", **guard(Action.WRITE_REPORT))
def remove(world: TheWorld, actor: CurrentActor, case_id: str, mark_id: MarkId) -> MarksOut:
    return _out(marks.remove_mark(world, actor=actor, uid=case_id, mark=mark_id))


def _out(found: Sequence[PictureMark]) -> MarksOut:
    return MarksOut(
        rows=[
            MarkOut(
                id=one.uid,
                kind=one.kind,
                sop_instance_uid=one.sop_instance_uid,
                frame=one.frame,
                points=list(one.points),
                values=dict(one.values),
                unit=one.unit,
                hounsfield=one.hounsfield,
            )
            for one in found
        ]
    )

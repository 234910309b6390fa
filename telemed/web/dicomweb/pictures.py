"""Rendered pictures (PS3.18 8.3.5 and 10.4.1.1.4): what a browser shows."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response

from telemed.application.frames import Frames
from telemed.application.pictures import PREVIEW_BOX, preview
from telemed.application.retrieve import open_bytes
from telemed.application.world import World
from telemed.domain.access import Action, Actor
from telemed.imaging.pixels import MEDIA_TYPES, rendered
from telemed.web.context import TheWorld
from telemed.web.dicomweb.accept import accept_text, wanted
from telemed.web.dicomweb.answers import CaseQuery, refused
from telemed.web.dicomweb.frames import demand_frames, frame_numbers
from telemed.web.dicomweb.parts import Part, several, single
from telemed.web.guard import guard
from telemed.web.http_cache import kept, unchanged
from telemed.web.problems import BadAddress
from telemed.web.security import CurrentActor

router = APIRouter(prefix="/studies/{study}/series/{series}/instances/{sop}")

_LARGEST_SIDE = 10_000
_ANSWERS: dict[int | str, dict[str, Any]] = {200: {"content": {"image/jpeg": {}, "image/png": {}}}}
Viewport = Annotated[str | None, Query(max_length=40, description="width,height: never enlarged")]
WindowQuery = Annotated[
    str | None, Query(alias="window", max_length=80, description="center,width,function (linear)")
]


@router.get("/rendered", response_class=Response, responses=_ANSWERS, **guard(Action.SEE_CASE))
def read_rendered(
    request: Request,
    world: TheWorld,
    actor: CurrentActor,
    study: str,
    series: str,
    sop: str,
    viewport: Viewport = None,
    window: WindowQuery = None,
    case: CaseQuery = None,
) -> Response:
    return _picture(request, world, actor, (study, series, sop), case, [1], viewport, window)


@router.get(
    "/frames/{frames}/rendered", response_class=Response, responses=_ANSWERS, **guard(Action.SEE_CASE)
)
def read_frames(
    request: Request,
    world: TheWorld,
    actor: CurrentActor,
    study: str,
    series: str,
    sop: str,
    frames: str,
    viewport: Viewport = None,
    window: WindowQuery = None,
    case: CaseQuery = None,
) -> Response:
    return _picture(
        request, world, actor, (study, series, sop), case, frame_numbers(frames), viewport, window
    )


def _picture(
    request: Request,
    world: World,
    actor: Actor,
    place: tuple[str, str, str],
    case: str | None,
    frames: Sequence[int],
    viewport: str | None,
    window: str | None,
) -> Response:
    box, levels = box_of(viewport), window_of(window)
    ranges = wanted(request)
    if not any(one.takes(media) for one in ranges for media in MEDIA_TYPES.values()):
        return refused(request, 406, "error.not_acceptable", possible=", ".join(MEDIA_TYPES.values()))
    kind = _format(accept_text(request))
    opened = open_bytes(world, actor=actor, sop_instance_uid=place[2], place=place[:2], case_uid=case)
    listed = "-".join(map(str, frames))
    headers = kept(opened.stored.file_sha256, f"-{kind}-{listed}-{box}-{levels}".replace(" ", ""))
    headers["Vary"] = "Accept"
    if unchanged(request, headers):
        return Response(status_code=304, headers=headers)
    demand_frames(opened.stored, frames)
    if (kind, list(frames), box, levels) == ("jpeg", [1], PREVIEW_BOX, None):
        return single(Part(MEDIA_TYPES[kind], preview(world, opened.stored)), headers)
    pictures = _rendered(Frames(world, opened.stored), frames, kind, levels, box)
    # The first one is made before the answer begins: what cannot be shown is then still said.
    first = next(pictures)
    if len(frames) == 1:
        return single(first, headers)
    return several(MEDIA_TYPES[kind], chain([first], pictures), headers)


def _rendered(
    source: Frames,
    frames: Sequence[int],
    kind: Literal["jpeg", "png"],
    levels: tuple[float, float] | None,
    box: tuple[int, int] | None,
) -> Iterator[Part]:
    with source:
        for frame in frames:
            ds, number = source.source(frame)
            picture = rendered(ds, frame=number, window=levels, max_size=box, format=kind)
            yield Part(MEDIA_TYPES[kind], picture)


def _format(accept: str) -> Literal["jpeg", "png"]:
    """PNG where it is asked for by name before JPEG; a browser's list of everything gets JPEG."""
    png, jpeg = accept.find("image/png"), accept.find("image/jpeg")
    named = png >= 0 and (jpeg < 0 or png < jpeg)
    return "png" if named and "image/avif" not in accept and "image/webp" not in accept else "jpeg"


def box_of(viewport: str | None) -> tuple[int, int] | None:
    """PS3.18 8.3.5.1.3: width and height first; a source region is not supported, and said so."""
    if viewport is None:
        return None
    parts = viewport.split(",")
    try:
        width, height = (int(part) for part in parts)
    except ValueError as fault:
        raise BadAddress("error.viewport", field="viewport") from fault
    if not (0 < width <= _LARGEST_SIDE and 0 < height <= _LARGEST_SIDE):
        raise BadAddress("error.viewport", field="viewport")
    return width, height


def window_of(window: str | None) -> tuple[float, float] | None:
    """PS3.18 8.3.5.1.4, of its functions the linear one."""
    if window is None:
        return None
    parts = window.split(",")
    try:
        center, width = float(parts[0]), float(parts[1])
    except (ValueError, IndexError) as fault:
        raise BadAddress("error.window", field="window") from fault
    finite = abs(center) < 1e9 and 1 <= width < 1e9
    if not finite or len(parts) > 3 or (len(parts) == 3 and parts[2] != "linear"):
        raise BadAddress("error.window", field="window")
    return center, width

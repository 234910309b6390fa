"""Rendered studies and series, and thumbnails at every level (PS3.18 10.4.1.1.3 and 10.4.1.1.4)."""

from collections.abc import Iterator, Sequence

from fastapi import APIRouter, Request, Response

from telemed.application.frames import Frames
from telemed.application.retrieve import OpenedStudy, open_bytes, open_study
from telemed.application.world import World
from telemed.domain.access import Action
from telemed.domain.study import ObjectRole, StoredObject
from telemed.imaging.errors import PixelError
from telemed.imaging.pixels import MEDIA_TYPES, rendered
from telemed.web.context import TheWorld
from telemed.web.dicomweb.accept import wanted
from telemed.web.dicomweb.answers import base_url, refused
from telemed.web.dicomweb.parts import PRIVATE, Part, several, single
from telemed.web.dicomweb.pictures import Viewport, WindowQuery, box_of, window_of
from telemed.web.guard import guard
from telemed.web.http_cache import kept, unchanged
from telemed.web.security import CurrentActor

router = APIRouter(prefix="/studies/{study}")

_RULE = {
    "response_class": Response,
    "responses": {200: {"content": {"image/jpeg": {}, "image/png": {}}}},
    **guard(Action.SEE_CASE),
}
_JPEG, _PNG = MEDIA_TYPES["jpeg"], MEDIA_TYPES["png"]
_THUMBNAIL = (256, 256)


@router.get("/rendered", **_RULE)
def read_study(
    request: Request,
    world: TheWorld,
    actor: CurrentActor,
    study: str,
    viewport: Viewport = None,
    window: WindowQuery = None,
) -> Response:
    return _together(request, open_study(world, actor=actor, study_instance_uid=study), viewport, window)


@router.get("/series/{series}/rendered", **_RULE)
def read_series(
    request: Request,
    world: TheWorld,
    actor: CurrentActor,
    study: str,
    series: str,
    viewport: Viewport = None,
    window: WindowQuery = None,
) -> Response:
    opened = open_study(world, actor=actor, study_instance_uid=study, series_instance_uid=series)
    return _together(request, opened, viewport, window)


@router.get("/thumbnail", **_RULE)
def read_study_thumbnail(
    request: Request, world: TheWorld, actor: CurrentActor, study: str, viewport: Viewport = None
) -> Response:
    opened = open_study(world, actor=actor, study_instance_uid=study)
    return _thumbnail(request, world, _middle(opened), 1, viewport)


@router.get("/series/{series}/thumbnail", **_RULE)
def read_series_thumbnail(
    request: Request, world: TheWorld, actor: CurrentActor, study: str, series: str, viewport: Viewport = None
) -> Response:
    opened = open_study(world, actor=actor, study_instance_uid=study, series_instance_uid=series)
    return _thumbnail(request, world, _middle(opened), 1, viewport)


@router.get("/series/{series}/instances/{sop}/thumbnail", **_RULE)
def read_instance_thumbnail(
    request: Request,
    world: TheWorld,
    actor: CurrentActor,
    study: str,
    series: str,
    sop: str,
    viewport: Viewport = None,
) -> Response:
    opened = open_bytes(world, actor=actor, sop_instance_uid=sop, place=(study, series))
    return _thumbnail(request, world, opened.stored, 1, viewport)


@router.get("/series/{series}/instances/{sop}/frames/{frame}/thumbnail", **_RULE)
def read_frame_thumbnail(
    request: Request,
    world: TheWorld,
    actor: CurrentActor,
    study: str,
    series: str,
    sop: str,
    frame: int,
    viewport: Viewport = None,
) -> Response:
    opened = open_bytes(world, actor=actor, sop_instance_uid=sop, place=(study, series))
    return _thumbnail(request, world, opened.stored, frame, viewport)


def _pictures(opened: OpenedStudy) -> Sequence[StoredObject]:
    found = [stored for stored in opened.objects if stored.rows and stored.columns]
    if not found:
        raise PixelError("pixel.no_pixels")
    # A picture made of a film stands for itself alone, never among the films of the examination.
    return [stored for stored in found if stored.role is ObjectRole.PRIMARY] or found


def _middle(opened: OpenedStudy) -> StoredObject:
    found = _pictures(opened)
    return found[(len(found) - 1) // 2]


def _thumbnail(
    request: Request, world: World, stored: StoredObject, frame: int, viewport: str | None
) -> Response:
    box = box_of(viewport) or _THUMBNAIL
    if not any(one.takes(_JPEG) for one in wanted(request)):
        return refused(request, 406, "error.not_acceptable", possible=_JPEG)
    headers = PRIVATE | kept(stored.file_sha256, f"-thumbnail-{frame}-{box[0]}x{box[1]}")
    if unchanged(request, headers):
        return Response(status_code=304, headers=headers)
    with Frames(world, stored) as frames:
        ds, number = frames.source(frame)
        picture = rendered(ds, frame=number, max_size=box)
    return single(Part(_JPEG, picture), headers)


def _together(request: Request, opened: OpenedStudy, viewport: str | None, window: str | None) -> Response:
    box, levels = box_of(viewport), window_of(window)
    ranges = [one for one in wanted(request) if one.multipart]
    kind = next((kind for one in ranges for kind in (_JPEG, _PNG) if one.takes(kind)), None)
    if kind is None:
        return refused(request, 406, "error.not_acceptable", possible=f"multipart/related; type={_JPEG}")
    pictures = _pictures(opened)
    base = f"{base_url(request)}/studies/{opened.study.study_instance_uid}"
    series = {one.id: one.series_instance_uid for one in opened.series}

    def parts() -> Iterator[Part]:
        for stored in pictures:
            place = f"{base}/series/{series[stored.series_id]}/instances/{stored.sop_instance_uid}/rendered"
            with Frames(opened.world, stored) as frames:
                ds, number = frames.source(1)
                picture = rendered(
                    ds,
                    frame=number,
                    window=levels,
                    max_size=box,
                    format="png" if kind == _PNG else "jpeg",
                )
            yield Part(kind, picture, location=place)

    return several(kind, parts())

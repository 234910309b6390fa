"""WADO-RS for whole studies, series and instances (PS3.18 10.4.1.1.1): sent object by object."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from fastapi import APIRouter, Request, Response

from telemed.application.objects import read_object
from telemed.application.presented import Identities, file_of, presented, variant
from telemed.application.retrieve import OpenedStudy, open_bytes, open_study
from telemed.application.world import World
from telemed.domain.access import Action
from telemed.domain.study import StoredObject
from telemed.imaging.part10 import EXPLICIT_BIG, EXPLICIT_LITTLE, IMPLICIT_LITTLE
from telemed.imaging.pixels.encode import LOSSLESS
from telemed.imaging.plain_file import can_be_given, to_syntax
from telemed.web.context import TheWorld
from telemed.web.dicomweb.accept import Wanted, wanted
from telemed.web.dicomweb.answers import DICOM, refused
from telemed.web.dicomweb.parts import PRIVATE, Part, alone, several, single
from telemed.web.guard import guard
from telemed.web.http_cache import kept, unchanged
from telemed.web.security import CurrentActor

router = APIRouter(prefix="/studies/{study}")

_POSSIBLE = 'multipart/related; type="application/dicom", application/dicom'
_RULE = {
    "response_class": Response,
    "responses": {200: {"content": {DICOM: {}, "multipart/related": {}}}},
    **guard(Action.SEE_CASE),
}


@router.get("", **_RULE)
def read_study(request: Request, world: TheWorld, actor: CurrentActor, study: str) -> Response:
    return _together(request, lambda: open_study(world, actor=actor, study_instance_uid=study))


@router.get("/series/{series}", **_RULE)
def read_series(request: Request, world: TheWorld, actor: CurrentActor, study: str, series: str) -> Response:
    return _together(
        request,
        lambda: open_study(world, actor=actor, study_instance_uid=study, series_instance_uid=series),
    )


@router.get("/series/{series}/instances/{sop}", **_RULE)
def read_instance(
    request: Request, world: TheWorld, actor: CurrentActor, study: str, series: str, sop: str
) -> Response:
    """`application/dicom`, or one part of `multipart/related` for those who ask for it."""
    opened = open_bytes(world, actor=actor, sop_instance_uid=sop, place=(study, series))
    stored = opened.stored
    choice = _choice(world, wanted(request), [stored])
    if choice is None:
        return refused(request, 406, "error.not_acceptable", possible=_POSSIBLE)
    form = f"-{'one' if choice.single else 'multipart'}-{choice.syntax or 'stored'}".replace("*", "stored")
    form += variant(opened.identities, stored)
    headers = PRIVATE | kept(stored.file_sha256, form)
    if unchanged(request, headers):
        return Response(status_code=304, headers=headers)
    with ExitStack() as opening:
        part = opening.enter_context(_part(world, stored, opened.identities, choice))
        held = opening.pop_all()
    if not choice.single:
        return several(DICOM, alone(part, held), headers)
    headers["Content-Disposition"] = f'attachment; filename="{stored.sop_instance_uid}.dcm"'
    return single(replace(part, syntax=""), headers, held)


def _together(request: Request, open_: Callable[[], OpenedStudy]) -> Response:
    opened = open_()
    choice = _choice(opened.world, [one for one in wanted(request) if one.multipart], opened.objects)
    if choice is None:
        return refused(request, 406, "error.not_acceptable", possible=_POSSIBLE)
    return several(DICOM, _parts(opened, choice))


def _choice(world: World, ranges: Sequence[Wanted], objects: Sequence[StoredObject]) -> Wanted | None:
    """The first range that all of these objects can be given in: as stored, or turned into another form."""
    for one in ranges:
        if one.takes(DICOM) and all(_can_give(world, stored, one.syntax) for stored in objects):
            return one
    return None


def _can_give(world: World, stored: StoredObject, syntax: str) -> bool:
    if syntax in ("", "*", EXPLICIT_LITTLE, stored.transfer_syntax_uid):
        return True
    return syntax in LOSSLESS and can_be_given(read_object(world, stored), syntax)


def _parts(opened: OpenedStudy, choice: Wanted) -> Iterator[Part]:
    for stored in opened.objects:
        with _part(opened.world, stored, opened.identities, choice) as part:
            yield part


@contextmanager
def _part(world: World, stored: StoredObject, identities: Identities, choice: Wanted) -> Iterator[Part]:
    """Read by pieces where it leaves as it is stored; to be written anew it is read whole."""
    syntax = choice.syntax
    if syntax in ("", "*"):
        # PS3.18 8.7.3.5.2: never these two, whatever the object was received in.
        hidden = stored.transfer_syntax_uid in (IMPLICIT_LITTLE, EXPLICIT_BIG)
        syntax = EXPLICIT_LITTLE if hidden else stored.transfer_syntax_uid
    if syntax == stored.transfer_syntax_uid:
        with file_of(world, stored, identities) as file:
            yield Part(DICOM, file, syntax)
    else:
        yield Part(DICOM, to_syntax(presented(world, stored, identities), syntax), syntax)

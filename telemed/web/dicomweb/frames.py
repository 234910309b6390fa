"""Frames and bulk data (PS3.18 10.4.1.1.5 and 10.4.1.1.6): as stored, or decoded to plain samples, by Accept."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from telemed.application.bulk_values import bulk_of
from telemed.application.frames import Frames
from telemed.application.pictures import quick_frame
from telemed.application.retrieve import OpenedObject, open_bytes
from telemed.domain.access import Action
from telemed.domain.errors import NotFound
from telemed.domain.study import StoredObject
from telemed.imaging.part10 import EXPLICIT_LITTLE
from telemed.imaging.pixels.encode import (
    HTJ2K,
    JPEG_2000,
    JPEG_LOSSLESS,
    JPEG_LS,
    RLE,
    can_encode,
    encoded_frame,
)
from telemed.imaging.pixels.frames import plain_frame, stored_frame
from telemed.web.context import TheWorld
from telemed.web.dicomweb.accept import Wanted, wanted
from telemed.web.dicomweb.answers import OCTETS, CaseQuery, base_url, refused
from telemed.web.dicomweb.parts import PRIVATE, Part, alone, several, single
from telemed.web.guard import guard
from telemed.web.http_cache import kept, unchanged
from telemed.web.problems import BadAddress
from telemed.web.security import CurrentActor

router = APIRouter(prefix="/studies/{study}/series/{series}/instances/{sop}")

_RULE = {
    "response_class": Response,
    "responses": {200: {"content": {OCTETS: {}, "multipart/related": {}}}},
    **guard(Action.SEE_CASE),
}
_PIXEL_DATA = "7FE00010"
# More than one answer should hold open; the next ones are asked for in the next request.
_MOST_FRAMES = 1000
# PS3.18 table 8.7.3-5: the media type of a compressed frame.
_COMPRESSED = {
    "1.2.840.10008.1.2.5": "image/dicom-rle",
    "1.2.840.10008.1.2.4.50": "image/jpeg",
    "1.2.840.10008.1.2.4.51": "image/jpeg",
    "1.2.840.10008.1.2.4.57": "image/jpeg",
    "1.2.840.10008.1.2.4.70": "image/jpeg",
    "1.2.840.10008.1.2.4.80": "image/jls",
    "1.2.840.10008.1.2.4.81": "image/jls",
    "1.2.840.10008.1.2.4.90": "image/jp2",
    "1.2.840.10008.1.2.4.91": "image/jp2",
    "1.2.840.10008.1.2.4.92": "image/jpx",
    "1.2.840.10008.1.2.4.93": "image/jpx",
    "1.2.840.10008.1.2.4.201": "image/jphc",
    "1.2.840.10008.1.2.4.202": "image/jphc",
    "1.2.840.10008.1.2.4.203": "image/jphc",
}

# Films, in a form that browsers decode at once; asked for by its name alone, for `*/*` takes what is stored.
_QUICK = "image/jphc"
# What each compressed media type means where no transfer syntax is named (the same table), and what can be made of
# samples without loss.
ENCODED = {
    "image/jpeg": JPEG_LOSSLESS,
    "image/jls": JPEG_LS,
    "image/jp2": JPEG_2000,
    "image/dicom-rle": RLE,
}


@dataclass(frozen=True)
class _Form:
    kind: str
    syntax: str
    multipart: bool
    stored: bool = False
    ready: bytes = b""

    @property
    def decoded(self) -> bool:
        return self.syntax == EXPLICIT_LITTLE


@router.get("/frames/{frames}", **_RULE)
def read_frames(
    request: Request,
    world: TheWorld,
    actor: CurrentActor,
    study: str,
    series: str,
    sop: str,
    frames: str,
    case: CaseQuery = None,
) -> Response:
    """Raw samples, or the compressed frames where the asker takes their media type."""
    numbers = frame_numbers(frames)
    opened = open_bytes(world, actor=actor, sop_instance_uid=sop, place=(study, series), case_uid=case)
    return _answer(request, opened, numbers)


@router.get("/bulkdata/{address:path}", **_RULE)
def read_bulk(
    request: Request, world: TheWorld, actor: CurrentActor, study: str, series: str, sop: str, address: str
) -> Response:
    """One value that the metadata name by BulkDataURI."""
    opened = open_bytes(world, actor=actor, sop_instance_uid=sop, place=(study, series))
    with ExitStack() as opening:
        value = opening.enter_context(bulk_of(world, opened.stored, address))
        if address == _PIXEL_DATA and value.in_fragments:
            return _answer(request, opened, range(1, max(opened.stored.frames, 1) + 1))
        choice = next((one for one in wanted(request) if one.takes(OCTETS)), None)
        if choice is None:
            return refused(request, 406, "error.not_acceptable", possible=OCTETS)
        location = f"{_place(request, study, series, sop)}/bulkdata/{address}"
        part, held = Part(OCTETS, value.data, location=location), opening.pop_all()
    headers = kept(opened.stored.file_sha256, f"-{address.replace('/', '.')}-{choice.multipart}")
    return several(OCTETS, alone(part, held), headers) if choice.multipart else single(part, headers, held)


def frame_numbers(text: str) -> Sequence[int]:
    """Raises BadAddress unless these are numbers from 1, separated by commas."""
    if not re.fullmatch(r"[1-9][0-9]{0,6}(,[1-9][0-9]{0,6})*", text) or text.count(",") >= _MOST_FRAMES:
        raise BadAddress("error.frame_list", field="frames")
    return [int(number) for number in text.split(",")]


def demand_frames(stored: StoredObject, numbers: Sequence[int]) -> None:
    """Before the answer begins: half of one cannot be taken back. Raises NotFound `pixel.no_such_frame`."""
    frames = max(stored.frames, 1)
    for number in numbers:
        if number > frames:
            raise NotFound("pixel.no_such_frame", frame=number, frames=frames)


def _place(request: Request, study: str, series: str, sop: str) -> str:
    return f"{base_url(request)}/studies/{study}/series/{series}/instances/{sop}"


def _answer(request: Request, opened: OpenedObject, numbers: Sequence[int]) -> Response:
    syntax = opened.stored.transfer_syntax_uid
    frames = Frames(opened.world, opened.stored)
    form = _form(wanted(request), opened, frames, numbers)
    if form is None:
        possible = ", ".join(dict.fromkeys((OCTETS, _COMPRESSED.get(syntax, OCTETS))))
        return refused(request, 406, "error.not_acceptable", possible=possible)
    listed = hashlib.sha256(repr(list(numbers)).encode()).hexdigest()[:16]
    headers = PRIVATE | kept(opened.stored.file_sha256, f"-{listed}-{form.syntax}-{form.multipart}")
    if unchanged(request, headers):
        return Response(status_code=304, headers=headers)
    demand_frames(opened.stored, numbers)
    place = _place(request, opened.study.study_instance_uid, *_series_and_sop(request))
    parts = _parts(frames, numbers, form, place)
    # The first one is made before the answer begins: what cannot be given is then still said.
    first = next(parts)
    if not form.multipart:
        return single(first, headers)
    return several(form.kind, _again(first, parts), headers)


def _series_and_sop(request: Request) -> tuple[str, str]:
    return request.path_params["series"], request.path_params["sop"]


def _form(
    ranges: Sequence[Wanted], opened: OpenedObject, frames: Frames, numbers: Sequence[int]
) -> _Form | None:
    """As stored before decoded, and decoded before encoded anew."""
    syntax, alone = opened.stored.transfer_syntax_uid, len(numbers) == 1
    compressed = _COMPRESSED.get(syntax)
    for one in ranges:
        multipart = one.multipart or not alone
        if not (one.multipart or alone):
            continue
        if compressed and one.takes(compressed) and one.syntax in ("", "*", syntax):
            return _Form(compressed, syntax, multipart, stored=True)
        if one.takes(OCTETS) and one.syntax in ("", "*", EXPLICIT_LITTLE):
            return _Form(OCTETS, EXPLICIT_LITTLE, multipart)
        if alone and one.takes(_QUICK) and one.syntax in ("", "*", HTJ2K):
            demand_frames(opened.stored, numbers)
            ready = quick_frame(opened.world, opened.stored, numbers[0])
            if ready is not None:
                return _Form(_QUICK, HTJ2K, multipart, ready=ready)
        for kind, made in ENCODED.items():
            if (
                one.takes(kind)
                and one.syntax in ("", "*", made)
                and can_encode(frames.source(numbers[0])[0], made)
            ):
                return _Form(kind, made, multipart)
    return None


def _parts(frames: Frames, numbers: Sequence[int], form: _Form, place: str) -> Iterator[Part]:
    with frames:
        for number in numbers:
            yield Part(form.kind, _frame(frames, number, form), form.syntax, f"{place}/frames/{number}")


def _frame(frames: Frames, number: int, form: _Form) -> bytes:
    if form.ready:
        return form.ready
    ds, at = frames.source(number)
    if form.stored:
        return stored_frame(ds, at)
    return plain_frame(ds, at) if form.decoded else encoded_frame(ds, at, form.syntax)


def _again(first: Part, rest: Iterator[Part]) -> Iterator[Part]:
    yield first
    yield from rest

"""Metadata of studies, series and instances as DICOM JSON (PS3.18 annex F)."""

from io import BytesIO
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydicom import dcmread
from pydicom.errors import InvalidDicomError

from telemed.application.retrieve import OpenedStudy, open_study
from telemed.domain.access import Action
from telemed.domain.errors import NotFound, Unreadable
from telemed.domain.study import StoredObject
from telemed.web.context import TheWorld
from telemed.web.guard import guard
from telemed.web.security import CurrentActor

router = APIRouter(prefix="/studies/{study}")

DICOM_JSON = "application/dicom+json"
# Curves, spectra, overlays, documents: fetched as part of the instance, where they are wanted.
_BULK = ("OB", "OD", "OF", "OL", "OV", "OW", "UN")


@router.get("/metadata", response_class=JSONResponse, **guard(Action.SEE_CASE))
def read_study(world: TheWorld, actor: CurrentActor, study: str) -> JSONResponse:
    return _answer(open_study(world, actor=actor, study_instance_uid=study))


@router.get("/series/{series}/metadata", response_class=JSONResponse, **guard(Action.SEE_CASE))
def read_series(world: TheWorld, actor: CurrentActor, study: str, series: str) -> JSONResponse:
    return _answer(open_study(world, actor=actor, study_instance_uid=study, series_instance_uid=series))


@router.get(
    "/series/{series}/instances/{sop}/metadata", response_class=JSONResponse, **guard(Action.SEE_CASE)
)
def read_instance(world: TheWorld, actor: CurrentActor, study: str, series: str, sop: str) -> JSONResponse:
    opened = open_study(world, actor=actor, study_instance_uid=study, series_instance_uid=series)
    chosen = [stored for stored in opened.objects if stored.sop_instance_uid == sop]
    if not chosen:
        raise NotFound("error.object_not_found")
    return _answer(OpenedStudy(world, opened.study, opened.series, chosen))


def _answer(opened: OpenedStudy) -> JSONResponse:
    content = [described(opened.read(stored), stored) for stored in opened.objects]
    return JSONResponse(content, media_type=DICOM_JSON, headers={"Cache-Control": "private, no-cache"})


def described(data: bytes, stored: StoredObject) -> dict[str, Any]:
    """One instance without its bulk data; the transfer syntax is told as PS3.18 10.4.3.3.2 has it."""
    try:
        dataset = dcmread(BytesIO(data), stop_before_pixels=True, force=True)
        for element in tuple(dataset.iterall()):
            if element.VR in _BULK:
                element.value = None
        described: dict[str, Any] = dataset.to_json_dict(suppress_invalid_tags=True)
    except (InvalidDicomError, ValueError, KeyError, AttributeError, EOFError) as fault:
        raise Unreadable("header.damaged", position=0) from fault
    described["00083002"] = {"vr": "UI", "Value": [stored.transfer_syntax_uid]}
    return described

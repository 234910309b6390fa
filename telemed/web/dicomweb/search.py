"""QIDO-RS (PS3.18 10.6): what this person may see, newest first, at every level."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydicom.datadict import dictionary_VR, tag_for_keyword

from telemed.application.ports.dicom import IndexRow, Level
from telemed.application.search import search_objects
from telemed.application.world import World
from telemed.domain.access import Action, Actor
from telemed.domain.errors import InvalidInput
from telemed.web.context import TheWorld, language_of
from telemed.web.dicomweb.answers import DICOM_JSON, base_url, element
from telemed.web.dicomweb.search_keys import search_of
from telemed.web.guard import guard
from telemed.web.problems import problem
from telemed.web.security import CurrentActor
from telemed.web.words import explain

router = APIRouter()

_RULE: dict[str, Any] = {"response_class": JSONResponse, **guard(Action.SEE_CASE)}
_MORE = '299 telemed "There are additional results that can be requested"'
# Type 2 for every level of the standard's answers: what we do not index is told as empty.
_EMPTY = {"00080090": "PN", "00200010": "SH"}


@router.get("/studies", **_RULE)
def search_studies(request: Request, world: TheWorld, actor: CurrentActor) -> Response:
    return _search(request, world, actor, Level.STUDY)


@router.get("/series", **_RULE)
def search_series(request: Request, world: TheWorld, actor: CurrentActor) -> Response:
    return _search(request, world, actor, Level.SERIES)


@router.get("/instances", **_RULE)
def search_instances(request: Request, world: TheWorld, actor: CurrentActor) -> Response:
    return _search(request, world, actor, Level.IMAGE)


@router.get("/studies/{study}/series", **_RULE)
def search_series_of_study(request: Request, world: TheWorld, actor: CurrentActor, study: str) -> Response:
    return _search(request, world, actor, Level.SERIES, study)


@router.get("/studies/{study}/instances", **_RULE)
def search_instances_of_study(request: Request, world: TheWorld, actor: CurrentActor, study: str) -> Response:
    return _search(request, world, actor, Level.IMAGE, study)


@router.get("/studies/{study}/series/{series}/instances", **_RULE)
def search_instances_of_series(
    request: Request, world: TheWorld, actor: CurrentActor, study: str, series: str
) -> Response:
    return _search(request, world, actor, Level.IMAGE, study, series)


def _search(
    request: Request, world: World, actor: Actor, level: Level, study: str = "", series: str = ""
) -> Response:
    try:
        search = search_of(request.query_params, level, within_study=bool(study))
    except InvalidInput as fault:
        # PS3.18 10.6.3.1 knows 400 for a query that is not right, where the house says 422.
        detail = explain(fault, language_of(request))
        return problem(request, 400, fault.code, detail, field=fault.field, params=dict(fault.params))
    rows, more = search_objects(
        world,
        actor=actor,
        query=search.query,
        offset=search.offset,
        limit=search.limit,
        study_instance_uid=study,
        series_instance_uid=series,
    )
    headers = {"Cache-Control": "no-store"}
    if more and search.server_limited:
        headers["Warning"] = _MORE
    if not rows:
        return Response(status_code=204, headers=headers)
    base = base_url(request)
    content = [_described(row, level, base) for row in rows]
    return JSONResponse(content, media_type=DICOM_JSON, headers=headers)


def _described(row: IndexRow, level: Level, base: str) -> dict[str, Any]:
    described = {f"{tag_for_keyword(name):08X}": _value(name, text) for name, text in row.items()}
    url = f"{base}/studies/{row['StudyInstanceUID']}"
    if level is not Level.STUDY:
        url += f"/series/{row['SeriesInstanceUID']}"
    if level is Level.IMAGE:
        url += f"/instances/{row['SOPInstanceUID']}"
    described["00080056"] = element("CS", "ONLINE")
    described["00081190"] = element("UR", url)
    if level is Level.STUDY:
        described |= {tag: element(vr) for tag, vr in _EMPTY.items()}
    return dict(sorted(described.items()))


def _value(name: str, text: str) -> dict[str, Any]:
    vr = dictionary_VR(name)
    if not text:
        return {"vr": vr}
    if vr == "PN":
        return {"vr": vr, "Value": [{"Alphabetic": text}]}
    values = text.split("\\") if name in ("ModalitiesInStudy", "SOPClassesInStudy") else [text]
    return element(vr, *(int(value) if vr in ("IS", "US") else value for value in values))

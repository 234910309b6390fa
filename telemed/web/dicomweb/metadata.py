"""Metadata of studies, series and instances as DICOM JSON (PS3.18 annex F)."""

from dataclasses import replace

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from telemed.application.objects import mapped
from telemed.application.retrieve import OpenedStudy, open_study
from telemed.domain.access import Action
from telemed.domain.errors import NotFound
from telemed.imaging.bulk import described
from telemed.web.context import TheWorld
from telemed.web.dicomweb.accept import wanted
from telemed.web.dicomweb.answers import DICOM_JSON, CaseQuery, base_url, element, refused
from telemed.web.dicomweb.parts import PRIVATE
from telemed.web.guard import guard
from telemed.web.security import CurrentActor

router = APIRouter(prefix="/studies/{study}")


@router.get("/metadata", response_class=JSONResponse, **guard(Action.SEE_CASE))
def read_study(request: Request, world: TheWorld, actor: CurrentActor, study: str) -> Response:
    return _answer(request, open_study(world, actor=actor, study_instance_uid=study))


@router.get("/series/{series}/metadata", response_class=JSONResponse, **guard(Action.SEE_CASE))
def read_series(
    request: Request, world: TheWorld, actor: CurrentActor, study: str, series: str, case: CaseQuery = None
) -> Response:
    return _answer(
        request,
        open_study(world, actor=actor, study_instance_uid=study, series_instance_uid=series, case_uid=case),
    )


@router.get(
    "/series/{series}/instances/{sop}/metadata", response_class=JSONResponse, **guard(Action.SEE_CASE)
)
def read_instance(
    request: Request,
    world: TheWorld,
    actor: CurrentActor,
    study: str,
    series: str,
    sop: str,
    case: CaseQuery = None,
) -> Response:
    opened = open_study(
        world, actor=actor, study_instance_uid=study, series_instance_uid=series, case_uid=case
    )
    chosen = [stored for stored in opened.objects if stored.sop_instance_uid == sop]
    if not chosen:
        raise NotFound("error.object_not_found")
    return _answer(request, replace(opened, objects=chosen))


def _answer(request: Request, opened: OpenedStudy) -> Response:
    accepted = wanted(request)
    if not any(one.single and (one.takes(DICOM_JSON) or one.takes("application/json")) for one in accepted):
        return refused(request, 406, "error.not_acceptable", possible=DICOM_JSON)
    base = f"{base_url(request)}/studies/{opened.study.study_instance_uid}"
    series = {one.id: one.series_instance_uid for one in opened.series}
    content = []
    for stored in opened.objects:
        place = f"{base}/series/{series[stored.series_id]}/instances/{stored.sop_instance_uid}"
        with mapped(opened.world, stored) as data:
            one = described(data, f"{place}/bulkdata", opened.identities.get(stored.series_id))
        # The transfer syntax is told as PS3.18 10.4.3.3.2 has it.
        content.append(one | {"00083002": element("UI", stored.transfer_syntax_uid)})
    return JSONResponse(content, media_type=DICOM_JSON, headers=PRIVATE)

"""QIDO-RS for studies (PS3.18 10.6): what this person may see, newest first."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response

from telemed.application.ports import StudyOverview
from telemed.application.retrieve import MOST_FOUND, find_study, search_studies
from telemed.domain.access import Action
from telemed.domain.errors import InvalidInput
from telemed.web.context import TheWorld
from telemed.web.dicomweb.metadata import DICOM_JSON
from telemed.web.guard import guard
from telemed.web.security import CurrentActor

router = APIRouter(prefix="/studies")

_KEYS = {
    "0020000D": "StudyInstanceUID",
    "00100020": "PatientID",
    "00080050": "AccessionNumber",
    "00080061": "ModalitiesInStudy",
    "00080020": "StudyDate",
}
_CONTROL = {"limit", "offset", "includefield", "fuzzymatching"}


@router.get("", response_class=JSONResponse, **guard(Action.SEE_CASE))
def search(
    request: Request,
    world: TheWorld,
    actor: CurrentActor,
    limit: Annotated[int, Query(ge=1, le=MOST_FOUND)] = MOST_FOUND,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """Matches by exact value: StudyInstanceUID, PatientID, AccessionNumber, ModalitiesInStudy, StudyDate."""
    keys = _wanted(request)
    uid = keys.get("StudyInstanceUID")
    if uid:
        found = find_study(world, actor=actor, study_instance_uid=uid)
    else:
        found = search_studies(world, actor=actor)
    headers = {"Cache-Control": "no-store"}
    if len(found) == MOST_FOUND:
        headers["Warning"] = (
            f'299 telemed "There are additional results: only the newest {MOST_FOUND} were searched"'
        )
    matching = [one for one in found if _matches(one, keys)][offset : offset + limit]
    if not matching:
        return Response(status_code=204, headers=headers)
    base = str(request.base_url).rstrip("/")
    return JSONResponse([_described(one, base) for one in matching], media_type=DICOM_JSON, headers=headers)


def _wanted(request: Request) -> dict[str, str]:
    keys: dict[str, str] = {}
    for name, value in request.query_params.items():
        keyword = _KEYS.get(name.upper(), name)
        if keyword in _CONTROL:
            continue
        if keyword not in _KEYS.values():
            # An ignored key would widen the answer beyond what was asked for.
            raise InvalidInput("error.search_key", field=name[:64], allowed=", ".join(_KEYS.values()))
        keys[keyword] = value
    return keys


def _matches(found: StudyOverview, keys: dict[str, str]) -> bool:
    study = found.study
    values = {
        "StudyInstanceUID": study.study_instance_uid,
        "PatientID": found.patient.patient_id,
        "AccessionNumber": _accession(found),
        "ModalitiesInStudy": study.modality,
        "StudyDate": study.study_date,
    }
    return all(values[keyword] == value for keyword, value in keys.items() if value)


def _accession(found: StudyOverview) -> str:
    return found.order.accession_number if found.order else found.study.accession_number


def _described(found: StudyOverview, base: str) -> dict[str, Any]:
    study, patient = found.study, found.patient
    birth = patient.birth_date.strftime("%Y%m%d") if patient.birth_date else ""
    return {
        "00080020": _element("DA", study.study_date),
        "00080030": _element("TM", study.study_time),
        "00080050": _element("SH", _accession(found)),
        "00080061": _element("CS", study.modality),
        "00081030": _element("LO", study.description),
        "00081190": _element("UR", f"{base}/dicom-web/studies/{study.study_instance_uid}"),
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": patient.name}]} if patient.name else {"vr": "PN"},
        "00100020": _element("LO", patient.patient_id),
        "00100030": _element("DA", birth),
        "00100040": _element("CS", patient.sex),
        "0020000D": _element("UI", study.study_instance_uid),
        "00201208": {"vr": "IS", "Value": [found.objects]},
    }


def _element(vr: str, value: str) -> dict[str, Any]:
    values: Sequence[str] = [value] if value else []
    return {"vr": vr, "Value": values} if values else {"vr": vr}

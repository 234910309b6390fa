"""What the DICOMweb services share: media types, elements of DICOM JSON, refusals with their code."""

from collections.abc import Sequence
from typing import Any

from fastapi import Request, Response

from telemed.web.context import language_of
from telemed.web.problems import problem
from telemed.web.words import say

DICOM = "application/dicom"
DICOM_JSON = "application/dicom+json"
OCTETS = "application/octet-stream"


def refused(request: Request, status: int, code: str, **params: str | int) -> Response:
    """For statuses that are HTTP's own rather than a fault of the domain (400, 406, 415)."""
    return problem(request, status, code, say(code, language_of(request), params))


def element(vr: str, *values: str | int) -> dict[str, Any]:
    kept: Sequence[str | int] = [value for value in values if value != ""]
    return {"vr": vr, "Value": kept} if kept else {"vr": vr}


def base_url(request: Request) -> str:
    return f"{str(request.base_url).rstrip('/')}/dicom-web"

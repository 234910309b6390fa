"""What the DICOMweb services share: media types, elements of DICOM JSON, refusals with their code."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Query, Request, Response

from telemed.web.context import language_of, the_settings
from telemed.web.problems import problem
from telemed.web.words import say

DICOM = "application/dicom"
DICOM_JSON = "application/dicom+json"
OCTETS = "application/octet-stream"
# Not of the standard: the case page says with it which of several institutions' objects it shows.
CaseQuery = Annotated[str | None, Query(max_length=64, description="the case whose object is meant")]


def refused(request: Request, status: int, code: str, **params: str | int) -> Response:
    """For statuses that are HTTP's own rather than a fault of the domain (400, 406, 415)."""
    return problem(request, status, code, say(code, language_of(request), params))


def element(vr: str, *values: str | int) -> dict[str, Any]:
    kept: Sequence[str | int] = [value for value in values if value != ""]
    return {"vr": vr, "Value": kept} if kept else {"vr": vr}


def base_url(request: Request) -> str:
    """Where the asker reaches us: the address this house is known by, else the one that was asked.

    Clients in the field leave the port out of the Host header; an address without it would lead elsewhere.
    """
    public = the_settings(request).public_url
    if not public:
        host, port = request.headers.get("host", ""), (request.scope.get("server") or ("", None))[1]
        usual = {"http": 80, "https": 443}.get(request.url.scheme)
        has_port = host.rpartition("]")[2].count(":") == 1
        public = f"{request.url.scheme}://{host}" + ("" if has_port or port in (None, usual) else f":{port}")
    return f"{public}/dicom-web"

"""The signed document."""

from fastapi import APIRouter, Request, Response

from telemed.application.deliver import report_pdf
from telemed.domain.access import Action
from telemed.web.context import TheWorld
from telemed.web.guard import guard
from telemed.web.http_cache import kept, unchanged
from telemed.web.security import CurrentActor

router = APIRouter(prefix="/reports", tags=["reports"])


@router.get(
    "/{report_id}/pdf",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}}},
    **guard(Action.SEE_CASE),
)
def read_pdf(request: Request, world: TheWorld, actor: CurrentActor, report_id: str) -> Response:
    pdf, report = report_pdf(world, actor=actor, uid=report_id)
    withdrawn = report.withdrawn_at is not None
    headers = kept(report.content_sha256 if withdrawn else report.pdf_sha256, "-withdrawn" * withdrawn) | {
        "Content-Disposition": f'inline; filename="report-{report.verification_code}-v{report.number}.pdf"'
    }
    if unchanged(request, headers):
        return Response(status_code=304, headers=headers)
    return Response(pdf, media_type="application/pdf", headers=headers)

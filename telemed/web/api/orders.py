"""Orders: one by API or form, many by CSV."""

from typing import Annotated

from fastapi import APIRouter, File, Query, Response, UploadFile

from telemed.application.modality_worklist import Schedule
from telemed.application.order_csv import MAX_CSV_BYTES, place_csv
from telemed.application.orders import OrderRequest, place_order
from telemed.domain.access import Action
from telemed.domain.order import OrderSource, Priority
from telemed.web.api.convert import priority
from telemed.web.api.shapes import CsvFault, CsvOut, OrderIn, OrderOut
from telemed.web.context import TheWorld
from telemed.web.guard import guard
from telemed.web.security import CurrentActor
from telemed.web.words import explain

router = APIRouter(prefix="/orders", tags=["orders"])

_SCHEDULED = ("station_ae_title", "code_value", "code_scheme", "code_meaning")
_SOURCES = {"api": OrderSource.API, "form": OrderSource.FORM}


@router.post("", status_code=201, **guard(Action.ORDER))
def place(
    world: TheWorld,
    actor: CurrentActor,
    response: Response,
    body: OrderIn,
    source: Annotated[
        OrderSource, Query(description="api, or form from the township page")
    ] = OrderSource.API,
) -> OrderOut:
    """201 for a new order; 200 where the same accession number of the same patient was ordered before."""
    request = request_of(body)
    order, new = place_order(
        world, actor=actor, request=request, source=_SOURCES.get(source.value, OrderSource.API)
    )
    response.status_code = 201 if new else 200
    return OrderOut(
        id=order.uid,
        accession_number=order.accession_number,
        patient_id=request.patient_id,
        modality=request.modality,
        description=request.description,
        body_part=request.body_part,
        priority=priority(order.priority),
        clinical_history=order.clinical_history,
        source=order.source,
        created_at=order.created_at,
    )


def request_of(body: OrderIn) -> OrderRequest:
    return OrderRequest(
        **body.patient.model_dump(),
        **body.model_dump(exclude={"patient", "priority", "scheduled_at", *_SCHEDULED}),
        schedule=Schedule(at=body.scheduled_at, **{name: getattr(body, name).strip() for name in _SCHEDULED}),
        priority=Priority[body.priority.upper()],
    )


@router.post("/csv", **guard(Action.ORDER))
def place_many(world: TheWorld, actor: CurrentActor, file: Annotated[UploadFile, File()]) -> CsvOut:
    """UTF-8 or GB18030, a header row: patient_id, name, modality and, if known, the other fields of an order."""
    result = place_csv(world, actor=actor, data=file.file.read(MAX_CSV_BYTES + 1))
    faults = [CsvFault(line=line, problem=explain(fault, actor.language)) for line, fault in result.faults]
    return CsvOut(created=result.created, existing=result.existing, errors=faults)

"""Storage Commitment Push Model, N-ACTION (PS3.4 annex J): taken down now, answered on an association of our own."""

import logging
from typing import Any

from pydicom.dataset import Dataset

from dicom_node.statuses import Status, answer
from telemed.application.commit import ask_commitment
from telemed.application.faults import trace_of
from telemed.application.world import World
from telemed.domain.errors import DomainError, InvalidInput

log = logging.getLogger(__name__)

REQUEST_COMMITMENT = 1  # Action Type ID


def on_action(event: Any, world: World) -> tuple[Dataset, None]:
    return _taken(event, world), None


def _taken(event: Any, world: World) -> Dataset:
    device = event.assoc.device
    try:
        if event.request.ActionTypeID != REQUEST_COMMITMENT:
            return answer(Status.NO_SUCH_ACTION, "dimse.action_unknown")
        if event.request.ActionInformation is None:
            return answer(Status.INVALID_ARGUMENT, "dimse.data_set_missing")
        transaction, objects = read_transaction(event.action_information)
        ask_commitment(world, device=device, transaction_uid=transaction, objects=objects)
    except InvalidInput as error:
        return answer(Status.INVALID_ARGUMENT, f"dimse.{error.code}")
    except DomainError as error:
        log.warning("a commitment request of %s failed: %s", device.ae_title, error)
        return answer(Status.PROCESSING_FAILURE, "dimse.unavailable")
    except Exception as error:  # noqa: BLE001 the other side needs an answer
        log.error("a commitment request of %s failed:\n%s", device.ae_title, trace_of(error))
        return answer(Status.PROCESSING_FAILURE, "dimse.internal")
    return answer(Status.SUCCESS)


def read_transaction(information: Dataset) -> tuple[str, list[tuple[str, str]]]:
    """The transaction's UID and the (class, instance) pairs it asks about."""
    objects = [
        (str(item.get("ReferencedSOPClassUID") or ""), str(item.get("ReferencedSOPInstanceUID") or ""))
        for item in information.get("ReferencedSOPSequence") or ()
    ]
    return str(information.get("TransactionUID") or ""), [pair for pair in objects if pair[1]]

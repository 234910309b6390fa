"""Modality Performed Procedure Step, N-CREATE and N-SET (PS3.4 annex F)."""

import logging
from collections.abc import Callable
from typing import Any

from pydicom.dataset import Dataset

from dicom_node.statuses import Status, answer
from telemed.application.faults import trace_of
from telemed.application.modality_worklist import new_dicom_uid
from telemed.application.mpps import Performance, begin_step, change_step
from telemed.application.world import World
from telemed.domain.errors import Conflict, DomainError, InvalidInput, NotFound
from telemed.domain.scheduling import PerformedState, StepKey

log = logging.getLogger(__name__)

# PS3.4 F.7.2.2.2: "may no longer be updated", as Error ID beside the status.
_ENDED = 0xA506
# What is kept of the performance; names and the patient's other details are not.
KEPT = (
    "PerformedProcedureStepID",
    "PerformedStationAETitle",
    "PerformedProcedureStepStartDate",
    "PerformedProcedureStepStartTime",
    "PerformedProcedureStepEndDate",
    "PerformedProcedureStepEndTime",
    "Modality",
)
_OBJECTS = ("ReferencedImageSequence", "ReferencedNonImageCompositeSOPInstanceSequence")


def on_create(event: Any, world: World) -> tuple[Dataset, Dataset | None]:
    given = event.request.AffectedSOPInstanceUID
    instance = str(given) if given else new_dicom_uid(world)

    def begin() -> None:
        said = read_performance(event.attribute_list, PerformedState.IN_PROGRESS)
        begin_step(world, device=event.assoc.device, sop_instance_uid=instance, said=said)

    status = _answered(event, event.request.AttributeList, begin)
    named = None
    if not given and status.Status == Status.SUCCESS:
        named = Dataset()
        named.AffectedSOPInstanceUID = instance
    return status, named


def on_set(event: Any, world: World) -> tuple[Dataset, None]:
    def change() -> None:
        said = read_performance(event.modification_list, None)
        instance = str(event.request.RequestedSOPInstanceUID)
        change_step(world, device=event.assoc.device, sop_instance_uid=instance, said=said)

    return _answered(event, event.request.ModificationList, change), None


def read_performance(ds: Dataset, implied: PerformedState | None) -> Performance:
    """`implied` is None where a message may leave the state as it is. Raises InvalidInput."""
    written = str(ds.get("PerformedProcedureStepStatus") or "").strip().upper()
    if not written and implied is not None:
        raise InvalidInput("error.performed_step_begins")
    try:
        state = PerformedState(written) if written else PerformedState.IN_PROGRESS
    except ValueError as fault:
        raise InvalidInput("error.performed_step_state") from fault
    # In the group case one performed step answers several orders: an item for each.
    named = [_named(item) for item in ds.get("ScheduledStepAttributesSequence") or ()]
    step_id, study_uid = named[0] if named else ("", "")
    return Performance(
        state=state,
        study_instance_uid=study_uid,
        step_id=step_id,
        grouped=named[1:],
        promised=_promised(ds),
        attributes={name: str(ds.get(name)) for name in KEPT if ds.get(name)},
    )


def _named(item: Dataset) -> StepKey:
    return str(item.get("ScheduledProcedureStepID") or "").strip(), str(item.get("StudyInstanceUID") or "")


def _promised(ds: Dataset) -> list[str] | None:
    if "PerformedSeriesSequence" not in ds:
        return None
    found = [
        str(item.get("ReferencedSOPInstanceUID") or "")
        for series in ds.PerformedSeriesSequence
        for name in _OBJECTS
        for item in series.get(name) or ()
    ]
    return list(dict.fromkeys(uid for uid in found if uid))


def _answered(event: Any, data: Any, act: Callable[[], None]) -> Dataset:
    device = event.assoc.device
    try:
        if data is None:
            return answer(Status.MISSING_ATTRIBUTE, "dimse.data_set_missing")
        act()
    except InvalidInput as error:
        return answer(Status.INVALID_ATTRIBUTE_VALUE, f"dimse.{error.code}")
    except NotFound:
        return answer(Status.NO_SUCH_INSTANCE, "dimse.error.performed_step_unknown")
    except Conflict as error:
        if error.code == "error.performed_step_exists":
            return answer(Status.DUPLICATE_INSTANCE, f"dimse.{error.code}")
        if error.code != "error.performed_step_ended":
            log.warning("a performed step of %s was changed by two at once", device.ae_title)
            return answer(Status.PROCESSING_FAILURE, "dimse.unavailable")
        ended = answer(Status.PROCESSING_FAILURE, f"dimse.{error.code}")
        ended.ErrorID = _ENDED
        return ended
    except DomainError as error:
        log.warning("a performed step of %s failed: %s", device.ae_title, error)
        return answer(Status.PROCESSING_FAILURE, "dimse.unavailable")
    except Exception as error:  # noqa: BLE001 the other side needs an answer
        log.error("a performed step of %s failed:\n%s", device.ae_title, trace_of(error))
        return answer(Status.PROCESSING_FAILURE, "dimse.internal")
    return answer(Status.SUCCESS)

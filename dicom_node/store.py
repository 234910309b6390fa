"""C-STORE: one object from the network into `receive`, answered only when it is safe."""

import logging
from typing import Any

from pydicom.dataset import Dataset

from dicom_node import statuses
from dicom_node.streaming import ObjectStream
from telemed.application.ports import SpoolPart
from telemed.application.receive import Incoming, receive
from telemed.application.world import World
from telemed.domain.errors import DomainError
from telemed.domain.people import Device
from telemed.imaging.header import HeaderError, StudyHeader, read_header_from_dataset, verify_structure

log = logging.getLogger(__name__)

# The identifying groups end long before this in nearly every object; the others are read whole.
_HEAD = 1 << 20


def on_store(event: Any, world: World) -> Dataset:
    """Every failure becomes a status, and the association goes on with the next object."""
    request, device = event.request, event.assoc.device
    try:
        return _store(world, device, request, str(event.context.transfer_syntax))
    except DomainError as error:
        log.warning("object %s of %s refused: %s", request.AffectedSOPInstanceUID, device.ae_title, error)
        return statuses.failure(error)
    except Exception as error:
        # The sender needs an answer, and the next object its chance.
        log.exception("object %s of %s failed", request.AffectedSOPInstanceUID, device.ae_title)
        return statuses.failure(error)


def _store(world: World, device: Device, request: Any, transfer_syntax_uid: str) -> Dataset:
    stream = request.DataSet
    if not isinstance(stream, ObjectStream):
        raise HeaderError("header.not_dicom")
    part = stream.take()
    try:
        header = _header(part, stream.prefix_length, transfer_syntax_uid, device.default_charset)
        announced = (str(request.AffectedSOPClassUID), str(request.AffectedSOPInstanceUID))
        if (header.sop_class_uid, header.sop_instance_uid) != announced:
            part.discard()
            log.warning("object %s of %s is another than announced", announced[1], device.ae_title)
            return statuses.mismatch()
        verify_structure(part.content())
    except BaseException:
        part.discard()
        raise
    receive(
        world,
        [
            Incoming(
                part=part,
                transfer_syntax_uid=transfer_syntax_uid,
                header=header,
                institution_id=device.institution_id,
                consortium_id=device.consortium_id,
                device_id=device.id,
            )
        ],
    )
    return statuses.success()


def _header(part: SpoolPart, start: int, transfer_syntax_uid: str, charset: str | None) -> StudyHeader:
    try:
        head = part.head(start + _HEAD)[start:]
        return read_header_from_dataset(head, transfer_syntax_uid, default_charset=charset)
    except HeaderError:
        if part.size <= start + _HEAD:
            raise
        return read_header_from_dataset(part.content()[start:], transfer_syntax_uid, default_charset=charset)

"""C-STORE: one object from the network into `receive`, answered only when it is safe."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydicom.dataset import Dataset

from dicom_node import statuses
from dicom_node.arriving import ArrivingObject
from dicom_node.intake import Intake
from dicom_node.statuses import Outcome
from dicom_node.streaming import ObjectStream
from telemed.application.faults import trace_of
from telemed.application.ports import SpoolPart
from telemed.application.receive import Incoming
from telemed.application.unreadable import keep_unreadable
from telemed.domain.errors import DomainError
from telemed.domain.people import Device
from telemed.imaging.header import HeaderError, StudyHeader, read_whole_beginning, read_whole_dataset

log = logging.getLogger(__name__)

# Holds all that stands before a waveform or a picture; private groups of some machines need more.
_HEAD = 16 << 10


@dataclass(frozen=True)
class StoreService:
    intake: Intake
    # Told before each answer leaves; it sees what passes, and decides nothing.
    before_answer: Callable[[Outcome], None] | None = None

    def store(self, device: Device, arriving: ArrivingObject) -> Outcome:
        """Every failure becomes a status, and the association goes on with the next object."""
        try:
            outcome = self._store(device, arriving)
        except DomainError as error:
            log.warning("object %s of %s refused: %s", arriving.sop_instance_uid, device.ae_title, error)
            outcome = statuses.failure(error)
        except Exception as error:  # noqa: BLE001 the other side needs an answer
            # The sender needs an answer, and the next object its chance.
            log.error(
                "object %s of %s failed:\n%s", arriving.sop_instance_uid, device.ae_title, trace_of(error)
            )
            outcome = statuses.failure(error)
        if self.before_answer is not None:
            self.before_answer(outcome)
        return outcome

    def on_store(self, event: Any) -> Dataset:
        """As pynetdicom's handler of its C-STORE event."""
        stream, device = event.request.DataSet, event.assoc.device
        if not isinstance(stream, ObjectStream) or stream.arriving is None:
            return statuses.as_dataset(statuses.failure(HeaderError("header.not_dicom")))
        return statuses.as_dataset(self.store(device, stream.arriving))

    def _store(self, device: Device, arriving: ArrivingObject) -> Outcome:
        try:
            self.intake.receive(lambda: self._incoming(device, arriving))
        except _AnotherObject:
            log.warning(
                "object %s of %s is another than announced", arriving.sop_instance_uid, device.ae_title
            )
            return statuses.mismatch()
        return statuses.STORED

    def _incoming(self, device: Device, arriving: ArrivingObject) -> Incoming:
        part = arriving.take()
        try:
            header = checked_header(part, arriving, device)
        except HeaderError as error:
            if part.size == arriving.prefix_length:
                part.discard()
            else:
                keep_unreadable(
                    self.intake.world,
                    part=part,
                    sender=device,
                    sop_instance_uid=arriving.sop_instance_uid,
                    reason=error.code,
                )
            raise
        except BaseException:
            part.discard()
            raise
        if (header.sop_class_uid, header.sop_instance_uid) != (
            arriving.sop_class_uid,
            arriving.sop_instance_uid,
        ):
            part.discard()
            raise _AnotherObject
        return Incoming(
            part=part,
            transfer_syntax_uid=arriving.transfer_syntax_uid,
            header=header,
            institution_id=device.institution_id,
            consortium_id=device.consortium_id,
            device_id=device.id,
        )


class _AnotherObject(Exception):
    """Than the one that the command announced."""


def checked_header(part: SpoolPart, arriving: ArrivingObject, device: Device) -> StudyHeader:
    """Of an object that is whole to its last element."""
    header = read_whole_beginning(
        part.head(_HEAD),
        part.size,
        arriving.transfer_syntax_uid,
        start=arriving.prefix_length,
        default_charset=device.default_charset,
    )
    if header is not None:
        return header
    with part.mapped() as file:
        return read_whole_dataset(
            file,
            arriving.transfer_syntax_uid,
            start=arriving.prefix_length,
            default_charset=device.default_charset,
        )

"""Data sets go to the spool as they arrive: no object lies in memory, and a full disk is known at once."""

from io import BytesIO
from queue import Queue
from typing import Any

from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.dimse_messages import C_STORE_RQ, DIMSEMessage

from dicom_node.arriving import ArrivingObject
from telemed.application.ports import Spool

# Queries are small, and the references of ten thousand objects have their place here; whatever is larger and no
# object is an attack or noise.
_LARGEST_IDENTIFIER = 4 << 20


class ObjectStream(BytesIO):
    """Stands where pynetdicom keeps the bytes of a message's data set."""

    def __init__(self, spool: Spool, message: DIMSEMessage, contexts: dict[int, Any]) -> None:
        super().__init__()
        self.arriving: ArrivingObject | None = None
        self._spool, self._message, self._contexts = spool, message, contexts

    def write(self, data: Any) -> int:
        if isinstance(self._message, C_STORE_RQ):
            self._store(data)
            return len(data)
        if self.tell() + len(data) > _LARGEST_IDENTIFIER:
            raise ValueError("an identifier larger than any query")
        return super().write(data)

    def discard(self) -> None:
        if self.arriving is not None:
            self.arriving.discard()

    def _store(self, data: bytes) -> None:
        if self.arriving is None:
            command, context = self._message.command_set, self._contexts.get(self._message.context_id or 0)
            if context is None:
                return  # Such a message is answered by an abort.
            self.arriving = ArrivingObject(
                self._spool,
                sop_class_uid=str(command.AffectedSOPClassUID),
                sop_instance_uid=str(command.AffectedSOPInstanceUID),
                transfer_syntax_uid=str(context.transfer_syntax[0]),
            )
        self.arriving.write(data)


class _Requests(Queue[Any]):
    """Messages in the order in which they came. A new request ends what an old cancel of its number meant."""

    def __init__(self, cancelled: "StreamingDimse") -> None:
        super().__init__()
        self._dimse = cancelled

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        number = getattr(item[1], "MessageID", None)
        if number is not None:
            self._dimse.cancel_req.pop(number, None)
        super().put(item, block, timeout)


class StreamingDimse(DIMSEServiceProvider):  # type: ignore[misc, unused-ignore]
    def __init__(self, assoc: Any, spool: Spool) -> None:
        super().__init__(assoc)
        self._spool = spool
        self.msg_queue = _Requests(self)

    def receive_primitive(self, primitive: Any) -> None:
        if self.message is None:
            self.message = DIMSEMessage()
            self.message.data_set = ObjectStream(self._spool, self.message, self.assoc._accepted_cx)
        super().receive_primitive(primitive)

    def take_cancel(self, message_id: int) -> bool:
        """Whether the request of this number was called off by a C-CANCEL, which has then done its work."""
        return self.cancel_req.pop(message_id, None) is not None

    @property
    def in_the_middle(self) -> bool:
        """A message has begun and has not been answered."""
        return self.message is not None or not self.msg_queue.empty()

    def discard_unfinished(self) -> None:
        """The line is gone: what it has not finished is not kept."""
        if self.message is not None and isinstance(self.message.data_set, ObjectStream):
            self.message.data_set.discard()
        while not self.msg_queue.empty():
            _, waiting = self.msg_queue.get_nowait()
            discard_of(waiting)


def discard_of(message: Any) -> None:
    """What has arrived of its object and was taken by nobody."""
    stream = getattr(message, "DataSet", None)
    if isinstance(stream, ObjectStream):
        stream.discard()

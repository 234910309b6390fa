"""Objects of a STOW request on their way into the spool: each with its own answer, a bad one stops no other."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from telemed.application.ports import SpoolPart
from telemed.application.receive import Incoming, Received, receive_each
from telemed.application.unreadable import keep_unreadable
from telemed.application.world import World
from telemed.domain.access import Actor
from telemed.domain.errors import DomainError, InvalidInput, OutOfResources, Unreadable
from telemed.imaging.header import HeaderError, StudyHeader, read_header, verify_structure
from telemed.imaging.part10 import PREAMBLE, FileMeta, read_file_meta
from telemed.web.dicomweb.multipart import Event, PartBegan, PartData, media_type

# The file meta of a Part 10 file ends long before this.
_META = 64 << 10
# The identifying groups end long before this in nearly every object; the others are read whole.
_HEAD = 1 << 20
MOST_OBJECT_BYTES = 2 << 30
# One durable round and one commit for so many objects, or so many bytes.
_BATCH, _BATCH_BYTES = 32, 256 << 20
_DICOMDIR = "1.2.840.10008.1.3.10"

# Failure Reason (0008,1197): PS3.18 table 10.5.3-2 with the statuses of PS3.4 and PS3.7 behind it.
PROCESSING_FAILURE = 0x0110
OUT_OF_RESOURCES = 0xA700
DOES_NOT_MATCH = 0xA900
CANNOT_UNDERSTAND = 0xC000
# Warning Reason (0008,1196), of our own within the warnings: kept apart, another patient's or another content.
HELD_BACK = 0xB0FF
# The same request later may well succeed.
TEMPORARY = frozenset({OUT_OF_RESOURCES, PROCESSING_FAILURE})


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """`reason` 0: kept, and safe. UIDs are "" where the bytes do not tell them."""

    study_instance_uid: str = ""
    series_instance_uid: str = ""
    sop_class_uid: str = ""
    sop_instance_uid: str = ""
    reason: int = 0
    # Kept, and to be looked at by a person before anybody is shown it.
    held_back: bool = False


def reason_of(error: DomainError) -> int:
    if isinstance(error, OutOfResources):
        return OUT_OF_RESOURCES
    # What is too large stays so: the same request later fares no better.
    return CANNOT_UNDERSTAND if isinstance(error, Unreadable | InvalidInput) else PROCESSING_FAILURE


class Landing:
    """Takes the events of a multipart body one after the other; not shared between threads at once."""

    def __init__(self, world: World, actor: Actor, study_instance_uid: str = "") -> None:
        self.outcomes: list[Outcome] = []
        self._world, self._actor, self._study = world, actor, study_instance_uid
        self._head = bytearray()
        self._part: SpoolPart | None = None
        self._refused = 0
        # What arrives is no object: it is kept as it comes, for whoever looks into the fault.
        self._unreadable: HeaderError | None = None
        self._waiting: list[Incoming] = []

    def take(self, event: Event) -> None:
        match event:
            case PartBegan(headers):
                kind = media_type(headers.get("content-type", "application/dicom"))[0]
                self._head.clear()
                self._unreadable = None
                self._refused = 0 if kind == "application/dicom" else CANNOT_UNDERSTAND
            case PartData(data):
                self._guarded(data)
            case _:
                self._guarded(None)
                if self._refused:
                    self.outcomes.append(Outcome(reason=self._refused))

    def close(self) -> None:
        """What waits is made safe."""
        self._flush()

    def discard(self) -> None:
        """The rest of the body will not come: whatever is not yet safe leaves nothing behind."""
        for part in (self._part, *(item.part for item in self._waiting)):
            if part is not None:
                part.discard()
        self._part, self._waiting = None, []

    def _guarded(self, data: bytes | None) -> None:
        if self._refused:
            return
        try:
            if data is None:
                self._end()
            else:
                self._write(data)
        except DomainError as error:
            self._refused = reason_of(error)
            self._drop()

    def _drop(self) -> None:
        if self._part is not None:
            self._part.discard()
            self._part = None

    def _write(self, data: bytes) -> None:
        if self._part is None:
            self._head += data
            if len(self._head) >= _META:
                self._settle()
            return
        self._append(self._part, data)

    def _append(self, part: SpoolPart, data: bytes | memoryview) -> None:
        if part.size + len(data) > MOST_OBJECT_BYTES:
            raise InvalidInput("error.file_too_large", limit=MOST_OBJECT_BYTES)
        part.write(data)

    def _settle(self) -> SpoolPart:
        """The head is there, and the spool has room for it."""
        head, offset = bytes(self._head), 0
        try:
            offset = _meta(head).dataset_offset
        except HeaderError as error:
            if not head:
                raise
            self._unreadable = error
        self._part = self._world.spool.open_part()
        self._part.write_meta(head[:offset])
        self._append(self._part, memoryview(head)[offset:])
        self._head.clear()
        return self._part

    def _end(self) -> None:
        part = self._part or self._settle()
        part.finish()
        try:
            if self._unreadable is not None:
                raise self._unreadable
            header = _header(part)
        except HeaderError as error:
            self._keep(part, "", error)
            raise
        try:
            with part.mapped() as whole:
                verify_structure(whole)
        except Unreadable as error:
            # Cut on its way: a header alone is no object.
            self._keep(part, header.sop_instance_uid, error)
            self.outcomes.append(_outcome(header, CANNOT_UNDERSTAND))
            return
        if self._study and header.study_instance_uid != self._study:
            self._drop()
            self.outcomes.append(_outcome(header, DOES_NOT_MATCH))
            return
        self._part = None
        self._waiting.append(
            Incoming(
                part=part,
                transfer_syntax_uid=header.transfer_syntax_uid,
                header=header,
                institution_id=self._actor.institution_id,
                consortium_id=self._actor.consortium_id,
                uploaded_by=self._actor.user_id,
            )
        )
        if len(self._waiting) >= _BATCH or sum(item.part.size for item in self._waiting) >= _BATCH_BYTES:
            self._flush()

    def _keep(self, part: SpoolPart, sop_instance_uid: str, fault: Unreadable) -> None:
        self._part = None
        keep_unreadable(
            self._world,
            part=part,
            sender=self._actor,
            sop_instance_uid=sop_instance_uid,
            reason=fault.code,
        )

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        received: Sequence[Received | DomainError]
        try:
            received = receive_each(self._world, waiting)
        except DomainError as error:
            received = [error] * len(waiting)
        self.outcomes += [
            _outcome(item.header, reason_of(one))
            if isinstance(one, DomainError)
            else replace(_outcome(item.header, 0), held_back=one.held_back)
            for item, one in zip(waiting, received, strict=True)
        ]


def _meta(head: bytes) -> FileMeta:
    """Of a Part 10 file that is an object: a CD's directory is none, though nothing is wrong with it."""
    meta = read_file_meta(head)
    if head[PREAMBLE : PREAMBLE + 4] != b"DICM" or not meta.transfer_syntax_uid:
        raise HeaderError("header.not_dicom")
    if meta.sop_class_uid == _DICOMDIR:
        raise InvalidInput("header.not_dicom")
    return meta


def _header(part: SpoolPart) -> StudyHeader:
    try:
        return read_header(part.head(_HEAD))
    except HeaderError:
        if part.size <= _HEAD:
            raise
        with part.mapped() as whole:
            return read_header(whole)


def _outcome(header: StudyHeader, reason: int) -> Outcome:
    return Outcome(
        study_instance_uid=header.study_instance_uid,
        series_instance_uid=header.series_instance_uid,
        sop_class_uid=header.sop_class_uid,
        sop_instance_uid=header.sop_instance_uid,
        reason=reason,
    )

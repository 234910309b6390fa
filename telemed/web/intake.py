"""A file from a browser on its way into the spool: checked like an object that came by DICOM."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from typing import BinaryIO, Protocol

from pydicom.dataset import FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import UID

from telemed.application.import_ecg import is_foreign, signals_named_by, to_objects
from telemed.application.ports import SpoolPart
from telemed.application.receive import Incoming
from telemed.application.world import World
from telemed.domain.access import Actor
from telemed.domain.errors import InvalidInput, Unreadable
from telemed.imaging.formats import LARGEST_FILE
from telemed.imaging.header import HeaderError, StudyHeader, read_header, verify_structure
from telemed.imaging.part10 import PREAMBLE, FileMeta, read_file_meta

MOST_BYTES = 2 << 30
_HEAD = 4 << 20
_CHUNK = 1 << 20
_WFDB_HEADER = ".hea"
_DICOMDIR = "1.2.840.10008.1.3.10"
# The same as of objects that came by DICOM: the house names itself once.
_IMPLEMENTATION = "2.25.263421397860341518471027915068291503117"


class NamedFile(Protocol):
    """A file of a form."""

    @property
    def filename(self) -> str | None: ...
    @property
    def file(self) -> BinaryIO: ...


@dataclass(frozen=True)
class Taken:
    """`sha256` and `size` are of the file as the browser sent it, before anything else happened to it."""

    incoming: Incoming
    sha256: str
    size: int


def together(files: Sequence[NamedFile]) -> list[tuple[int, ...]]:
    """Which files are one recording, by their places: a WFDB header first, then the signals it names.

    Every other file stands alone, and so do signals whose header did not come along.
    """
    by_name = {file.filename: index for index, file in enumerate(files) if file.filename}
    beside: dict[int, tuple[int, ...]] = {}
    for index, file in enumerate(files):
        if (file.filename or "").lower().endswith(_WFDB_HEADER):
            head = file.file.read(_HEAD)
            file.file.seek(0)
            beside[index] = tuple(by_name[name] for name in signals_named_by(head) if name in by_name)
    used = {index for signals in beside.values() for index in signals}
    return [(index, *beside.get(index, ())) for index in range(len(files)) if index not in used]


def take(
    world: World,
    actor: Actor,
    file: BinaryIO,
    name: str = "",
    companions: Mapping[str, bytes] | None = None,
) -> Taken:
    """Into the spool, not yet durable. Raises DomainError, and then nothing of the file is left there.

    An ECG that is not DICOM (SCP-ECG, aECG, WFDB with its signals as `companions`, Sierra, a PDF or a photo of
    paper) becomes a DICOM object that holds the file itself, byte for byte.
    """
    head = file.read(_HEAD)
    if is_foreign(head, name):
        whole = head + file.read(LARGEST_FILE + 1 - len(head))
        taken = take(world, actor, BytesIO(to_objects(whole, name, companions=companions)[0]))
        return replace(taken, sha256=hashlib.sha256(whole).hexdigest(), size=len(whole))
    meta = read_file_meta(head)
    if meta.sop_class_uid == _DICOMDIR:
        raise InvalidInput("error.upload_dicomdir")
    header = _header(head, file)
    part = world.spool.open_part()
    try:
        digest, size = _copy(part, meta, header, head, file)
        _demand_whole(part, header)
    except BaseException:
        part.discard()
        raise
    incoming = Incoming(
        part=part,
        transfer_syntax_uid=header.transfer_syntax_uid,
        header=header,
        institution_id=actor.institution_id,
        consortium_id=actor.consortium_id,
        uploaded_by=actor.user_id,
    )
    return Taken(incoming, digest, size)


def _copy(
    part: SpoolPart, meta: FileMeta, header: StudyHeader, head: bytes, file: BinaryIO
) -> tuple[str, int]:
    digest, size = hashlib.sha256(head), len(head)
    # What is stored is always a complete Part 10 file; a bare data set gets the head it lacks.
    part.write_meta(_file_head(meta, header, head))
    part.write(memoryview(head)[meta.dataset_offset :])
    for chunk in _chunks(file):
        digest.update(chunk)
        size += len(chunk)
        if size > MOST_BYTES:
            raise InvalidInput("error.file_too_large", limit=MOST_BYTES)
        part.write(chunk)
    part.finish()
    return digest.hexdigest(), size


def _header(head: bytes, file: BinaryIO) -> StudyHeader:
    try:
        return read_header(head)
    except HeaderError:
        if len(head) < _HEAD:
            raise
        # The identifying groups end long before this in nearly every file; the others are read whole.
        rest = file.read(MOST_BYTES)
        file.seek(len(head))
        return read_header(head + rest)


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk


def _demand_whole(part: SpoolPart, header: StudyHeader) -> None:
    """A file cut on its way looks like a file until the last element is walked."""
    with part.mapped() as whole:
        verify_structure(whole)
    if not header.sop_instance_uid or not header.study_instance_uid:
        raise Unreadable("header.not_dicom")


def _file_head(meta: FileMeta, header: StudyHeader, head: bytes) -> bytes:
    if head[PREAMBLE : PREAMBLE + 4] == b"DICM" and meta.transfer_syntax_uid:
        return head[: meta.dataset_offset]
    buffer = DicomBytesIO()
    buffer.write(bytes(PREAMBLE) + b"DICM")
    made = FileMetaDataset()
    made.FileMetaInformationVersion = b"\x00\x01"
    made.MediaStorageSOPClassUID = UID(header.sop_class_uid)
    made.MediaStorageSOPInstanceUID = UID(header.sop_instance_uid)
    made.TransferSyntaxUID = UID(header.transfer_syntax_uid)
    made.ImplementationClassUID = UID(_IMPLEMENTATION)
    write_file_meta_info(buffer, made)
    return buffer.getvalue()

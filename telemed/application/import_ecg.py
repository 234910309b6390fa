"""Recordings and pictures from machines that speak no DICOM: made into objects, then received like any other.

What C-STORE promises holds here too: an import is reported as done only when `receive` has returned. The file
itself lies inside the object (see `telemed.imaging.source_block`), so one durable write keeps both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from pydicom.dataset import FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import UID

from telemed.application.objects import into_spool
from telemed.application.receive import Incoming, Received, receive_each
from telemed.application.world import World
from telemed.domain.errors import Conflict, DomainError, InvalidInput, OutOfResources, Unavailable, Unreadable
from telemed.imaging.ecg_object import GivenPatient, Origin, ecg_object, uid_of
from telemed.imaging.formats import (
    LARGEST_FILE,
    PAPER,
    WAVEFORMS,
    FormatError,
    Kind,
    SourceHeader,
    detect,
    read_recording,
    signal_files,
)
from telemed.imaging.header import StudyHeader, read_header, verify_structure
from telemed.imaging.paper_object import pdf_object, picture_object
from telemed.imaging.part10 import read_file_meta
from telemed.imaging.source_block import SourceFile
from telemed.imaging.waveform import ECG_SOP_CLASSES, WaveformError, quality_findings, read_waveform

__all__ = [
    "GivenPatient",
    "ImportFile",
    "Imported",
    "Reason",
    "import_files",
    "is_foreign",
    "signals_named_by",
    "to_objects",
]

# One durable round and one commit for so many files.
_BATCH = 32
_DICOMDIR = "1.2.840.10008.1.3.10"
_PAPER_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.104.1": "waveform.encapsulated_pdf",
    "1.2.840.10008.5.1.4.1.1.7": "waveform.no_waveform",
}


@dataclass(frozen=True)
class ImportFile:
    name: str
    data: bytes


@dataclass(frozen=True)
class Reason:
    """A key of the catalogue and what fills it."""

    code: str
    params: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What became of one recording. `reasons` speak against reading it; it is kept all the same."""

    names: tuple[str, ...]
    received: Received | None = None
    reasons: tuple[Reason, ...] = ()
    fault: DomainError | None = None

    @property
    def again_later(self) -> bool:
        """Nothing is wrong with the file: the disk was full, or a part did not answer."""
        return isinstance(self.fault, OutOfResources | Unavailable | Conflict)


@dataclass(frozen=True, kw_only=True)
class _Bundle:
    """A file with the files it cannot be read without."""

    main: ImportFile
    beside: tuple[ImportFile, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return (self.main.name, *(file.name for file in self.beside))


def is_foreign(head: bytes, name: str = "") -> bool:
    """Whether a file that begins so must go through `to_objects` before it can be received."""
    return detect(head, name) in WAVEFORMS | PAPER


def to_objects(
    data: bytes,
    name: str = "",
    *,
    patient: GivenPatient | None = None,
    companions: Mapping[str, bytes] | None = None,
) -> list[bytes]:
    """The Part 10 files that a file becomes; a DICOM file is itself. Raises FormatError or WaveformError."""
    kind = detect(data, name)
    given = patient or GivenPatient()
    if kind is Kind.DICOM:
        return [data]
    if kind in PAPER:
        origin = Origin(kind.value, (SourceFile(data),), SourceHeader(), given)
        return [pdf_object(origin) if kind is Kind.PDF else picture_object(origin)]
    recording = read_recording(data, name, companions)
    files = [SourceFile(data)]
    if kind is Kind.WFDB:
        files += [SourceFile((companions or {})[file], file) for file in signal_files(data)]
    return [ecg_object(recording, Origin(kind.value, tuple(files), recording.header, given))]


def import_files(
    world: World,
    *,
    institution_id: int,
    consortium_id: int,
    files: Sequence[ImportFile],
    patient: GivenPatient | None = None,
    uploaded_by: int | None = None,
) -> list[Imported]:
    """Every recording has its own answer; a bad one stops no other. What has no `fault` is safe now."""
    answers = []
    bundles = _bundled(files)
    for start in range(0, len(bundles), _BATCH):
        batch = bundles[start : start + _BATCH]
        taken: dict[int, tuple[Incoming, tuple[Reason, ...]]] = {}
        refused: dict[int, DomainError] = {}
        for n, bundle in enumerate(batch):
            try:
                content = _object_of(bundle, patient)
                incoming = _spooled(world, content, institution_id, consortium_id, uploaded_by)
                taken[n] = incoming, reasons_against(content, incoming.header)
            except DomainError as fault:
                refused[n] = fault
        received = _received(world, {n: incoming for n, (incoming, _) in taken.items()}, refused)
        answers += [
            Imported(
                names=bundle.names,
                received=received.get(n),
                reasons=taken[n][1] if n in received else (),
                fault=refused.get(n),
            )
            for n, bundle in enumerate(batch)
        ]
    return answers


def reasons_against(content: bytes, header: StudyHeader) -> tuple[Reason, ...]:
    """Why the recording should be repeated, or cannot be read by a machine; empty when nothing speaks so."""
    if header.sop_class_uid in _PAPER_CLASSES and header.modality == "ECG":
        return (Reason(_PAPER_CLASSES[header.sop_class_uid]),)
    if header.sop_class_uid not in ECG_SOP_CLASSES:
        return ()
    try:
        found = quality_findings(read_waveform(content))
    except WaveformError as error:
        return (Reason(error.code, error.params),)
    return tuple(Reason(one.code, {"leads": " ".join(one.leads)}) for one in found)


def _bundled(files: Sequence[ImportFile]) -> list[_Bundle]:
    """Signal files go with the WFDB header beside them that names them, whatever the order they came in."""
    by_name = {file.name: file for file in files}
    used: set[str] = set()
    beside: dict[str, tuple[ImportFile, ...]] = {}
    for file in files:
        if named := signals_named_by(file.data):
            paths = [str(PurePath(file.name).with_name(name)) for name in named]
            beside[file.name] = tuple(by_name[path] for path in paths if path in by_name)
            used |= {one.name for one in beside[file.name]}
    return [_Bundle(main=file, beside=beside.get(file.name, ())) for file in files if file.name not in used]


def signals_named_by(header: bytes) -> list[str]:
    """The files that a WFDB header cannot be read without; none where the bytes are no sound header."""
    try:
        return signal_files(header) if detect(header) is Kind.WFDB else []
    except FormatError:
        # A signal file, or a damaged header: reading it says what is wrong.
        return []


def _object_of(bundle: _Bundle, patient: GivenPatient | None) -> bytes:
    if len(bundle.main.data) > LARGEST_FILE:
        raise FormatError("format.too_large", limit=LARGEST_FILE >> 20)
    companions = {PurePath(file.name).name: file.data for file in bundle.beside}
    return to_objects(bundle.main.data, bundle.main.name, patient=patient, companions=companions)[0]


def _spooled(
    world: World, content: bytes, institution_id: int, consortium_id: int, uploaded_by: int | None
) -> Incoming:
    """Into the spool, not yet durable. Raises DomainError, and then nothing of it is left there."""
    meta = read_file_meta(content)
    if meta.sop_class_uid == _DICOMDIR:
        raise InvalidInput("error.upload_dicomdir")
    header = read_header(content)
    verify_structure(content)
    if not header.sop_instance_uid or not header.study_instance_uid:
        raise Unreadable("header.not_dicom")
    return Incoming(
        part=into_spool(world, content, None if meta.transfer_syntax_uid else _file_head(header)),
        transfer_syntax_uid=header.transfer_syntax_uid,
        header=header,
        institution_id=institution_id,
        consortium_id=consortium_id,
        uploaded_by=uploaded_by,
    )


def _received(
    world: World, incoming: Mapping[int, Incoming], refused: dict[int, DomainError]
) -> dict[int, Received]:
    """What could not be filed goes among those refused."""
    outcomes: Sequence[Received | DomainError]
    try:
        outcomes = receive_each(world, list(incoming.values()))
    except DomainError as fault:
        outcomes = [fault] * len(incoming)
    found = {}
    for index, outcome in zip(incoming, outcomes, strict=True):
        if isinstance(outcome, DomainError):
            refused[index] = outcome
        else:
            found[index] = outcome
    return found


def _file_head(header: StudyHeader) -> bytes:
    """What a bare data set lacks to be a Part 10 file."""
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID = UID(header.sop_class_uid)
    meta.MediaStorageSOPInstanceUID = UID(header.sop_instance_uid)
    meta.TransferSyntaxUID = UID(header.transfer_syntax_uid)
    meta.ImplementationClassUID = uid_of("implementation", "TELEMED")
    buffer = DicomBytesIO()
    buffer.write(bytes(128) + b"DICM")
    write_file_meta_info(buffer, meta)
    return buffer.getvalue()

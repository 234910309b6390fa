"""A recording from a file as a complete DICOM object (PS3.3 A.34.3, A.34.4, A.34.5, A.34.12).

The device's integers become the samples and its unit the channel sensitivity: nothing is rounded. All UIDs
come from the digest of the file, and nothing of the moment of import enters the object, so that the same file
for the same patient gives the same bytes again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import dcmwrite, write_file_meta_info
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian

from telemed.imaging.errors import WaveformError
from telemed.imaging.formats.errors import FormatError
from telemed.imaging.formats.recording import PADDING, Channel, Recording, SourceHeader
from telemed.imaging.plain_writer import NotPlain, plain_bytes
from telemed.imaging.source_block import SourceFile, digest_of, write_source
from telemed.imaging.waveform.model import LEADS

if TYPE_CHECKING:
    from datetime import date, datetime

    from telemed.imaging.waveform.model import Annotation, Filters

_TWELVE_LEAD = "1.2.840.10008.5.1.4.1.1.9.1.1"
_GENERAL = "1.2.840.10008.5.1.4.1.1.9.1.2"
_AMBULATORY = "1.2.840.10008.5.1.4.1.1.9.1.3"
_GENERAL_32_BITS = "1.2.840.10008.5.1.4.1.1.9.1.4"
# PS3.3 A.34.3.4.5 and A.34.3.4.6: what a 12-lead object may hold.
_MOST_OF_TWELVE = 16384
_RATES_OF_TWELVE = (200.0, 1000.0)
_SLOWEST_AMBULATORY = 50.0
# PS3.16 CID 3001
_MDC = dict(zip(LEADS, (1, 2, 61, 62, 63, 64, 3, 4, 5, 6, 7, 8), strict=True))
_IMPLEMENTATION = "TELEMED"
_LEAST_32 = -(2**31)


@dataclass(frozen=True)
class GivenPatient:
    """What a person says about whose recording it is. A value that is given wins over the file's own."""

    patient_id: str = ""
    name: str = ""
    sex: str = ""
    birth_date: date | None = None
    accession_number: str = ""
    recorded_at: datetime | None = None


@dataclass(frozen=True)
class Origin:
    """The files behind an object, and who and when by file and person together."""

    kind: str
    files: tuple[SourceFile, ...]
    header: SourceHeader = field(default_factory=SourceHeader)
    given: GivenPatient = field(default_factory=GivenPatient)

    @property
    def recorded_at(self) -> datetime | None:
        return self.given.recorded_at or self.header.acquired_at


def uid_of(*words: object) -> UID:
    """A UID under 2.25 (PS3.5 B.2), the same for the same words: a name-based UUID (RFC 9562, version 8)."""
    digest = bytearray(hashlib.sha256("\x1f".join(map(str, words)).encode()).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    return UID(f"2.25.{int.from_bytes(digest, 'big')}")


def ecg_object(recording: Recording, origin: Origin) -> bytes:
    """A Part 10 file of the recording, the smallest ECG class that holds it, with the source file inside.

    Only recorded leads are written; a reader computes the others. 12-lead ECG up to 16384 samples at 200-1000
    Hz, General ECG for longer or fewer leads, Ambulatory below 200 Hz, General 32-bit beyond 16 bits or 1 kHz.

    Raises FormatError format.no_time when neither the file nor the person says when it was recorded (a
    waveform object must), WaveformError waveform.no_waveform, waveform.sampling_rate (hertz).
    """
    if not recording.samples:
        raise WaveformError("waveform.no_waveform")
    taken = origin.recorded_at
    if taken is None:
        raise FormatError("format.no_time")
    wide = not all(channel.fits_16_bits for channel in recording.channels)
    ds = bare_object(origin, storage_class(recording, wide=wide), "12-lead ECG")
    ds.ContentDate, ds.ContentTime = ds.StudyDate, ds.StudyTime
    ds.AcquisitionDateTime = taken.strftime("%Y%m%d%H%M%S.%f") + taken.strftime("%z")
    ds.AcquisitionContextSequence = Sequence([])
    ds.WaveformSequence = Sequence([_group(recording, wide=wide)])
    if recording.annotations:
        ds.WaveformAnnotationSequence = Sequence(
            [_annotation(annotation) for annotation in recording.annotations]
        )
    write_source(ds, origin.kind, origin.files)
    return to_file(ds)


def storage_class(recording: Recording, *, wide: bool) -> str:
    """The storage class whose content constraints the recording meets. Raises WaveformError."""
    rate = recording.sampling_rate
    slowest, fastest = _RATES_OF_TWELVE
    if rate < _SLOWEST_AMBULATORY:
        raise WaveformError("waveform.sampling_rate", hertz=round(rate))
    if wide or rate > fastest:
        return _GENERAL_32_BITS
    if rate < slowest:
        return _AMBULATORY
    missing = set(LEADS[:2] + LEADS[6:]) - {channel.lead for channel in recording.channels}
    return _GENERAL if missing or recording.samples > _MOST_OF_TWELVE else _TWELVE_LEAD


def bare_object(origin: Origin, sop_class: str, description: str) -> Dataset:
    """Patient, study, series, equipment and SOP common modules of an imported object of modality ECG."""
    digest = digest_of(origin.files)
    header, given, taken = origin.header, origin.given, origin.recorded_at
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID, ds.SOPInstanceUID = UID(sop_class), uid_of("instance", digest)
    ds.StudyInstanceUID, ds.SeriesInstanceUID = uid_of("study", digest), uid_of("series", digest)
    ds.StudyDate = ds.SeriesDate = taken.strftime("%Y%m%d") if taken else ""
    ds.StudyTime = ds.SeriesTime = taken.strftime("%H%M%S") if taken else ""
    if taken and taken.tzinfo:
        ds.TimezoneOffsetFromUTC = taken.strftime("%z")[:5]
    ds.AccessionNumber = _short(given.accession_number or header.order_number, 16)
    ds.Modality, ds.StudyID, ds.SeriesNumber, ds.InstanceNumber = "ECG", "", 1, 1
    ds.StudyDescription, ds.SeriesDescription = "ECG", f"{description} ({origin.kind})"
    ds.ReferringPhysicianName, ds.InstitutionName = "", _short(header.institution)
    ds.Manufacturer, ds.ManufacturerModelName = _short(header.manufacturer), _short(header.model)
    ds.DeviceSerialNumber, ds.SoftwareVersions = _short(header.serial_number), _short(header.software)
    ds.PatientID = _short(given.patient_id or header.patient_id)
    ds.PatientName = _name(given.name or header.patient_name)
    born = given.birth_date or header.birth_date
    ds.PatientBirthDate, ds.PatientSex = born.strftime("%Y%m%d") if born else "", given.sex or header.sex
    if header.age_years is not None and 0 <= header.age_years < 200 and born is None:
        ds.PatientAge = f"{header.age_years:03d}Y"
    return ds


def to_file(ds: Dataset, transfer_syntax: UID = ExplicitVRLittleEndian) -> bytes:
    """The object as a Part 10 file with preamble and complete file meta."""
    ds.file_meta = FileMetaDataset()
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.file_meta.TransferSyntaxUID = transfer_syntax
    ds.file_meta.ImplementationClassUID = uid_of("implementation", _IMPLEMENTATION)
    ds.file_meta.ImplementationVersionName = _IMPLEMENTATION
    buffer = DicomBytesIO()
    if transfer_syntax == ExplicitVRLittleEndian:
        try:
            content = plain_bytes(ds)
        except NotPlain:
            pass
        else:
            buffer.write(b"\0" * 128 + b"DICM")
            write_file_meta_info(buffer, ds.file_meta)
            return bytes(buffer.getvalue()) + content
    dcmwrite(buffer, ds, enforce_file_format=True)
    return buffer.getvalue()


def code_item(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def lead_code(lead: str) -> Dataset:
    """One of the twelve leads by its code of CID 3001."""
    return code_item(f"2:{_MDC[lead]}", "MDC", f"Lead {lead}")


def _group(recording: Recording, *, wide: bool) -> Dataset:
    item = Dataset()
    item.MultiplexGroupTimeOffset, item.TriggerTimeOffset = 0, 0
    item.WaveformOriginality, item.MultiplexGroupLabel = "ORIGINAL", "RHYTHM"
    item.NumberOfWaveformChannels = len(recording.channels)
    item.NumberOfWaveformSamples = recording.samples
    item.SamplingFrequency = _decimal(recording.sampling_rate)
    bits = 32 if wide else 16
    item.ChannelDefinitionSequence = Sequence(
        [_channel(channel, recording.filters, bits) for channel in recording.channels]
    )
    item.WaveformBitsAllocated, item.WaveformSampleInterpretation = bits, "SL" if wide else "SS"
    padding = _LEAST_32 if wide else PADDING
    block = np.empty((recording.samples, len(recording.channels)), "<i4" if wide else "<i2")
    for column, channel in enumerate(recording.channels):
        block[:, column] = (
            channel.raw if channel.absent is None else np.where(channel.absent, padding, channel.raw)
        )
    if any(channel.absent is not None for channel in recording.channels):
        item.add_new(0x5400100A, "OW", padding.to_bytes(bits // 8, "little", signed=True))
    item.add_new(0x54001010, "OW", block.tobytes())
    return item


def _channel(channel: Channel, filters: Filters, bits: int) -> Dataset:
    item = Dataset()
    item.ChannelLabel = channel.lead
    item.ChannelSourceSequence = Sequence([lead_code(channel.lead)])
    item.ChannelSensitivity = _decimal(channel.microvolts_per_unit)
    item.ChannelSensitivityUnitsSequence = Sequence([code_item("uV", "UCUM", "microvolt")])
    item.ChannelSensitivityCorrectionFactor = 1
    item.ChannelBaseline = _decimal(channel.offset_microvolts)
    item.ChannelSampleSkew, item.WaveformBitsStored = 0, bits
    if filters.low_hz is not None:
        item.FilterLowFrequency = _decimal(filters.low_hz)
    if filters.high_hz is not None:
        item.FilterHighFrequency = _decimal(filters.high_hz)
    if filters.notch_hz is not None:
        item.NotchFilterFrequency = _decimal(filters.notch_hz)
    return item


def _annotation(annotation: Annotation) -> Dataset:
    """A statement or a measurement of the whole recording (PS3.3 C.10.10)."""
    item = Dataset()
    item.ReferencedWaveformChannels = [1, 0]
    item.AnnotationGroupNumber = 1
    if annotation.code and annotation.value is not None:
        item.ConceptNameCodeSequence = Sequence(
            [code_item(annotation.code, annotation.scheme, annotation.meaning)]
        )
        item.MeasurementUnitsCodeSequence = Sequence([code_item(annotation.unit, "UCUM", annotation.unit)])
        item.NumericValue = _decimal(annotation.value)
    else:
        item.UnformattedTextValue = _printable(annotation.text)[:1024]
    return item


def _decimal(value: float) -> str:
    """A DS of at most 16 characters, with as many digits as fit."""
    value = value or 0.0
    for digits in range(15, 5, -1):
        if len(text := f"{value:.{digits}g}") <= 16:
            return text
    return f"{value:.6g}"


def _short(text: str, most: int = 64) -> str:
    """A value for LO or SH: one line, no backslash, within its length."""
    return _printable(text).replace("\n", " ").replace("\\", " ").strip()[:most]


def _name(text: str) -> str:
    """A PN; "=" and "\\" have a meaning there, and each name group has 64 characters."""
    return _short(text.replace("=", " ")).rstrip("^ ")


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() or char == "\n" else " " for char in text)

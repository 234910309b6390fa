"""Small DICOM objects for tests, written by code; every patient is plainly fictional."""

from __future__ import annotations

import hashlib
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    TwelveLeadECGWaveformStorage,
)

if TYPE_CHECKING:
    from collections.abc import Sequence as Many

    from numpy.typing import NDArray

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
MDC = dict(zip(LEADS, (1, 2, 61, 62, 63, 64, 3, 4, 5, 6, 7, 8), strict=True))
_BITS = {"SB": 8, "UB": 8, "SS": 16, "US": 16, "SL": 32, "UL": 32, "SV": 64, "UV": 64}
_DTYPES = {
    "SB": "i1",
    "UB": "u1",
    "SS": "i2",
    "US": "u2",
    "SL": "i4",
    "UL": "u4",
    "SV": "i8",
    "UV": "u8",
}


def uid(*seed: object) -> UID:
    """A UID under 2.25 that is always the same for the same words."""
    digest = hashlib.sha256("|".join(map(str, seed)).encode()).digest()
    return UID(f"2.25.{int.from_bytes(digest[:16], 'big')}")


def beats(seconds: float = 10.0, rate: int = 500, bpm: float = 72.0) -> NDArray[np.int16]:
    """Twelve leads of a crude heart, int16 microvolts of shape (n, 12); Einthoven holds to the last bit."""
    t = np.arange(round(seconds * rate)) / rate
    phase = np.mod(t, 60 / bpm)
    wave = sum(
        height * np.exp(-(((phase - at) / width) ** 2))
        for height, at, width in (
            (120, 0.10, 0.025),
            (1000, 0.25, 0.012),
            (-200, 0.28, 0.012),
            (280, 0.50, 0.05),
        )
    )
    rows = {
        lead: np.rint(wave * gain).astype(np.int64)
        for lead, gain in zip(
            ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6"),
            (0.6, 1.0, -0.6, -0.3, 0.5, 1.2, 1.1, 0.8),
            strict=True,
        )
    }
    rows["I"] -= rows["I"] % 2
    rows["II"] -= rows["II"] % 2
    rows["III"] = rows["II"] - rows["I"]
    rows["aVR"] = -(rows["I"] + rows["II"]) // 2
    rows["aVL"] = rows["I"] - rows["II"] // 2
    rows["aVF"] = rows["II"] - rows["I"] // 2
    return np.stack([rows[lead] for lead in LEADS], axis=1).astype(np.int16)


def code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def channel(source: Dataset, **attributes: Any) -> Dataset:
    """A channel definition in microvolts; an attribute given as None is left out."""
    item = Dataset()
    item.ChannelSourceSequence = Sequence([source])
    values: dict[str, Any] = {
        "ChannelSensitivity": 1,
        "ChannelSensitivityUnitsSequence": Sequence([code("uV", "UCUM", "microvolt")]),
        "ChannelSensitivityCorrectionFactor": 1,
        "ChannelBaseline": 0,
        "ChannelSampleSkew": 0,
        "WaveformBitsStored": 16,
    } | attributes
    for keyword, value in values.items():
        if value is not None:
            setattr(item, keyword, value)
    return item


def mdc(lead: str) -> Dataset:
    return code(f"2:{MDC[lead]}", "MDC", f"Lead {lead}")


def scpecg(lead: str) -> Dataset:
    return code(f"5.6.3-9-{MDC[lead]}", "SCPECG", f"Lead {lead}")


def group(
    raw: NDArray[Any] | None = None,
    channels: Many[Dataset] | None = None,
    *,
    interpretation: str = "SS",
    rate: float = 500,
    label: str = "RHYTHM",
    originality: str = "ORIGINAL",
    little: bool = True,
    **attributes: Any,
) -> Dataset:
    """A multiplex group of raw samples, shape (n, channels)."""
    raw = beats() if raw is None else raw
    channels = [channel(mdc(lead)) for lead in LEADS] if channels is None else channels
    item = Dataset()
    item.MultiplexGroupTimeOffset = 0
    item.WaveformOriginality = originality
    item.NumberOfWaveformChannels = len(channels)
    item.NumberOfWaveformSamples = raw.shape[0]
    item.SamplingFrequency = rate
    item.MultiplexGroupLabel = label
    item.ChannelDefinitionSequence = Sequence(list(channels))
    item.WaveformBitsAllocated = _BITS[interpretation]
    item.WaveformSampleInterpretation = interpretation
    item.add_new(0x54001010, "OW", raw.astype(("<" if little else ">") + _DTYPES[interpretation]).tobytes())
    for keyword, value in attributes.items():
        setattr(item, keyword, value)
    return item


def identified(
    sop_class: str,
    modality: str,
    *,
    patient_id: str = "TEST-0001",
    patient_name: str = "测^试一",
    accession: str = "",
    seed: object = "",
    study_uid: str | None = None,
    series_uid: str | None = None,
    sop_uid: str | None = None,
    charset: str | None = "ISO_IR 192",
    **attributes: Any,
) -> Dataset:
    """A data set with the identity that every object carries; further elements by keyword."""
    ds = Dataset()
    if charset is not None:
        ds.SpecificCharacterSet = charset
    ds.SOPClassUID = sop_class
    ds.SOPInstanceUID = sop_uid or uid("instance", patient_id, accession, modality, seed)
    ds.StudyInstanceUID = study_uid or uid("study", patient_id, accession, modality, seed)
    ds.SeriesInstanceUID = series_uid or uid("series", patient_id, accession, modality, seed)
    ds.Modality = modality
    ds.PatientID, ds.PatientName = patient_id, patient_name
    ds.PatientBirthDate, ds.PatientSex, ds.PatientAge = "19600229", "F", "066Y"
    ds.StudyDate, ds.StudyTime = "20261121", "140500"
    ds.AccessionNumber, ds.StudyID = accession, ""
    ds.SeriesNumber, ds.InstanceNumber = 1, 1
    ds.Manufacturer = "FICTIONAL"
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    return ds


def ecg_dataset(*groups: Dataset, **identity: Any) -> Dataset:
    """A 12-lead ECG; without groups, ten seconds of `beats`."""
    ds = identified(identity.pop("sop_class", TwelveLeadECGWaveformStorage), "ECG", **identity)
    ds.AcquisitionDateTime = "20261121140500"
    ds.WaveformSequence = Sequence(list(groups) or [group()])
    return ds


def dr_dataset(
    pixels: NDArray[Any] | None = None, *, photometric: str = "MONOCHROME2", bits: int = 12, **identity: Any
) -> Dataset:
    """A small DX image, 12 bits in 16; without pixels, a ramp of 48 x 64."""
    if pixels is None:
        pixels = np.linspace(0, (1 << bits) - 1, 48 * 64).reshape(48, 64).astype(np.uint16)
    ds = identified(identity.pop("sop_class", DigitalXRayImageStorageForPresentation), "DX", **identity)
    ds.BodyPartExamined, ds.ViewPosition = "CHEST", "PA"
    ds.Rows, ds.Columns = pixels.shape[-2:]
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, photometric
    ds.BitsAllocated = pixels.dtype.itemsize * 8
    ds.BitsStored, ds.HighBit = bits, bits - 1
    ds.PixelRepresentation = int(pixels.dtype.kind == "i")
    ds.PixelData = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    if pixels.ndim == 3:
        ds.NumberOfFrames = pixels.shape[0]
    return ds


def part10(ds: Dataset, transfer_syntax: str = ExplicitVRLittleEndian) -> bytes:
    """The data set as a complete file. Big endian bulk data must already be in that order."""
    ds.file_meta = FileMetaDataset()
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.file_meta.TransferSyntaxUID = UID(transfer_syntax)
    buffer = BytesIO()
    ds.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def ecg_bytes(*groups: Dataset, transfer_syntax: str = ExplicitVRLittleEndian, **identity: Any) -> bytes:
    """A 12-lead ECG file. Keywords as in `identified`: patient_id, patient_name, accession, seed, charset."""
    return part10(ecg_dataset(*groups, **identity), transfer_syntax)


def dr_bytes(
    pixels: NDArray[Any] | None = None, *, transfer_syntax: str = ExplicitVRLittleEndian, **identity: Any
) -> bytes:
    """A small DX file. Keywords as in `dr_dataset` and `identified`."""
    return part10(dr_dataset(pixels, **identity), transfer_syntax)


def mistagged_ecg_bytes(
    name: str = "测^试一", *, written: str = "gb18030", declared: str | None = "ISO_IR 100", **identity: Any
) -> bytes:
    """An ECG whose patient name is written in one encoding (a Python codec) and declared in another, or in none."""
    placeholder = "#NAME#"
    data = ecg_bytes(charset=declared, patient_name=placeholder, **identity)
    return with_text(data, placeholder, name.encode(written))


def with_text(data: bytes, placeholder: str, stored: bytes) -> bytes:
    """An Explicit VR file with the value `placeholder` (of a short VR) replaced by bytes of any length."""
    old = placeholder.encode("ascii")
    stored += b" " * (len(stored) % 2)
    at = data.index(old)
    end = at + len(old) + len(old) % 2
    return data[: at - 2] + len(stored).to_bytes(2, "little") + stored + data[end:]

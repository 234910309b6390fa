"""Synthetic objects of the field's sizes, written once and given new identities by patching bytes.

ECG 12 x 5000 samples (123 kB), CT 512 x 512 x 2 (525 kB), DR 2500 x 2048 x 2 (10.24 MB), Explicit VR LE. Noise, not
pictures: nothing here compresses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from itertools import count
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    TwelveLeadECGWaveformStorage,
)

from telemed.imaging.header import dataset_offset

ECG, CT, DR = "ECG", "CT", "DR"
CLASSES = {
    ECG: str(TwelveLeadECGWaveformStorage),
    CT: str(CTImageStorage),
    DR: str(DigitalXRayImageStorageForPresentation),
}
# Objects of one study: an ECG is one, a CT a stack.
_IN_STUDY = {ECG: 1, CT: 200, DR: 2}
# Placeholders of the length of what takes their place: 2.25 and 20 digits; 12 for the person's number.
_MARKS = {name: f"2.25.{digit * 20}" for name, digit in (("study", "1"), ("series", "2"), ("instance", "3"))}
_PERSON = "BENCH-000000"


@dataclass(frozen=True)
class Item:
    kind: str
    sop_class_uid: str
    sop_instance_uid: str
    file: bytes

    @property
    def data_set(self) -> memoryview:
        return memoryview(self.file)[dataset_offset(self.file) :]


def stream(kind: str, run: int) -> Iterator[Item]:
    """Objects with identities of their own, `_IN_STUDY` to a study; another `run` gives others."""
    template = _template(kind)
    for number in count():
        study = number // _IN_STUDY[kind]
        uids = {
            "study": _uid(run, kind, 1, study),
            "series": _uid(run, kind, 2, study),
            "instance": _uid(run, kind, 3, number),
        }
        file = template.replace(_PERSON.encode(), f"B{run:04d}{kind[0]}{study:06d}".encode())
        for name, mark in _MARKS.items():
            file = file.replace(mark.encode(), uids[name].encode())
        yield Item(kind, CLASSES[kind], uids["instance"], file)


def folder_of(kind: str, run: int, number: int, parts: int, root: Path) -> list[Path]:
    """`number` files, dealt to `parts` folders, as many senders will take them."""
    folders = [root / f"{kind}-{run}-{part}" for part in range(parts)]
    for folder in folders:
        folder.mkdir()
    for index, item in zip(range(number), stream(kind, run), strict=False):
        (folders[index % parts] / f"{index:05d}.dcm").write_bytes(item.file)
    return folders


def _uid(run: int, kind: str, level: int, number: int) -> str:
    return f"2.25.9{run:04d}{'ECD'.index(kind[0]):02d}{level}{number:012d}"


@cache
def _template(kind: str) -> bytes:
    data = Dataset()
    data.SpecificCharacterSet = "ISO_IR 192"
    data.SOPClassUID, data.SOPInstanceUID = CLASSES[kind], _MARKS["instance"]
    data.StudyDate, data.StudyTime, data.Modality = "20261121", "080000", "DX" if kind == DR else kind
    data.AccessionNumber, data.PatientName, data.PatientID = "", "测^试", _PERSON
    data.PatientBirthDate, data.PatientSex = "19700131", "F"
    data.StudyInstanceUID, data.SeriesInstanceUID = _MARKS["study"], _MARKS["series"]
    data.SeriesNumber, data.InstanceNumber = 1, 1
    noise = np.random.default_rng(11)
    if kind == ECG:
        _ecg(data, noise)
    else:
        _image(data, noise, (512, 512) if kind == CT else (2500, 2048))
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    buffer = BytesIO()
    data.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _ecg(data: Dataset, noise: np.random.Generator) -> None:
    group = Dataset()
    group.WaveformOriginality, group.NumberOfWaveformChannels = "ORIGINAL", 12
    group.NumberOfWaveformSamples, group.SamplingFrequency = 5000, 500
    group.WaveformBitsAllocated, group.WaveformSampleInterpretation = 16, "SS"
    samples = noise.integers(-800, 800, (5000, 12), dtype=np.int16)
    group.add_new(0x54001010, "OW", samples.astype("<i2").tobytes())
    data.WaveformSequence = [group]


def _image(data: Dataset, noise: np.random.Generator, shape: tuple[int, int]) -> None:
    data.Rows, data.Columns = shape
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 0
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, 12, 11
    data.add_new(0x7FE00010, "OW", noise.integers(0, 4096, shape, dtype=np.uint16).astype("<u2").tobytes())

"""The objects that the drills send: one real anonymous ECG and small films, under fictional patients."""

import hashlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.data import get_testdata_file
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    TwelveLeadECGWaveformStorage,
)

from telemed.imaging.header import dataset_offset

_SIDE = 96


@dataclass(frozen=True)
class FictionalPatient:
    patient_id: str
    name: str
    sex: str
    birth_date: str  # DICOM DA


PATIENT = FictionalPatient("DRILL-0001", "Yan^Lian=演^练", "F", "19700131")
OTHER = FictionalPatient("DRILL-0002", "Xu^Gou=虚^构", "M", "19510704")


def ecg(
    name: str, *, patient: FictionalPatient = PATIENT, accession: str = "", lead_off: bool = False
) -> Dataset:
    """A 12-lead ECG of its own study. The samples are those of the anonymous recording inside pydicom.

    `lead_off` silences the last lead, so that the quality of the recording has something to say.
    """
    path = get_testdata_file("waveform_ecg.dcm", download=False)
    if path is None:
        raise FileNotFoundError("waveform_ecg.dcm is not inside the installed pydicom package")
    group = dcmread(Path(str(path))).WaveformSequence[0]
    if lead_off:
        samples = np.frombuffer(group.WaveformData, "<i2").reshape(-1, group.NumberOfWaveformChannels).copy()
        samples[:, -1] = 0
        group.WaveformData = samples.tobytes()
    ds = _identity(TwelveLeadECGWaveformStorage, "ECG", name, 1, patient, accession)
    ds.AcquisitionDateTime = ds.StudyDate + ds.StudyTime
    ds.AcquisitionContextSequence = Sequence([])
    ds.WaveformSequence = Sequence([group])
    return ds


def film(name: str, number: int, *, patient: FictionalPatient = PATIENT, side: int = _SIDE) -> Dataset:
    """A DX image, the `number`-th of its study; a gradient, no picture of anybody."""
    ds = _identity(DigitalXRayImageStorageForPresentation, "DX", name, number, patient)
    ds.PresentationIntentType, ds.ImageType = "FOR PRESENTATION", ["ORIGINAL", "PRIMARY", ""]
    ds.Rows = ds.Columns = side
    ds.SamplesPerPixel, ds.PixelRepresentation = 1, 0
    ds.PhotometricInterpretation, ds.PresentationLUTShape = "MONOCHROME2", "IDENTITY"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 16, 12, 11
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = 0, 1, "US"
    ds.WindowCenter, ds.WindowWidth = 2048, 4096
    ramp = np.linspace(0, 4095, side * side).reshape(side, side)
    ds.PixelData = np.roll(ramp, number, axis=1).astype("<u2").tobytes()
    return ds


def uid_from(*words: object) -> UID:
    """A UID under 2.25 that is the same for the same words."""
    digest = hashlib.sha256("\x1f".join(map(str, words)).encode()).digest()
    return UID(f"2.25.{int.from_bytes(digest[:16], 'big')}")


def to_file(ds: Dataset) -> bytes:
    """The object as a Part 10 file."""
    buffer = BytesIO()
    dcmwrite(buffer, ds, enforce_file_format=True)
    return buffer.getvalue()


def dataset_sha256(ds: Dataset) -> str:
    """Over the encoded data set alone: what the sender knows of its object before it sends it."""
    file = to_file(ds)
    return hashlib.sha256(file[dataset_offset(file) :]).hexdigest()


def _identity(
    sop_class: UID, modality: str, name: str, number: int, patient: FictionalPatient, accession: str = ""
) -> Dataset:
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID, ds.SOPInstanceUID = sop_class, uid_from("drill instance", name, number)
    ds.StudyInstanceUID, ds.SeriesInstanceUID = uid_from("drill study", name), uid_from("drill series", name)
    ds.StudyDate, ds.StudyTime = "20261121", "080000"
    ds.AccessionNumber, ds.StudyID, ds.ReferringPhysicianName = accession, "", ""
    ds.Modality, ds.StudyDescription = modality, f"DRILL {name}"
    ds.SeriesNumber, ds.InstanceNumber = 1, number
    ds.Manufacturer, ds.InstitutionName = "FICTIONAL", "DRILL"
    ds.PatientName, ds.PatientID = patient.name, patient.patient_id
    ds.PatientBirthDate, ds.PatientSex = patient.birth_date, patient.sex
    ds.file_meta = FileMetaDataset()
    ds.file_meta.MediaStorageSOPClassUID = sop_class
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.ImplementationClassUID = uid_from("drill implementation")
    return ds

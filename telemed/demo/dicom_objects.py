"""Complete, valid DICOM objects around drawn samples (PS3.3 A.34.3 12-lead ECG, A.26 Digital X-Ray)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    TwelveLeadECGWaveformStorage,
)

from telemed.imaging.waveform import LEADS

if TYPE_CHECKING:
    from datetime import date, datetime

    import numpy as np
    from numpy.typing import NDArray

# PS3.16 CID 3001
_MDC = dict(zip(LEADS, (1, 2, 61, 62, 63, 64, 3, 4, 5, 6, 7, 8), strict=True))
# Identifies what wrote an object (PS3.7 D.3.3.2), derived from the product's name under 2.25.
_IMPLEMENTATION = "telemed"


@dataclass(frozen=True)
class FictionalPatient:
    """A person who does not exist. `name` is the DICOM form with carets, `display` what people read."""

    patient_id: str
    name: str
    sex: str
    birth_date: date

    @property
    def display(self) -> str:
        return self.name.rpartition("=")[2].replace("^", "")


@dataclass(frozen=True)
class Occasion:
    """When, for whom and under which number a study was made; `seed` and all of these make its UIDs."""

    patient: FictionalPatient
    taken_at: datetime
    accession_number: str
    institution: str
    seed: int = 1
    character_set: str = "ISO_IR 192"


def uid_from(*words: object) -> UID:
    """A UID under 2.25 (PS3.5 B.2) that is the same for the same words."""
    digest = bytearray(hashlib.sha256("\x1f".join(map(str, words)).encode()).digest()[:16])
    # Marked as a name-based UUID (RFC 9562, version 8, variant 10), as 2.25 asks for one.
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    return UID(f"2.25.{int.from_bytes(digest, 'big')}")


def ecg_object(occasion: Occasion, microvolts: NDArray[np.int16], sampling_rate: int) -> Dataset:
    """A 12-lead ECG of int16 microvolts, shape (samples, 12), one microvolt a bit."""
    ds = _identity(occasion, TwelveLeadECGWaveformStorage, "ECG", "静息心电图", 1)
    ds.SeriesDescription = "12-lead resting ECG, synthetic"
    waveform_identification(ds, occasion)
    item = Dataset()
    item.MultiplexGroupTimeOffset, item.TriggerTimeOffset = 0, 0
    item.WaveformOriginality, item.MultiplexGroupLabel = "ORIGINAL", "RHYTHM"
    item.NumberOfWaveformChannels, item.NumberOfWaveformSamples = 12, microvolts.shape[0]
    item.SamplingFrequency = sampling_rate
    item.ChannelDefinitionSequence = Sequence([_channel(lead) for lead in LEADS])
    item.WaveformBitsAllocated, item.WaveformSampleInterpretation = 16, "SS"
    item.add_new(0x54001010, "OW", microvolts.astype("<i2").tobytes())
    ds.WaveformSequence = Sequence([item])
    return ds


def waveform_identification(ds: Dataset, occasion: Occasion) -> None:
    ds.ContentDate, ds.ContentTime = ds.StudyDate, ds.StudyTime
    ds.AcquisitionDateTime = ds.StudyDate + ds.StudyTime
    ds.AcquisitionContextSequence = Sequence([])
    ds.TimezoneOffsetFromUTC = occasion.taken_at.strftime("%z") or "+0800"


def dr_object(
    occasion: Occasion,
    levels: NDArray[np.uint16],
    *,
    bits: int,
    view: str,
    instance_number: int = 1,
    inverted: bool = False,
) -> Dataset:
    """A DX image For Presentation of a phantom. `inverted` stores it as MONOCHROME1; it looks the same."""
    ds = _identity(
        occasion, DigitalXRayImageStorageForPresentation, "DX", "DR 胸部体模 PHANTOM", instance_number
    )
    ds.SeriesDescription = f"CHEST {view} - PHANTOM, NOT A PATIENT"
    ds.TimezoneOffsetFromUTC = occasion.taken_at.strftime("%z") or "+0800"
    ds.ContentDate, ds.ContentTime = ds.StudyDate, ds.StudyTime
    ds.AcquisitionDate, ds.AcquisitionTime = ds.StudyDate, ds.StudyTime
    ds.ImageType = ["ORIGINAL", "PRIMARY", ""]
    ds.PresentationIntentType = "FOR PRESENTATION"
    ds.BodyPartExamined, ds.ViewPosition, ds.ImageLaterality = "CHEST PHANTOM", view, "U"
    ds.AnatomicRegionSequence = Sequence([_code("113681", "DCM", "Phantom")])
    ds.PatientOrientation = ["L", "F"] if view == "PA" else ["A", "F"]
    ds.QualityControlImage, ds.BurnedInAnnotation = "YES", "YES"
    ds.AcquisitionContextSequence = Sequence([])
    ds.DetectorType, ds.ImagerPixelSpacing = "SCINTILLATOR", [0.2, 0.2]
    ds.Rows, ds.Columns = levels.shape
    ds.SamplesPerPixel, ds.PixelRepresentation = 1, 0
    ds.PhotometricInterpretation = "MONOCHROME1" if inverted else "MONOCHROME2"
    ds.PresentationLUTShape = "INVERSE" if inverted else "IDENTITY"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 16, bits, bits - 1
    ds.PixelIntensityRelationship, ds.PixelIntensityRelationshipSign = "LOG", 1 if inverted else -1
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = 0, 1, "US"
    ds.WindowCenter, ds.WindowWidth = 1 << (bits - 1), 1 << bits
    ds.LossyImageCompression = "00"
    stored = ((1 << bits) - 1) - levels if inverted else levels
    ds.PixelData = stored.astype("<u2").tobytes()
    return ds


def to_file(ds: Dataset) -> bytes:
    """The object as a Part 10 file with preamble and complete file meta."""
    buffer = BytesIO()
    dcmwrite(buffer, ds, enforce_file_format=True)
    return buffer.getvalue()


def _identity(
    occasion: Occasion, sop_class: UID, modality: str, description: str, instance_number: int
) -> Dataset:
    patient, taken = occasion.patient, occasion.taken_at
    words = (occasion.seed, patient.patient_id, occasion.accession_number, taken.isoformat(), modality)
    ds = Dataset()
    ds.SpecificCharacterSet = occasion.character_set
    ds.SOPClassUID, ds.SOPInstanceUID = sop_class, uid_from("instance", *words, instance_number)
    ds.StudyInstanceUID, ds.SeriesInstanceUID = uid_from("study", *words), uid_from("series", *words)
    ds.InstanceCreationDate, ds.InstanceCreationTime = taken.strftime("%Y%m%d"), taken.strftime("%H%M%S")
    ds.StudyDate, ds.StudyTime = ds.InstanceCreationDate, ds.InstanceCreationTime
    ds.SeriesDate, ds.SeriesTime = ds.StudyDate, ds.StudyTime
    ds.AccessionNumber, ds.StudyID = occasion.accession_number, ""
    ds.Modality, ds.StudyDescription = modality, description
    ds.SeriesNumber, ds.InstanceNumber = 1, instance_number
    ds.ReferringPhysicianName, ds.InstitutionName = "", occasion.institution
    ds.Manufacturer, ds.ManufacturerModelName = "FICTIONAL", "Demonstration generator"
    ds.DeviceSerialNumber, ds.SoftwareVersions = "0", "1"
    ds.PatientName, ds.PatientID = patient.name, patient.patient_id
    ds.PatientBirthDate, ds.PatientSex = patient.birth_date.strftime("%Y%m%d"), patient.sex
    ds.PatientAge = f"{_years(patient.birth_date, taken.date()):03d}Y"
    ds.file_meta = FileMetaDataset()
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = (
        sop_class,
        ds.SOPInstanceUID,
    )
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.ImplementationClassUID = uid_from("implementation", _IMPLEMENTATION)
    ds.file_meta.ImplementationVersionName = _IMPLEMENTATION.upper()
    return ds


def bare_ecg(occasion: Occasion, series_description: str) -> Dataset:
    """The identity of a 12-lead ECG, to which a recording is added."""
    ds = _identity(occasion, TwelveLeadECGWaveformStorage, "ECG", "静息心电图", 1)
    ds.SeriesDescription = series_description
    waveform_identification(ds, occasion)
    return ds


def _channel(lead: str) -> Dataset:
    item = Dataset()
    item.ChannelLabel = lead
    item.ChannelSourceSequence = Sequence([_code(f"2:{_MDC[lead]}", "MDC", f"Lead {lead}")])
    item.ChannelSensitivity, item.ChannelSensitivityCorrectionFactor = 1, 1
    item.ChannelSensitivityUnitsSequence = Sequence([_code("uV", "UCUM", "microvolt")])
    item.ChannelBaseline, item.ChannelSampleSkew, item.WaveformBitsStored = 0, 0, 16
    item.FilterLowFrequency, item.FilterHighFrequency = 0.05, 150
    return item


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def _years(born: date, today: date) -> int:
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))

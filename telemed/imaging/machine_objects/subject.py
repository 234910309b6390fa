"""About which object something is made, by which model, when, and under which UIDs it will stand."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID

from telemed.imaging.ecg_object import uid_of

if TYPE_CHECKING:
    from datetime import datetime

    from telemed.domain.analysis import Analysis, ModelIdentity
    from telemed.imaging.header import StudyHeader

MANUFACTURER = "TELEMED"


class MadeKind(StrEnum):
    """The value is part of the UIDs, so that it never changes."""

    REPORT = "report"
    ATTENTION = "attention"
    ANNOTATED = "annotated"


SERIES_NUMBERS = {MadeKind.REPORT: 9001, MadeKind.ATTENTION: 9002, MadeKind.ANNOTATED: 9003}
"""Behind whatever a machine acquires."""


def instance_uid(kind: MadeKind, site: str, result_key: str) -> UID:
    """The same for the same answer at the same site: made twice, it is one object."""
    return uid_of("made", kind.value, site, result_key)


@dataclass(frozen=True)
class Subject:
    """One answer about one object. `header` is that of the object as it leaves the house, corrected or not;
    `made_at` is an aware instant in the zone of the site; `site` and `result_key` make the UIDs.
    """

    header: StudyHeader
    analysis: Analysis
    site: str
    result_key: str
    made_at: datetime

    @property
    def model(self) -> ModelIdentity:
        assert self.analysis.model is not None
        return self.analysis.model

    def instance_uid(self, kind: MadeKind) -> UID:
        return instance_uid(kind, self.site, self.result_key)

    def series_uid(self, kind: MadeKind) -> UID:
        """One series a study, model (by its digest) and kind."""
        study = self.header.study_instance_uid
        return uid_of("made-series", kind.value, self.site, study, self.model.name, self.model.sha256)

    @property
    def description(self) -> str:
        """Series description: the model with its version; LO holds 64 characters."""
        return f"{self.model.name} {self.model.version}"[:64]

    def evidence(self) -> Dataset:
        """Patient and study of the object, and its UIDs, decoded: texts are Unicode whatever its own tag says."""
        header, ds = self.header, Dataset()
        ds.SpecificCharacterSet = "ISO_IR 192"
        ds.SOPClassUID, ds.SOPInstanceUID = header.sop_class_uid, header.sop_instance_uid
        ds.StudyInstanceUID, ds.SeriesInstanceUID = header.study_instance_uid, header.series_instance_uid
        ds.PatientID, ds.PatientName = header.patient_id, _of_components(header.patient_name.raw)
        ds.PatientBirthDate, ds.PatientSex = header.birth_date, header.sex
        ds.AccessionNumber, ds.StudyID = header.accession_number, ""
        ds.StudyDate, ds.StudyTime = header.study_date, header.study_time
        ds.ReferringPhysicianName, ds.StudyDescription = "", header.study_description
        ds.Modality = header.modality
        return ds


def _of_components(name: str) -> str:
    """A name of a single component keeps a caret behind it: so it is told from a name written without any."""
    first, equals, rest = name.partition("=")
    return name if not name or "^" in first else f"{first}^{equals}{rest}"


def stamp(ds: Dataset, made_at: datetime) -> None:
    """All that would be the moment of building becomes `made_at`: the same answer gives the same bytes again."""
    day, time = made_at.strftime("%Y%m%d"), made_at.strftime("%H%M%S")
    ds.ContentDate = ds.InstanceCreationDate = ds.SeriesDate = day
    ds.ContentTime = ds.InstanceCreationTime = ds.SeriesTime = time
    ds.TimezoneOffsetFromUTC = made_at.strftime("%z")[:5]
    for item in ds.get("ContributingEquipmentSequence") or []:
        # The library that built the object names itself and the moment; a device's own entry stays as it is.
        if str(item.get("Manufacturer", "")).startswith("Highdicom"):
            item.ContributionDateTime = f"{day}{time}"
    ds.InstanceCreatorUID = uid_of("implementation", MANUFACTURER)


def finish(ds: Dataset, subject: Subject) -> None:
    """What a built object says of the model and of the moment; the name as it came, without a caret of our own."""
    ds.PatientName = subject.header.patient_name.raw
    ds.ManufacturerModelName, ds.SoftwareVersions = subject.model.name, subject.model.version
    ds.DeviceSerialNumber = subject.model.sha256
    add_equipment(ds, subject.model)
    stamp(ds, subject.made_at)
    if "DateOfSecondaryCapture" in ds:
        ds.DateOfSecondaryCapture, ds.TimeOfSecondaryCapture = ds.ContentDate, ds.ContentTime


def add_equipment(ds: Dataset, model: ModelIdentity) -> None:
    """Contributing Equipment (PS3.3 C.12.1.1.5): the model and everything that tells one run from another."""
    item, purpose = Dataset(), Dataset()
    purpose.CodeValue, purpose.CodingSchemeDesignator = "109102", "DCM"
    purpose.CodeMeaning = "Processing Equipment"
    item.PurposeOfReferenceCodeSequence = Sequence([purpose])
    item.Manufacturer, item.ManufacturerModelName = MANUFACTURER, model.name[:64]
    item.SoftwareVersions = [model.version[:64], model.sha256[:64]]
    item.ContributionDescription = "; ".join(parameters(model)).replace("\\", "/")[:1024]
    ds.ContributingEquipmentSequence = Sequence([*(ds.get("ContributingEquipmentSequence") or []), item])


def parameters(model: ModelIdentity) -> list[str]:
    """What beside name and version makes a result another one."""
    return [
        f"sha256 {model.sha256}",
        f"preprocessing {model.preprocessing}",
        f"precision {model.precision}",
        f"provider {model.provider}",
        f"runtime {model.runtime}",
    ]

"""The example studies: fictional patients, drawn hearts and films, and one real anonymous recording."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from telemed.demo.dicom_objects import FictionalPatient, Occasion, bare_ecg, dr_object, ecg_object, to_file
from telemed.demo.ecg_synthesis import Recipe, Rhythm, synthesize
from telemed.demo.phantom import BITS, chest_phantom

SAMPLING_RATE = 500
DEFAULT_DAY = date(2026, 11, 21)
INSTITUTION = "示例镇卫生院"
ZONE = ZoneInfo("Asia/Shanghai")

PATIENTS = {
    "zhang": FictionalPatient("DEMO-0001", "Zhang^Ceshi=张^测试", "F", date(1971, 1, 23)),
    "li": FictionalPatient("DEMO-0002", "Li^Yangli=李^样例", "M", date(1958, 6, 2)),
    "wang": FictionalPatient("DEMO-0003", "Wang^Yanshi=王^演示", "M", date(1949, 9, 30)),
    "zhao": FictionalPatient("DEMO-0004", "Zhao^Shiyong=赵^试用", "F", date(1996, 3, 14)),
    "maimaiti": FictionalPatient("DEMO-0005", "示例·买买提", "M", date(1944, 12, 5)),
    "chen": FictionalPatient("DEMO-0006", "Chen^Fanli=陈^范例", "F", date(1939, 2, 17)),
    "zhou": FictionalPatient("DEMO-0007", "Zhou^Moti=周^模体", "M", date(1980, 10, 1)),
    "wu": FictionalPatient("DEMO-0008", "Wu^Fanben=吴^范本", "F", date(1966, 7, 8)),
}


@dataclass(frozen=True)
class ExampleStudy:
    """One study as a modality would send it. `accession_number` is "" where it comes without an order."""

    name: str
    modality: str
    datasets: tuple[Dataset, ...]
    accession_number: str
    patient: FictionalPatient

    @property
    def study_instance_uid(self) -> str:
        return str(self.datasets[0].StudyInstanceUID)

    def files(self) -> list[bytes]:
        """The objects as Part 10 files."""
        return [to_file(ds) for ds in self.datasets]


def example_studies(*, day: date = DEFAULT_DAY, seed: int = 1) -> list[ExampleStudy]:
    """Eight studies of `day`, the same objects for the same arguments.

    UIDs follow the day and the seed, so that another day's demo is new studies and not the same ones with
    other content.
    """
    rhythms = [
        ("ecg-sinus", "li", Recipe(Rhythm.SINUS, 11 * seed), "GB18030"),
        ("ecg-bradycardia", "wang", Recipe(Rhythm.BRADYCARDIA, 12 * seed), "ISO_IR 192"),
        ("ecg-tachycardia", "zhao", Recipe(Rhythm.TACHYCARDIA, 13 * seed, muscle_mv=0.015), "ISO_IR 192"),
        ("ecg-atrial-fibrillation", "maimaiti", Recipe(Rhythm.ATRIAL_FIBRILLATION, 14 * seed), "GB18030"),
        ("ecg-wide-qrs", "chen", Recipe(Rhythm.WIDE_QRS, 15 * seed, wander_mv=0.06), "ISO_IR 192"),
    ]
    studies = [packaged_study(day, seed)]
    for number, (name, patient, recipe, charset) in enumerate(rhythms, start=2):
        occasion = _occasion(patient, number, f"DEMO-ECG-{number:04d}", day, seed, charset)
        ds = ecg_object(occasion, synthesize(recipe, sampling_rate=SAMPLING_RATE), SAMPLING_RATE)
        studies.append(ExampleStudy(name, "ECG", (ds,), occasion.accession_number, occasion.patient))
    return [*studies, two_view_study(day, seed), unordered_study(day, seed)]


def packaged_study(day: date, seed: int) -> ExampleStudy:
    occasion = _occasion("zhang", 1, "DEMO-ECG-0001", day, seed, "ISO_IR 192")
    ds = reissue_pydicom_ecg(occasion)
    return ExampleStudy("ecg-recorded", "ECG", (ds,), occasion.accession_number, occasion.patient)


def two_view_study(day: date, seed: int) -> ExampleStudy:
    """Two films of one study: it is whole only when both have come."""
    occasion = _occasion("zhou", 7, "DEMO-DR-0001", day, seed, "GB18030")
    frontal = dr_object(occasion, chest_phantom("PA", seed=seed), bits=BITS, view="PA")
    lateral = dr_object(occasion, chest_phantom("LL", seed=seed + 1), bits=BITS, view="LL", instance_number=2)
    return ExampleStudy("dr-two-views", "DX", (frontal, lateral), occasion.accession_number, occasion.patient)


def unordered_study(day: date, seed: int) -> ExampleStudy:
    """Without an accession number, and stored as MONOCHROME1."""
    occasion = _occasion("wu", 8, "", day, seed, "ISO_IR 192")
    film = dr_object(occasion, chest_phantom("PA", seed=seed + 2), bits=BITS, view="PA", inverted=True)
    return ExampleStudy("dr-without-order", "DX", (film,), "", occasion.patient)


def reissue_pydicom_ecg(occasion: Occasion) -> Dataset:
    """The anonymous recording inside the pydicom package under a fictional patient and new UIDs.

    Only the samples and the device's measurements are taken over: nothing else of the original header,
    private elements included, is carried along. Statements in words are left out: a person or the product
    reads it anew.
    """
    path = get_testdata_file("waveform_ecg.dcm", download=False)
    if path is None:
        raise FileNotFoundError("waveform_ecg.dcm is not inside the installed pydicom package")
    source = dcmread(Path(str(path)))
    ds = bare_ecg(occasion, "12-lead resting ECG, reissued recording")
    ds.WaveformSequence = source.WaveformSequence
    measured = [item for item in source.WaveformAnnotationSequence if item.get("NumericValue") is not None]
    ds.WaveformAnnotationSequence = Sequence(measured)
    return ds


def _occasion(
    patient: str, number: int, accession_number: str, day: date, seed: int, charset: str
) -> Occasion:
    taken = datetime.combine(day, time(8, 0), ZONE) + timedelta(minutes=12 * number)
    return Occasion(PATIENTS[patient], taken, accession_number, INSTITUTION, seed, charset)

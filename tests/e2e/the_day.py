"""The ten cases of a reader's day: fictional people, drawn hearts and films, nothing that needs an order but one."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from pydicom import Dataset, dcmread

from telemed.demo.consortium import DemoResident, card_number
from telemed.demo.dicom_objects import FictionalPatient, Occasion, dr_object, ecg_object
from telemed.demo.ecg_synthesis import Recipe, Rhythm, synthesize
from telemed.demo.phantom import BITS, chest_phantom
from telemed.demo.studies import reissue_pydicom_ecg
from tests.browser.pictures import slices
from tests.factories.dicom import uid

RATE = 500
# What a chest CT has; 256 rows and columns instead of 512, which costs the test a quarter of the bytes.
SLICES = 300


@dataclass(frozen=True)
class DayCase:
    accession: str
    patient: FictionalPatient
    datasets: Sequence[Dataset]

    @property
    def calling(self) -> str:
        return "DEMO_ECG" if self.datasets[0].Modality == "ECG" else "DEMO_DR"

    @property
    def name(self) -> str:
        return self.patient.display


def the_day() -> dict[str, DayCase]:
    """By what happens to it."""
    rhythms = {
        "normal": Rhythm.SINUS,
        "accepted": Rhythm.ATRIAL_FIBRILLATION,
        "edited": Rhythm.BRADYCARDIA,
        "rejected": Rhythm.WIDE_QRS,
        "taken over": Rhythm.BRADYCARDIA,
        "crashed": Rhythm.SINUS,
    }
    found = {what: _ecg(number, rhythm) for number, (what, rhythm) in enumerate(rhythms.items(), start=1)}
    found["critical"] = _case(7, lambda occasion: [reissue_pydicom_ecg(occasion)])
    found["film"] = _case(8, lambda occasion: [dr_object(occasion, _film(8), bits=BITS, view="PA")])
    found["repeat"] = _case(9, lambda occasion: [dr_object(occasion, _film(9), bits=BITS, view="PA")])
    found["slices"] = _case(10, _slices)
    return found


def resident(case: DayCase) -> DemoResident:
    """The patient as a resident with a family doctor."""
    patient = case.patient
    number = card_number(f"{patient.birth_date:%Y%m%d}", "771" if patient.sex == "M" else "772")
    return DemoResident(patient.patient_id, case.name, patient.sex, number, contract=True)


def order(case: DayCase) -> dict[str, Any]:
    person = resident(case)
    return {
        "accession_number": case.accession,
        "patient": {
            "patient_id": person.patient_id,
            "name": person.name,
            "sex": person.sex,
            "birth_date": person.birth_date.isoformat(),
            "id_card_number": person.card_number,
        },
        "modality": "ECG",
        "description": "十二导联心电图",
        "priority": "urgent",
        "clinical_history": "胸痛 2 小时,高血压 10 年",
    }


def _case(number: int, objects: Any) -> DayCase:
    name = f"Rijian^Xuni=日^虚拟{'甲乙丙丁戊己庚辛壬癸'[number - 1]}"
    patient = FictionalPatient(f"DAY-{number:02d}", name, "FM"[number % 2], date(1960, 5, number))
    taken = datetime.now(ZoneInfo("Asia/Shanghai")) - timedelta(minutes=20 - number)
    occasion = Occasion(patient, taken, f"DAY-{number:02d}", "样板镇卫生院", number)
    return DayCase(occasion.accession_number, patient, objects(occasion))


def _ecg(number: int, rhythm: Rhythm) -> DayCase:
    drawn = synthesize(Recipe(rhythm, 40 + number), sampling_rate=RATE)
    return _case(number, lambda occasion: [ecg_object(occasion, drawn, RATE)])


def _film(seed: int) -> Any:
    """The phantom mirrored, which the films' gate takes for one of an adult; its words stay readable."""
    levels = chest_phantom("PA", seed=seed)
    mirrored = np.ascontiguousarray(levels[:, ::-1])
    mirrored[30:260, :640] = levels[30:260, -640:]
    return mirrored


def _slices(occasion: Occasion) -> list[Dataset]:
    (data,) = slices(1, str(uid("day", "slices")), patient_id=occasion.patient.patient_id)
    first = dcmread(BytesIO(data))
    first.SpecificCharacterSet, first.PatientName = "ISO_IR 192", occasion.patient.name
    first.PatientBirthDate = f"{occasion.patient.birth_date:%Y%m%d}"
    first.AccessionNumber = occasion.accession_number
    return [first, *(_slice(first, number) for number in range(2, SLICES + 1))]


def _slice(first: Dataset, number: int) -> Dataset:
    """The next one down, with a square of its own grey."""
    one = deepcopy(first)
    one.SOPInstanceUID = one.file_meta.MediaStorageSOPInstanceUID = uid("day", "slices", number)
    one.InstanceNumber = number
    x, y, z = first.ImagePositionPatient
    one.ImagePositionPatient = [x, y, z - (number - 1)]
    pixels = np.frombuffer(first.PixelData, np.uint16).reshape(first.Rows, first.Columns).copy()
    pixels[60:100, 110:150] = 1024 + 8 * number
    one.PixelData = pixels.tobytes()
    return one

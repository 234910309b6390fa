"""What happens to each example study: who ordered it, whose family doctor hears of it, what the report says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydicom import Dataset

from telemed.demo.consortium import DemoResident, card_number
from telemed.demo.studies import ExampleStudy, example_studies

# Registered as a resident, but without a family doctor's contract.
_NO_CONTRACT = "DEMO-0006"
_CALLING = {"ECG": "DEMO_ECG", "DX": "DEMO_DR"}


@dataclass(frozen=True)
class Example:
    study: ExampleStudy
    resident: DemoResident | None
    order: dict[str, Any] | None
    report: dict[str, Any]
    recipients: frozenset[str]

    @property
    def study_instance_uid(self) -> str:
        return self.study.study_instance_uid

    @property
    def modality(self) -> str:
        return self.study.modality

    @property
    def datasets(self) -> Sequence[Dataset]:
        return self.study.datasets

    @property
    def calling(self) -> str:
        return _CALLING[self.study.modality]


def examples() -> list[Example]:
    """Today's: another day's demo sends new studies."""
    today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
    return [_example(number, study) for number, study in enumerate(example_studies(day=today), start=1)]


def _example(number: int, study: ExampleStudy) -> Example:
    if not study.accession_number:
        # Nobody ordered it: it makes an order of its own, and still reaches the institution it came from.
        return Example(study, None, None, _report(study), frozenset({"institution"}))
    patient = study.patient
    birth = f"{patient.birth_date:%Y%m%d}"
    resident = DemoResident(
        patient_id=patient.patient_id,
        name=patient.display,
        sex=patient.sex,
        # The last digit but one of a card number is odd for men.
        card_number=card_number(birth, f"{number:02d}{1 if patient.sex == 'M' else 2}"),
        contract=patient.patient_id != _NO_CONTRACT,
    )
    recipients = {"institution", "family_doctor"} if resident.contract else {"institution"}
    return Example(study, resident, _order(study, resident), _report(study), frozenset(recipients))


def _order(study: ExampleStudy, resident: DemoResident) -> dict[str, Any]:
    ecg = study.modality == "ECG"
    return {
        "accession_number": study.accession_number,
        "patient": {
            "patient_id": resident.patient_id,
            "name": resident.name,
            "sex": resident.sex,
            "birth_date": resident.birth_date.isoformat(),
            "id_card_number": resident.card_number,
        },
        "modality": study.modality,
        "description": "十二导联心电图" if ecg else "胸部正侧位片(模体)",
        "body_part": "" if ecg else "CHEST",
        "priority": "routine",
        "clinical_history": "演示数据:体检" if ecg else "演示数据:模体检查",
    }


_ECG_TEXTS = {
    "ecg-recorded": ("窦性心律,各导联波形如图。", "窦性心律;请结合临床。"),
    "ecg-sinus": (
        "窦性心律,P-R间期、QRS时限、Q-T间期在正常范围,ST段无明显偏移。",
        "窦性心律,正常范围心电图。",
    ),
    "ecg-bradycardia": ("窦性P波,心室率约45次/分,P-R间期恒定。", "窦性心动过缓。"),
    "ecg-tachycardia": ("窦性P波,心室率约115次/分。", "窦性心动过速。"),
    "ecg-atrial-fibrillation": ("P波消失,代之以f波,R-R间期绝对不等。", "心房颤动。"),
    "ecg-wide-qrs": ("窦性心律,QRS时限增宽。", "QRS增宽,考虑室内传导阻滞。"),
}


def _report(study: ExampleStudy) -> dict[str, Any]:
    normal = study.name in ("ecg-sinus", "ecg-recorded")
    findings, impression = _ECG_TEXTS.get(study.name, ("模体影像,非人体检查。", "模体影像,仅供演示。"))
    return {
        "findings": findings,
        "impression": impression,
        "recommendation": "" if normal else "请结合临床,必要时复查。",
        "critical": False,
        "abnormal": not normal,
    }

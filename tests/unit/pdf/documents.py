"""A fictional patient, her report, and an ECG whose every point is known."""

import io
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from telemed.domain.document import ReportDocument
from telemed.imaging.waveform import LEADS, Filters, Waveform

_CHINESE: dict[str, Any] = {
    "consortium_name": "青山县紧密型医共体",
    "reporting_institution": "青山县人民医院",
    "applicant_institution": "柳溪镇卫生院",
    "exam": "十二导联心电图",
    "patient_name": "欧阳昇玥",
    "age": "56岁",
    "method": "静息十二导联同步心电图",
    "clinical_history": "胸闷2小时",
    "findings": "窦性心律，心率72次/分。\nST段抬高≥0.2mV。",
    "impression": "急性下壁心肌梗死",
    "recommendation": "立即转诊",
    "reporting_doctor": "沈予安",
    "reviewing_doctor": "陆闻笛",
    "ai_note": "提示由模型给出，医师已复核。",
}
_ENGLISH: dict[str, Any] = {
    "consortium_name": "Green Hill County Consortium",
    "reporting_institution": "Green Hill County Hospital",
    "applicant_institution": "Willow Creek Health Centre",
    "exam": "12-lead ECG",
    "patient_name": "Ouyang Shengyue",
    "age": "56 years",
    "method": "Resting 12-lead ECG",
    "clinical_history": "Chest tightness for 2 hours",
    "findings": "Sinus rhythm, 72 /min.\nST elevation ≥ 0.2 mV.",
    "impression": "Acute inferior myocardial infarction",
    "recommendation": "Transfer at once",
    "reporting_doctor": "Shen Yu'an",
    "reviewing_doctor": "Lu Wendi",
    "ai_note": "A model raised the finding; the doctor checked it.",
}


def report(language: str = "zh-CN", **changes: Any) -> ReportDocument:
    values: dict[str, Any] = {
        "language": language,
        "zone": ZoneInfo("Asia/Shanghai"),
        "accession_number": "LX20261121-0037",
        "version": 2,
        "state": "final",
        "critical": True,
        "sex": "F",
        "patient_id": "P0012345",
        "id_last4": "023X",
        "examined_at": datetime(2026, 11, 21, 6, 5, tzinfo=UTC),
        "signed_at": datetime(2026, 11, 21, 6, 12, tzinfo=UTC),
        "reviewed_at": datetime(2026, 11, 21, 16, 15, tzinfo=UTC),
        "verification_code": "7K2M-9QXD-4H1T",
        "verification_url": "https://telemed.example/v",
    }
    return ReportDocument(**values | (_ENGLISH if language == "en" else _CHINESE) | changes)


def waveform(seconds: float = 10.0, rate: float = 500.0, filters: Filters | None = None) -> Waveform:
    """Each lead its own slow sine and a step of 1 mV at every full second."""
    time = np.arange(round(seconds * rate)) / rate
    step = ((time % 2) >= 1).astype(np.float32)
    rows = [0.3 * np.sin(2 * np.pi * time * (index + 1) / 10) + step - 0.5 for index in range(12)]
    return Waveform(LEADS, np.array(rows, dtype=np.float32), rate, filters=filters or Filters())


def jpeg(width: int = 320, height: int = 400, mode: str = "L") -> bytes:
    across: NDArray[np.uint8] = np.linspace(0, 255, width * height).reshape(height, width).astype(np.uint8)
    target = io.BytesIO()
    Image.fromarray(across).convert(mode).save(target, "JPEG", quality=85)
    return target.getvalue()

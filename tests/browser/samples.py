"""Fictional patients and their cases, as the API answers them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from telemed.imaging.waveform.model import LEADS, Waveform
from telemed.imaging.waveform.wire import to_wire

NOW = datetime.now(UTC).replace(microsecond=0)


def iso(minutes: float) -> str:
    return (NOW + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")


def wire(waveform: Waveform) -> bytes:
    import json

    head, body = to_wire(waveform)
    text = json.dumps(head).encode()
    return len(text).to_bytes(4, "little") + text + body


def square_wave(seconds: float = 10.0, rate: float = 500.0) -> bytes:
    """Every lead: 0 mV for half a second, 1 mV for half a second."""
    time = np.arange(int(seconds * rate)) / rate
    one = np.where(time % 1.0 < 0.5, 0.0, 1.0).astype(np.float32)
    return wire(Waveform(leads=LEADS, samples=np.tile(one, (12, 1)), sampling_rate=rate))


def own_steps(seconds: float = 10.0, rate: float = 500.0) -> bytes:
    """As `square_wave`, of a height that tells the lead: 0.30 mV in the first, 0.05 mV more in each that follows."""
    time = np.arange(int(seconds * rate)) / rate
    one = np.where(time % 1.0 < 0.5, 0.0, 1.0).astype(np.float32)
    heights = (0.3 + 0.05 * np.arange(12, dtype=np.float32))[:, None]
    return wire(Waveform(leads=LEADS, samples=heights * one, sampling_rate=rate))


def hum(wave_hz: float, noise_hz: float, rate: float = 500.0) -> bytes:
    """In every lead 0.5 mV of one frequency and 0.5 mV of another."""
    time = np.arange(int(10 * rate)) / rate
    one = 0.5 * np.sin(2 * np.pi * wave_hz * time) + 0.5 * np.sin(2 * np.pi * noise_hz * time)
    return wire(Waveform(leads=LEADS, samples=np.tile(one, (12, 1)).astype(np.float32), sampling_rate=rate))


def gap_wave(first: float, last: float) -> bytes:
    """A flat line with nothing recorded between two instants (seconds)."""
    samples = np.zeros((12, 5000), dtype=np.float32)
    samples[:, int(first * 500) : int(last * 500)] = np.nan
    return wire(Waveform(leads=LEADS, samples=samples, sampling_rate=500.0))


def heart(rate_bpm: float = 72.0, seconds: float = 10.0, rate: float = 500.0) -> bytes:
    """Twelve leads from one dipole with a fixed projection, so that I + III = II holds."""
    time = np.arange(int(seconds * rate)) / rate
    phase = (time % (60.0 / rate_bpm)) - 0.3

    def wave(at: float, width: float) -> np.ndarray[Any, np.dtype[np.float64]]:
        return np.exp(-((phase - at) ** 2) / (2 * width**2))

    p, q, r, s, t = (
        wave(-0.17, 0.02),
        wave(-0.03, 0.008),
        wave(0.0, 0.011),
        wave(0.03, 0.01),
        wave(0.26, 0.05),
    )
    x = 0.10 * p - 0.10 * q + 1.0 * r - 0.25 * s + 0.26 * t
    y = 0.12 * p - 0.05 * q + 0.8 * r - 0.15 * s + 0.20 * t
    z = 0.04 * p + 0.20 * q - 0.9 * r + 0.70 * s - 0.18 * t
    one, two = 0.85 * x, 0.45 * x + 0.9 * y
    chest = [(-0.3, 0.9), (-0.1, 1.2), (0.4, 0.8), (0.9, 0.3), (1.0, 0.0), (0.9, -0.2)]
    leads = {
        "I": one,
        "II": two,
        "III": two - one,
        "aVR": -(one + two) / 2,
        "aVL": one - two / 2,
        "aVF": two - one / 2,
        **{f"V{n + 1}": 1.1 * (a * x + b * z) for n, (a, b) in enumerate(chest)},
    }
    noise = np.random.default_rng(3).normal(0, 0.006, (12, len(time)))
    samples = (np.stack([leads[name] for name in LEADS]) + noise).astype(np.float32)
    return wire(Waveform(leads=LEADS, samples=samples, sampling_rate=rate))


def patient(name: str, sex: str, value: int, last4: str, unit: str = "year") -> dict[str, Any]:
    return {
        "name": name,
        "sex": sex,
        "age": {"value": value, "unit": unit},
        "patient_id": f"P{last4}",
        "id_last4": last4,
    }


def row(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"case-{number}",
        "state": "waiting",
        "priority": "routine",
        "effective_priority": "routine",
        "raised_because": "",
        "deadline": iso(18 + number),
        "arrived_at": iso(-12 - number),
        "modality": "ECG",
        "exam": "十二导联心电图",
        "body_part": "",
        "site": "青石镇卫生院",
        "site_id": "site-qs",
        "patient": patient("示例甲", "F", 56, "0048"),
        "accession_number": f"QS{20261122000 + number}",
        "history": "体检",
        "holder": None,
        "ai": {"state": "done", "flags": []},
        "study_instance_uid": f"2.25.{1000 + number}",
        "order_source": "api",
        "critical": None,
        "returned": False,
        "priors": {"count": 0, "latest": None},
        **changes,
    }


ROWS: list[dict[str, Any]] = [
    row(
        1,
        priority="urgent",
        effective_priority="stat",
        raised_because="MI",
        deadline=iso(-8),
        patient=patient("示例·阿依古丽", "F", 67, "301X"),
        history="胸痛 2 小时,向左肩放射,伴大汗;既往高血压 10 年",
        ai={"state": "done", "flags": ["MI", "STTC"]},
        critical="critical",
        priors={"count": 3, "latest": iso(-60 * 24 * 40)},
    ),
    row(
        2,
        priority="stat",
        effective_priority="stat",
        deadline=iso(6),
        modality="DX",
        exam="胸部正位",
        body_part="CHEST",
        site="河湾乡卫生院",
        patient=patient("示例乙", "M", 34, "7712"),
        history="外伤后胸痛、气促",
        ai={"state": "no_model", "flags": []},
    ),
    row(
        3,
        state="reading",
        priority="urgent",
        effective_priority="urgent",
        patient=patient("示例丙", "M", 71, "5530"),
        history="心悸",
        ai={"state": "done", "flags": ["AFIB"]},
        holder={"name": "示例·李医师", "mine": False},
    ),
    row(
        4,
        patient=patient("示例丁", "F", 8, "", "month"),
        history="",
        ai={"state": "out_of_domain", "flags": []},
        site="松岭社区卫生服务中心",
        returned=True,
    ),
    row(
        5,
        modality="CT",
        exam="颅脑平扫",
        body_part="HEAD",
        patient=patient("示例戊", "M", 62, "9021"),
        history="头痛",
        ai={"state": "no_model", "flags": []},
    ),
    *(
        row(
            n,
            patient=patient(
                f"示例{'己庚辛壬癸子丑寅卯辰巳午未申酉戌亥'[n - 6]}", "MF"[n % 2], 30 + n, f"{4100 + n}"
            ),
            ai={"state": ("done", "pending", "off", "failed")[n % 4], "flags": []},
            deadline=iso(20 + n * 7),
        )
        for n in range(6, 23)
    ),
]

ANALYSIS: dict[str, Any] = {
    "model": {"name": "ecg-superclass", "version": "1.0"},
    "in_domain": True,
    "reason": None,
    "findings": [
        {"name": name, "probability": value, "threshold": limit, "flag": value >= limit}
        for name, value, limit in (
            ("MI", 0.91, 0.42),
            ("STTC", 0.66, 0.48),
            ("CD", 0.12, 0.5),
            ("HYP", 0.08, 0.37),
            ("NORM", 0.03, 0.5),
            ("AFIB", 0.02, 0.5),
        )
    ],
    "measurements": {
        "heart_rate_bpm": 72,
        "pr_ms": 162,
        "qrs_ms": 94,
        "qt_ms": 402,
        "qtc_ms": 428,
        "qrs_axis_deg": 38,
    },
    "statements": [],
    "has_median_beat": True,
}


def instance(kind: str, number: int, **changes: Any) -> dict[str, Any]:
    uid = f"2.25.9{number:05d}"
    return {
        "sop_instance_uid": uid,
        "sop_class_uid": "1.2.840.10008.5.1.4.1.1.9.1.1",
        "kind": kind,
        "frames": 1,
        "rows": None,
        "columns": None,
        "waveform_url": f"/api/v1/objects/{uid}/waveform" if kind == "ecg" else None,
        "rendered_url": f"/rendered/{uid}.jpg" if kind == "image" else None,
        "quality": [],
        **changes,
    }


def case(of: dict[str, Any]) -> dict[str, Any]:
    number = int(of["id"].split("-")[1])
    ecg = of["modality"] == "ECG"
    kinds = ["ecg"] if ecg else ["image"] * (1 if of["modality"] == "DX" else 12)
    open_to_me = of["holder"] is None or of["holder"]["mine"]
    return {
        **of,
        "series": [
            {
                "series_instance_uid": f"2.25.8{number}",
                "number": 1,
                "modality": of["modality"],
                "description": "",
                "instances": [instance(kind, number * 100 + index) for index, kind in enumerate(kinds)],
            }
        ],
        "analyses": [{**ANALYSIS, "id": f"answer-{number}"}] if ecg and of["ai"]["state"] == "done" else [],
        "ai_reason": "",
        "generation": 1,
        "report": None,
        "versions": [],
        "notices": [],
        "can": {
            "claim": open_to_me,
            "write": False,
            "sign": False,
            "review": False,
            "amend": False,
            "repeat": open_to_me,
            "undo": False,
            "preliminary": False,
            "take": not open_to_me,
        },
        "lease_until": None,
        "asked_by": "",
        "repeat": None,
        "repeats": [],
        "demanded": {"findings": "always", "impression": "always"},
    }


def report(**changes: Any) -> dict[str, Any]:
    return {
        "id": "report-1",
        "number": 1,
        "state": "final",
        "findings": "窦性心律。V1-V4 导联 ST 段抬高 0.2-0.4 mV,II、III、aVF 导联 ST 段压低。",
        "impression": "急性前壁心肌梗死图形,请结合临床与心肌标志物。",
        "recommendation": "立即联系胸痛中心,启动转诊。",
        "critical": True,
        "abnormal": True,
        "revision": 3,
        "author": "示例·王医师",
        "signed_by": "示例·王医师",
        "signed_at": iso(-30),
        "reviewed_by": "示例·赵主任",
        "reviewed_at": iso(-22),
        "released_at": iso(-22),
        "review_comment": "",
        "verification_code": "K7Q2-9MXP",
        "pdf_url": "/api/v1/reports/report-1/pdf",
        "updated_at": iso(-30),
        "hold_until": None,
        "submitted": None,
        **changes,
    }


NORMAL_REPORT = report(
    id="report-2",
    findings="窦性心律,心率 68 次/分。",
    impression="正常心电图。",
    recommendation="",
    critical=False,
    abnormal=False,
)


def repeat(**changes: Any) -> dict[str, Any]:
    """Asked for, and nothing came yet."""
    nothing = {"reason": "导联脱落", "answer_at": None, "closed_at": None, "closed_because": ""}
    return {"open": True, "asked_at": iso(-60), **nothing, **changes}


def exam(number: int, state: str, **changes: Any) -> dict[str, Any]:
    source = ROWS[number]
    return {
        "study_instance_uid": source["study_instance_uid"],
        "modality": source["modality"],
        "exam": source["exam"],
        "patient": source["patient"],
        "accession_number": source["accession_number"],
        "arrived": 1,
        "placed": 1,
        "safe": True,
        "state": state,
        "reader": None,
        "report": None,
        "quality": [],
        "repeat_reason": "",
        "repeat_mark": None,
        "repeat": None,
        "conflicts": 0,
        "received_at": iso(-40 + number),
        "order_source": "api",
        **changes,
    }


EXAMS: list[dict[str, Any]] = [
    exam(
        0,
        "reported",
        report={
            "id": "report-1",
            "pdf_url": "/api/v1/reports/report-1/pdf",
            "abnormal": True,
            "critical": True,
            "preliminary": False,
            "released_at": iso(-20),
        },
    ),
    exam(1, "reading", reader="示例·王医师"),
    exam(
        2,
        "repeat",
        repeat_reason="疑肢体导联接反",
        repeat=repeat(asked_at=iso(-4000)),
        quality=[{"code": "quality.lead_off", "text": "导联脱落:V3"}],
    ),
    exam(3, "waiting", order_source="study"),
    exam(4, "receiving", arrived=212, placed=148),
    exam(5, "awaiting_review"),
    exam(6, "waiting", conflicts=1),
]


def delivery(number: int, of: dict[str, Any], **changes: Any) -> dict[str, Any]:
    source = ROWS[number]
    return {
        "id": f"delivery-{number}",
        "report": of,
        "patient": source["patient"],
        "modality": source["modality"],
        "exam": source["exam"],
        "reporting_institution": "示例县人民医院",
        "applicant_institution": source["site"],
        "created_at": iso(-20 - number),
        "opened_at": None,
        "acknowledged_at": None,
        "abnormal": of["abnormal"],
        "critical": of["critical"],
        "pdf_url": of["pdf_url"],
        **changes,
    }


INBOX: list[dict[str, Any]] = [
    delivery(0, report()),
    delivery(
        2,
        report(
            id="report-3",
            critical=False,
            impression="心房颤动,平均心室率 96 次/分。",
            recommendation="抗凝评估。",
        ),
    ),
    *(delivery(n, NORMAL_REPORT) for n in (5, 6, 7)),
    delivery(8, NORMAL_REPORT, opened_at=iso(-9), acknowledged_at=iso(-8)),
]


def report_text(kind: str, code: str, title: str, findings: str, impression: str = "") -> dict[str, Any]:
    return {
        "id": f"text-{code}",
        "kind": kind,
        "code": code,
        "title": title,
        "findings": findings,
        "impression": impression,
        "recommendation": "",
        "abnormal": True,
        "modality": "ECG",
        "body_part": "",
    }


TEXTS = [
    report_text("macro", "a", "窦律不齐", "窦性心律不齐"),
    report_text("macro", "af", "房颤", "心房颤动"),
    report_text("template", "taf", "心房颤动", "P 波消失,代之以 f 波。", "心房颤动"),
]
PRIORS = [
    {
        "id": "case-900",
        "modality": "ECG",
        "exam": "十二导联心电图",
        "body_part": "",
        "site": "河湾乡卫生院",
        "arrived_at": iso(-60 * 24 * 40),
        "state": "final",
        "study_instance_uid": "2.25.900",
        "comparable": True,
        "earlier": True,
        "same_part": True,
        "findings": "窦性心律,心率 66 次/分。",
        "impression": "正常范围心电图",
        "recommendation": "",
        "abnormal": False,
        "report_id": "report-900",
        "released_at": iso(-60 * 24 * 40),
        "pdf_url": None,
    }
]

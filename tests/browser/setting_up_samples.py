"""What the pages of a new centre are given: reading groups and contracts."""

from __future__ import annotations

from typing import Any

from tests.browser import samples

SETTING_UP: dict[str, Any] = {
    "sites": [{"id": "2", "name": "示例县人民医院"}],
    "groups": [
        {
            "id": "g1",
            "code": "ecg",
            "name": "心电诊断中心",
            "institution": {"id": "2", "name": "示例县人民医院"},
        },
        {
            "id": "g2",
            "code": "city",
            "name": "市级中心",
            "institution": {"id": "2", "name": "示例县人民医院"},
        },
    ],
    "duties": [
        {"id": 1, "group": "g1", "user": "u1", "starts_at": samples.iso(-60), "ends_at": None},
        {"id": 2, "group": "g1", "user": "u1", "starts_at": samples.iso(60), "ends_at": samples.iso(600)},
    ],
    "readers": {"u1": "示例·王医师"},
    "rules": [
        {
            "id": "r1",
            "rank": 1,
            "group": "g1",
            "fallback": "g2",
            "modality": "ECG",
            "institution": None,
            "priority": "stat",
            "limit_minutes": 30,
        },
        {
            "id": "r2",
            "rank": 2,
            "group": "g2",
            "fallback": None,
            "modality": "",
            "institution": {"id": "2", "name": "示例县人民医院"},
            "priority": None,
            "limit_minutes": 120,
        },
    ],
    "triage": [
        {"id": "t1", "modality": "ECG", "finding": "AFIB", "priority": "urgent"},
        {"id": "t2", "modality": "ECG", "finding": "critical.proposed", "priority": "stat"},
    ],
    "findings": ["critical.proposed", "AFIB", "MI"],
    "modalities": ("ECG", "DX"),
}
CONTRACTS: dict[str, Any] = {
    "doctor": "",
    "doctors": [{"id": "d1", "name": "示例·李医师"}],
    "contracts": [
        {
            "id": "c1",
            "name": "示**",
            "id_last4": "0038",
            "doctor": "示例·李医师",
            "doctor_id": "d1",
            "valid_from": "2026-01-01",
            "valid_to": None,
        }
    ],
    "today": samples.iso(0),
}

"""What the walk over all routes sends, and what it takes for granted about their answers."""

from typing import Any

from tests.cast import CONTRACTED
from tests.integration.web.conftest import ORDER, REPORT

# One part that is no object: it is refused by itself, after the person was let in.
STOW: dict[str, Any] = {
    "content": b"--b\r\nContent-Type: application/dicom\r\n\r\nno object\r\n--b--",
    "headers": {"Content-Type": 'multipart/related; type="application/dicom"; boundary=b'},
}
# Bodies that are in order, so that only the permission can speak against a request.
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/api/v1/session/reauthenticate"): {"json": {"password": "wrong-on-purpose"}},
    ("POST", "/api/v1/session/language"): {"json": {"language": "zh-CN"}},
    ("PUT", "/api/v1/session/password"): {
        "json": {"password": "wrong-on-purpose", "new_password": "wrong-again", "repeated": "wrong-again"}
    },
    ("PUT", "/api/v1/cases/{case_id}/draft"): {"json": {**REPORT, "revision": 0}},
    ("POST", "/api/v1/cases/{case_id}/sign"): {"json": {"revision": 0}},
    ("POST", "/api/v1/cases/{case_id}/preliminary"): {"json": {"revision": 0}},
    ("POST", "/api/v1/cases/{case_id}/review"): {"json": {"decision": "approve", "revision": 0}},
    ("POST", "/api/v1/cases/{case_id}/amend"): {"json": {"reason": "虚构"}},
    ("POST", "/api/v1/cases/{case_id}/take"): {"json": {"reason": "虚构"}},
    ("POST", "/api/v1/cases/{case_id}/repeat"): {"json": {"reason": "虚构"}},
    ("PUT", "/api/v1/admin/institutions/{institution_id}/signing"): {
        "json": {"signing_minutes": 15, "hold_seconds": 0, "second_signature": True}
    },
    ("PUT", "/api/v1/admin/institutions/{institution_id}/made-objects"): {
        "json": {"made_objects": "reports"}
    },
    ("PUT", "/api/v1/admin/institutions/{institution_id}/machine-rules"): {"json": {"worklist_days": 7}},
    ("POST", "/api/v1/admin/report-texts"): {
        "json": {"kind": "macro", "code": "walk", "title": "虚构", "findings": "虚构"}
    },
    ("POST", "/api/v1/admin/hanging"): {"json": {"modality": "CT", "prior": True, "window": 2}},
    ("POST", "/api/v1/admin/required-parts"): {"json": {"part": "recommendation", "modality": "CT"}},
    ("POST", "/api/v1/cases/{case_id}/measurements"): {
        "json": {"analysis": "x", "marks": {"qrs_onset_ms": -40, "qrs_offset_ms": 50}}
    },
    ("POST", "/api/v1/cases/{case_id}/key-images"): {"json": {"sop_instance_uid": "1.2.3", "on": True}},
    ("PUT", "/api/v1/cases/{case_id}/marks/{mark_id}"): {
        "json": {
            "kind": "length",
            "sop_instance_uid": "1.2.3",
            "points": [[0, 0], [1, 1]],
            "values": {},
            "unit": "mm",
        }
    },
    ("POST", "/api/v1/cases/{case_id}/verdicts"): {
        "json": {"analysis": "x", "finding": "NORM", "verdict": "accepted"}
    },
    ("POST", "/api/v1/uploads"): {"files": [("files", ("no.dcm", b"not dicom"))]},
    ("POST", "/dicom-web/studies"): STOW,
    ("POST", "/dicom-web/studies/{study}"): STOW,
    ("POST", "/api/v1/orders"): {"json": ORDER},
    ("POST", "/api/v1/orders/csv"): {"files": {"file": ("o.csv", b"patient_id,name,modality\n")}},
    ("POST", "/api/v1/models/{name}/approve"): {"json": {"sha256": "ab" * 32}},
    ("POST", "/api/v1/worklist/search"): {"json": {"text": "测试甲"}},
    ("POST", "/api/v1/cases/{case_id}/critical"): {"json": {"code": "ecg.avb3"}},
    ("POST", "/api/v1/critical/{critical_id}/withdraw"): {"json": {"reason": "虚构"}},
    ("POST", "/api/v1/critical/{critical_id}/acknowledge"): {"json": {"how": "screen", "read_back": "虚构"}},
    ("POST", "/api/v1/critical/{critical_id}/close"): {"json": {"note": ""}},
    ("POST", "/api/v1/critical/{critical_id}/act"): {"json": {"id": "fictional-1", "kind": "called_120"}},
    ("POST", "/api/v1/corrections/{correction_id}/resolve"): {
        "json": {"decision": "leave", "reason": "虚构"}
    },
    ("POST", "/api/v1/studies/{study_instance_uid}/repeat/close"): {"json": {"reason": "虚构"}},
    ("POST", "/api/v1/studies/{study_instance_uid}/reassign"): {
        "json": {"from_patient_id": "FIC-P1", "patient_id": "FIC-P2", "reason": "虚构"}
    },
    ("POST", "/api/v1/patients/{patient_uid}/resident/find"): {"json": {"id_card_number": CONTRACTED}},
    # Of a patient who stands under this resident: nothing changes.
    ("POST", "/api/v1/patients/{patient_uid}/resident/link"): {
        "json": {"id_card_number": CONTRACTED, "shown": "", "reason": "虚构"}
    },
    ("POST", "/api/v1/patients/{patient_uid}/resident/unlink"): {
        "json": {"shown": "walk-resident", "reason": "虚构"}
    },
    ("POST", "/api/v1/admin/critical-rules"): {
        "json": {"code": "walk", "tier": "warning", "text_zh": "虚构", "text_en": "Fictional"}
    },
    ("PUT", "/api/v1/admin/critical-policy"): {"json": {"tell_minutes": 10}},
    ("POST", "/api/v1/admin/escalation-steps"): {
        "json": {"code": "walk", "minutes": 30, "role": "technician"}
    },
    ("POST", "/api/v1/admin/users"): {
        "json": {
            "username": "walker",
            "display_name": "虚构",
            "role": "technician",
            "password": "fictional-long",
        }
    },
    ("POST", "/api/v1/admin/devices"): {"json": {"ae_title": "WALK", "network": "127.0.0.0/8"}},
    ("PUT", "/api/v1/admin/devices/{device_id}"): {"json": {"network": "127.0.0.0/8", "active": True}},
    ("PUT", "/api/v1/admin/users/{user_id}/active"): {"json": {"active": True}},
    ("PUT", "/api/v1/admin/users/{user_id}/password"): {"json": {"password": "fictional-long"}},
    ("POST", "/api/v1/admin/reading-groups"): {"json": {"code": "walk", "name": "虚构"}},
    ("POST", "/api/v1/admin/routing-rules"): {
        "json": {"rank": 77, "group": "walk-group", "limit_minutes": 30}
    },
    ("POST", "/api/v1/admin/duties"): {"json": {"group": "walk-group", "user": "walk-reader"}},
    ("POST", "/api/v1/admin/triage-rules"): {
        "json": {"modality": "ECG", "finding": "WALK", "priority": "stat"}
    },
    ("POST", "/api/v1/admin/contracts"): {
        "json": {
            "id_card_number": CONTRACTED,
            "name": "虚构",
            "doctor": "walk-user",
            "valid_from": "2030-01-01",
        }
    },
    ("PUT", "/api/v1/admin/contracts/{contract_id}"): {"json": {"valid_to": "2020-12-31"}},
    ("POST", "/api/v1/admin/nodes"): {"json": {"ae_title": "WALKER", "host": "127.0.0.1", "port": 104}},
    ("PUT", "/api/v1/admin/nodes/{node_id}"): {
        "json": {"ae_title": "WALK", "host": "127.0.0.1", "port": 104}
    },
    ("POST", "/api/v1/admin/forward-rules"): {"json": {"node": "walk-node"}},
    ("PUT", "/api/v1/admin/institutions/{institution_id}/certificates"): {"json": {}},
    ("POST", "/api/v1/admin/institutions"): {"json": {"code": "walk", "name": "虚构", "kind": "station"}},
}
# Answers of these never depend on rows of one institution: the list is the own one, or the thing is made anew.
OWN_ROWS_ONLY = {
    "/",
    "/account",
    "/admin",
    "/admin/critical",
    "/admin/contracts",
    "/admin/nodes",
    "/admin/reading",
    "/api/v1/admin/critical-policy",
    "/api/v1/admin/contracts",
    "/api/v1/admin/critical-rules",
    "/api/v1/admin/critical-rules/usual",
    "/api/v1/admin/devices",
    "/api/v1/admin/escalation-steps",
    "/api/v1/admin/forward-rules",
    "/api/v1/admin/institutions",
    "/api/v1/admin/nodes",
    "/api/v1/admin/reading-groups",
    "/api/v1/admin/repeat-rates",
    "/api/v1/admin/hanging",
    "/api/v1/admin/report-texts",
    "/api/v1/admin/required-parts",
    "/api/v1/hanging",
    "/api/v1/report-texts",
    "/api/v1/admin/triage-rules",
    "/api/v1/admin/users",
    "/api/v1/corrections",
    "/api/v1/critical",
    "/api/v1/exams",
    "/api/v1/inbox",
    "/api/v1/models",
    "/api/v1/models/{name}/approve",
    "/api/v1/models/{name}/withdraw",
    "/api/v1/notices",
    "/api/v1/orders",
    "/api/v1/orders/csv",
    "/api/v1/patients",
    "/api/v1/session",
    "/api/v1/session/language",
    "/api/v1/session/password",
    "/api/v1/session/reauthenticate",
    "/api/v1/session/sign-out",
    "/api/v1/uploads",
    "/api/v1/worklist",
    "/api/v1/worklist/sites",
    "/api/v1/worklist/search",
    "/api/v1/worklist/stream",
    "/dicom-web/instances",
    "/dicom-web/series",
    "/dicom-web/studies",
    "/corrections",
    "/inbox",
    "/reading",
    # The same empty page for every id; the case itself comes through /api/v1/cases.
    "/reading/cases/{case_id}",
    "/sign-out",
    "/township",
}


# What is sent becomes the sender's own, whatever study it names.
OWN_MADE = {("POST", "/dicom-web/studies/{study}")}

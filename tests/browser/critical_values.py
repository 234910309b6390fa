"""The stand-in server's critical values: one invented list, and the states a value goes through."""

from typing import Any

from tests.browser import samples

RULES = [
    {"code": "ecg.avb3", "tier": "critical", "text": "首次发现三度房室传导阻滞", "proposed": False},
    {"code": "ecg.ami", "tier": "critical", "text": "急性心肌梗死图形", "proposed": True},
]
# What the next person may do, whoever looks: reader and receiver are one here.
NEXT = {
    "awaiting_check": ["confirm", "withdraw"],
    "released": ["acknowledge"],
    "acknowledged": ["act"],
    "acted": ["act", "close"],
    "closed": [],
    "withdrawn": [],
}
STATE_AFTER = {
    "confirm": "released",
    "withdraw": "withdrawn",
    "acknowledge": "acknowledged",
    "act": "acted",
    "close": "closed",
}


def value(case: dict[str, Any], code: str = "ecg.ami") -> dict[str, Any]:
    finding = next(rule["text"] for rule in RULES if rule["code"] == code)
    return {
        "id": f"critical-{case['id']}",
        "case_id": case["id"],
        "tier": "critical",
        "state": "awaiting_check",
        "code": code,
        "note": "",
        "proposed_by_ai": False,
        "patient": case["patient"],
        "modality": case["modality"],
        "exam": case["exam"],
        "applicant_institution": case["site"],
        "reporting_institution": "示例县医院",
        "raised_at": samples.iso(0),
        "due_at": samples.iso(10),
        "checked_by": "",
        "check": None,
        "card": {
            "finding": finding,
            "found_at": samples.iso(0),
            "found_by": "示例·王医师",
            "received_by": "",
            "received_at": None,
            "how": None,
            "read_back": "",
        },
        "actions": [],
        "acted_at": None,
        "escalated": [],
        "can": NEXT["awaiting_check"],
    }


def move(one: dict[str, Any], what: str, body: dict[str, Any]) -> None:
    one["state"] = STATE_AFTER[what]
    one["can"] = NEXT[one["state"]]
    if what == "acknowledge":
        one["card"] |= {
            "received_by": "示例·接收人",
            "received_at": samples.iso(0),
            "how": body["how"],
            "read_back": body.get("read_back", ""),
        }
    if what == "act":
        note = body["note"]
        one["actions"].append({"kind": body["kind"], "note": note, "by": "示例·接收人", "at": samples.iso(0)})

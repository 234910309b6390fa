"""The pages' templates with the context that the head of base.html promises, without a server behind them."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

import telemed.web
from telemed.i18n import catalogue, languages, text
from tests.browser import samples
from tests.browser.setting_up_samples import CONTRACTS, SETTING_UP

WEB = Path(telemed.web.__file__).parent
STATIC = WEB / "static"
MANIFEST = STATIC / "app" / ".vite" / "manifest.json"
ZONE = ZoneInfo("Asia/Shanghai")


def local(value: str | datetime | None) -> str:
    if value is None:
        return ""
    instant = datetime.fromisoformat(value) if isinstance(value, str) else value
    return instant.astimezone(ZONE).strftime("%Y-%m-%d %H:%M")


def asset(entry: str) -> dict[str, Any]:
    found = json.loads(MANIFEST.read_text())[f"src/{entry}/main.ts"]
    return {
        "js": f"/static/app/{found['file']}",
        "css": [f"/static/app/{sheet}" for sheet in found.get("css", [])],
    }


@pass_context
def t(context: Context, key: str, /, **params: object) -> str:
    return text(key, context["language"], **params)


@pass_context
def has_text(context: Context, key: str) -> bool:
    return key in catalogue(context["language"])


def environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(WEB / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    made.globals.update(t=t, has_text=has_text, asset=asset)
    made.filters["local"] = local
    return made


USERS: dict[str, dict[str, Any]] = {
    role: {
        "id": f"user-{role}",
        "username": role,
        "display_name": "示例·王医师",
        "role": role,
        "language": "zh-CN",
        "licensed": True,
    }
    for role in ("technician", "reporting_doctor", "reviewing_doctor", "family_doctor", "administrator")
}
_DOORS = {
    "technician": ("township", "corrections", "inbox"),
    "reporting_doctor": ("reading",),
    "reviewing_doctor": ("reading",),
    "family_doctor": ("inbox",),
    "administrator": ("admin",),
}

MACHINE_RULES = {"issuer_names": "", "worklist_days": 7, "step_hours": 12, "commitment_days": 7}
ADMIN: dict[str, Any] = {
    "users": [
        {
            "id": "1",
            "username": "wang",
            "display_name": "示例·王医师",
            "role": "reporting_doctor",
            "institution": "示例县人民医院",
            "active": True,
        }
    ],
    "institutions": [
        {
            "id": "1",
            "name": "青石镇卫生院",
            "code": "QS",
            "kind": "township",
            "made_objects": "reports",
            **MACHINE_RULES,
        },
        {
            "id": "2",
            "name": "示例县人民医院",
            "code": "XR",
            "kind": "hospital",
            "signing_minutes": 15,
            "hold_seconds": 10,
            "made_objects": "all",
            **MACHINE_RULES,
            "second_signature": True,
        },
    ],
    "repeat_rates": [
        {
            "site": "青石镇卫生院",
            "device": "QS_DR",
            "exams": 40,
            "repeats": 2,
            "reasons": {"image.position": 2},
        }
    ],
    "report_texts": [samples.report_text("macro", "af", "房颤", "心房颤动")],
    "hanging": [
        {
            "id": "h1",
            "institution": "示例县人民医院",
            "modality": "CT",
            "body_part": "CHEST",
            "prior": True,
            "window": 2,
        }
    ],
    "required_parts": [
        {
            "id": "p1",
            "modality": "CT",
            "body_part": "",
            "part": "recommendation",
            "demanded": "when_abnormal",
        }
    ],
    "devices": [
        {
            "id": "1",
            "ae_title": "QS_ECG",
            "network": "10.20.0.0/16",
            "certificate_sha256": "",
            "default_charset": "GB18030",
            "institution": "青石镇卫生院",
            "description": "",
            "active": True,
        }
    ],
    "roles": ["technician", "reporting_doctor"],
    "models": [
        {
            "name": name,
            "version": "1.0",
            "sha256": "ab" * 32,
            "task": "ecg",
            "card_html": "<h2>ECG</h2><p>AUC 0.91 (n = 81)</p>",
            "sites": [
                {
                    "id": "site-1",
                    "name": "青石镇卫生院",
                    "approved_at": samples.iso(-900) if approved else None,
                }
            ],
        }
        for name, approved in (("ecg-superclass", True), ("ecg-rhythm", False))
    ],
    "notices": [
        {"id": "n1", "code": "notice.x", "text": "QS_ECG: 2.25.77", "created_at": samples.iso(-33)},
    ],
    "failed_jobs": [
        {
            "id": "j1",
            "kind": "infer",
            "attempts": 3,
            "problem": "OutOfMemory",
            "failed_at": samples.iso(-12),
        }
    ],
}

NODES: dict[str, Any] = {
    "nodes": [
        {
            "id": "n1",
            "ae_title": "CITY_PACS",
            "host": "10.1.2.3",
            "port": 2762,
            "description": "示例市级归档",
            "tls": True,
            "certificate_authority": "",
            "server_name": "",
            "institution": {"id": "1", "name": "青石镇卫生院"},
            "active": True,
            "waiting": 3,
            "refused": 2,
            "failing_since": samples.iso(-30),
        }
    ],
    "rules": [
        {
            "id": "r1",
            "node": "n1",
            "ae_title": "CITY_PACS",
            "modality": "",
            "with_made": True,
            "institution": {"id": "1", "name": "青石镇卫生院"},
            "active": True,
        }
    ],
    "sites": [{"id": "1", "name": "青石镇卫生院", "certificate_authority": "", "certificate_demanded": True}],
    "own_tls": False,
}

CRITICAL: dict[str, Any] = {
    "rules": [
        {
            "id": "r1",
            "code": "ecg.pause",
            "edition": 2,
            "modality": "ECG",
            "tier": "critical",
            "text_zh": "长 RR 间期 ≥ 3.0 秒",
            "text_en": "RR pause ≥ 3.0 s",
            "findings": [],
            "limits": {"longest_pause_ms": {"at_least": 3000}},
            "institution": None,
        }
    ],
    "steps": [
        {
            "id": "s1",
            "code": "team",
            "minutes": 10,
            "tier": "critical",
            "waits_for": "acknowledged",
            "role": "family_doctor",
            "institution": None,
            "person": "",
            "before_check": False,
        }
    ],
    "policies": [
        {
            "institution": None,
            "tell_minutes": 10,
            "same_doctor_at_night": True,
            "night_from": "22:00",
            "night_to": "06:00",
        }
    ],
    "names": {"2": "示例县人民医院"},
    "centres": ["2"],
    "roles": ("family_doctor", "reviewing_doctor"),
}

FOUND: dict[str, Any] = {
    "version": 1,
    "state": "final",
    "exam": "十二导联心电图",
    "patient_masked": "示**",
    "reporting_institution": "示例县人民医院",
    "applicant_institution": "青石镇卫生院",
    "signed_at": samples.iso(-30),
    "reviewed_at": samples.iso(-22),
    "released_at": samples.iso(-22),
    "critical": True,
    "content_sha256": "3f" * 32,
    "superseded_by": None,
    "withdrawn_at": None,
}

# Template, the role that sees it ("" for nobody signed in), what it is given.
PAGES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "/sign-in": ("sign_in.html", "", {"problem": "", "username": "", "next": ""}),
    "/reading": ("reading.html", "reporting_doctor", {}),
    "/review": ("reading.html", "reviewing_doctor", {}),
    "/township": ("township.html", "technician", {"exams": samples.EXAMS, "stations": ["QS_DR", "QS_ECG"]}),
    "/corrections": ("corrections.html", "technician", {}),
    "/inbox": ("inbox.html", "family_doctor", {"rows": samples.INBOX, "open_only": True}),
    "/admin": ("admin.html", "administrator", ADMIN),
    "/admin/critical": ("critical.html", "administrator", CRITICAL),
    "/admin/nodes": ("nodes.html", "administrator", NODES),
    "/admin/reading": ("setting_up.html", "administrator", SETTING_UP),
    "/admin/contracts": ("contracts.html", "administrator", CONTRACTS),
    "/account": ("account.html", "technician", {"shortest": 10}),
    "/verify/K7Q2-9MXP": ("verify.html", "", {"code": "K7Q2-9MXP", "found": FOUND}),
    "/verify/": ("verify.html", "", {"code": "", "found": None}),
    "/verify/wrong": ("verify.html", "", {"code": "wrong", "found": None}),
    "/error": ("error.html", "", {"status": 404, "title": "404", "detail": "-", "home": "/"}),
}


def page(path: str, language: str = "zh-CN") -> str:
    template, role, context = PAGES[path]
    user = USERS[role] if role else None
    doors = _DOORS.get(role, ())
    texts = {key: value for key, value in catalogue(language).items() if key.startswith("ui.")}
    data = {"texts": texts, "csrf": "token", "language": language, "user": user, "zone": "Asia/Shanghai"}
    return (
        environment()
        .get_template(template)
        .render(
            language=language,
            languages=list(languages),
            user=user,
            institution={"id": "1", "name": "示例县人民医院"} if user else None,
            csrf_token="token" if user else "",
            nav=[
                {"href": f"/{door}", "key": f"page.nav.{door}", "active": path == f"/{door}"}
                for door in doors
            ],
            page_data=data,
            **context,
        )
    )

"""The main job, unattended: examples are sent, read by machine and people, signed, delivered, acknowledged.

Everything happens in a temporary directory on free ports, through the same doors that the field uses: DICOM for
the machines, HTTP for the people. The times of the steps come from the events.
"""

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from telemed.bootstrap import Application, build
from telemed.demo.consortium import TOWNSHIP, add_resident, provision
from telemed.demo.examples import Example, examples
from telemed.demo.roles import Person, wait_for
from telemed.demo.sender import send
from telemed.domain.errors import DomainError, Unavailable
from telemed.domain.events import Kind
from telemed.group import ProcessGroup, free_ports
from telemed.settings import Settings

_WAIT = 25.0
_STEPS = {
    Kind.OBJECT_RECEIVED: "stored",
    Kind.STUDY_COMPLETE: "complete",
    Kind.CASE_ROUTED: "routed",
    Kind.CASE_INFERRED: "inferred",
    Kind.CASE_CLAIMED: "claimed",
    Kind.REPORT_SIGNED: "signed",
    Kind.REPORT_FINAL: "final",
    Kind.REPORT_DELIVERED: "delivered",
    Kind.DELIVERY_ACKNOWLEDGED: "acknowledged",
}


def once() -> dict[str, Any]:
    """Returns what `telemed demo --once --json` prints; "ok" only if every study reached every recipient."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="telemed-"))
        http_port, dicom_port, inference_port = free_ports(3)
        settings = replace(
            Settings(demo=True, quiet_seconds=1),
            data_dir=Path(folder),
            http_port=http_port,
            dicom_port=dicom_port,
            inference_port=inference_port,
        ).complete()
        application = build(settings)
        stack.callback(application.close)
        # Four reports one after the other: each would hold the next for its ten seconds.
        provision(application.world, quiet_seconds=settings.quiet_seconds, hold_seconds=1)
        group = ProcessGroup(settings, ["web", "dicom", "worker"])
        group.start()
        stack.callback(group.stop)
        if not group.wait_ready():
            raise Unavailable("error.demo_not_ready")
        return _run(application, stack)


def _run(application: Application, stack: ExitStack) -> dict[str, Any]:
    settings = application.settings
    base = f"http://{settings.http_host}:{settings.http_port}"
    people = {name: Person(base, name) for name in ("technician", "reporting", "reviewing", "family")}
    for person in people.values():
        stack.callback(person.close)
    sent = send_examples(application, people["technician"])
    studies, ok = [], True
    for example, started in sent:
        try:
            _read(people, example)
            recipients = _collect(people, example)
            steps = _steps(application, example, started)
            complete = set(steps) == set(_STEPS.values()) and set(recipients) == example.recipients
            studies.append({**_head(example), "recipients": recipients, "steps": steps})
        except DomainError as fault:
            complete = False
            steps = _steps(application, example, started)
            studies.append({**_head(example), "recipients": [], "steps": steps, "problem": str(fault)})
        ok = ok and complete
    return {"ok": ok and len(studies) >= 3, "studies": studies}


def _head(example: Example) -> dict[str, str]:
    return {"study_instance_uid": example.study_instance_uid, "modality": example.modality}


def send_examples(application: Application, technician: Person) -> list[tuple[Example, datetime]]:
    """Orders by HTTP, objects by DICOM; a study without an order is among them."""
    settings, sent = application.settings, []
    for example in examples():
        if example.resident is not None:
            add_resident(application.world, example.resident)
        if example.order is not None:
            technician.post("/api/v1/orders", example.order)
        started = datetime.now(UTC)
        send(
            settings.dicom_host,
            settings.dicom_port,
            calling=example.calling,
            called=settings.ae_title,
            datasets=example.datasets,
        )
        sent.append((example, started))
    return sent


def _read(people: dict[str, Person], example: Example) -> None:
    reporting, reviewing = people["reporting"], people["reviewing"]
    case = wait_for("case", lambda: _case_of(reporting, example.study_instance_uid), _WAIT)
    path = f"/api/v1/cases/{case['id']}"
    wait_for("ai", lambda: _after_ai(reporting, path), _WAIT)
    reporting.post(f"{path}/claim")
    draft = reporting.put(f"{path}/draft", {**example.report, "revision": 0})
    reporting.post(f"{path}/sign", {"revision": draft["revision"]})
    reviewing.post(f"{path}/review", {"decision": "approve", "revision": draft["revision"]})


def _case_of(reader: Person, study_instance_uid: str) -> dict[str, Any] | None:
    rows: Sequence[dict[str, Any]] = reader.get("/api/v1/worklist", view="all", limit="200")["rows"]
    return next((row for row in rows if row["study_instance_uid"] == study_instance_uid), None)


def _after_ai(reader: Person, path: str) -> dict[str, Any] | None:
    case: dict[str, Any] = reader.get(path)
    return None if case["ai"]["state"] == "pending" else case


def _collect(people: dict[str, Person], example: Example) -> list[str]:
    """Each expected recipient opens the copy, reads the document and acknowledges."""
    names = []
    for name, person in (("institution", people["technician"]), ("family_doctor", people["family"])):
        if name not in example.recipients:
            if _copy_of(person, example.study_instance_uid) is not None:
                names.append(name)
            continue
        row = wait_for(name, lambda who=person: _copy_of(who, example.study_instance_uid), _WAIT)  # type: ignore[misc]
        if not person.bytes(row["pdf_url"]).startswith(b"%PDF"):
            raise Unavailable("error.demo_no_document", who=name)
        person.post(f"/api/v1/inbox/{row['id']}/open")
        person.post(f"/api/v1/inbox/{row['id']}/acknowledge")
        names.append(name)
    return names


def _copy_of(person: Person, study_instance_uid: str) -> dict[str, Any] | None:
    rows: Sequence[dict[str, Any]] = person.get("/api/v1/inbox")["rows"]
    return next((row for row in rows if row["study_instance_uid"] == study_instance_uid), None)


def _steps(application: Application, example: Example, started: datetime) -> dict[str, float]:
    """Seconds from the first byte to each step, from the events; where a step comes twice, the last."""
    with application.world.unit_of_work(write=False) as uow:
        site = uow.institutions.by_code(TOWNSHIP)
        study = uow.studies.by_instance_uid(site.id, example.study_instance_uid) if site else None
        events = uow.events.of_study(study.id) if study else []
    return {
        _STEPS[event.kind]: round((event.at - started).total_seconds(), 3)
        for event in events
        if event.kind in _STEPS
    }

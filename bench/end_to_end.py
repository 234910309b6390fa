"""From the first byte of a study to the reader's list, through the real processes and doors.

`ecg_listed`: a real ECG sent by `storescu` stands in the reading doctor's list with its AI findings.
`ecg_acknowledged`: the same, from the sender's side: until C-STORE was answered (durable, SQLite FULL).
`way`: the whole way of `telemed demo --once`, every study to every recipient.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from bench.result import Row, under_limit
from telemed.bootstrap import build
from telemed.demo.consortium import provision
from telemed.demo.dicom_objects import to_file
from telemed.demo.once import once
from telemed.demo.roles import Person, wait_for
from telemed.demo.studies import packaged_study
from telemed.group import ProcessGroup, free_ports
from telemed.settings import Settings

LISTED_LIMIT, WAY_LIMIT = 2.0, 45.0


def rows(*, only: str | None, quick: bool) -> list[Row]:
    found = []
    if only in (None, "ecg_listed", "ecg_acknowledged"):
        found += _ecg(5 if quick else 25)
    if only in (None, "way"):
        started = time.monotonic()
        result = once()
        elapsed = time.monotonic() - started
        row = under_limit(
            "way", [elapsed], "s", WAY_LIMIT, of="max", note=f"{len(result['studies'])} studies"
        )
        found.append(replace(row, met=row.met and bool(result["ok"])))
    return [row for row in found if only in (None, row.what)]


def _ecg(count: int) -> list[Row]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="telemed-bench-")))
        http_port, dicom_port, inference_port = free_ports(3)
        settings = replace(
            Settings(demo=True), data_dir=folder / "var", http_port=http_port, dicom_port=dicom_port,
            inference_port=inference_port,
        ).complete()  # fmt: skip
        application = build(settings)
        stack.callback(application.close)
        provision(application.world)
        group = ProcessGroup(settings, ["web", "dicom", "worker"])
        group.start()
        stack.callback(group.stop)
        if not group.wait_ready():
            raise SystemExit("the services did not start")
        reader = Person(f"http://127.0.0.1:{http_port}", "reporting")
        stack.callback(reader.close)
        today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
        acknowledged, listed = [], []
        for number in range(count + 1):
            # Day by day a new study: the recording inside the pydicom package under a fictional patient.
            study = packaged_study(today - timedelta(days=number), 1)
            path = folder / f"{number}.dcm"
            path.write_bytes(to_file(study.datasets[0]))
            started = time.monotonic()
            subprocess.run(
                [
                    "storescu",
                    "-aet",
                    "DEMO_ECG",
                    "-aec",
                    settings.ae_title,
                    "127.0.0.1",
                    str(dicom_port),
                    str(path),
                ],
                check=True,
                capture_output=True,
                env={**os.environ, "TCP_NODELAY": "1"},
            )
            answered = time.monotonic() - started
            uid = study.study_instance_uid
            wait_for("AI in the list", lambda uid=uid: _with_ai(reader, uid), 20)  # type: ignore[misc]
            if number:  # the first one loads the model
                acknowledged.append(answered)
                listed.append(time.monotonic() - started)
    note = "storescu's own start included; first study (loads the model) left out"
    return [
        under_limit("ecg_listed", listed, "s", LISTED_LIMIT, note=note),
        under_limit("ecg_acknowledged", acknowledged, "s", LISTED_LIMIT, note=note),
    ]


def _with_ai(reader: Person, study_instance_uid: str) -> bool | None:
    rows = reader.get("/api/v1/worklist", view="all", limit="200")["rows"]
    row = next((r for r in rows if r["study_instance_uid"] == study_instance_uid), None)
    return True if row is not None and row["ai"]["state"] == "done" else None

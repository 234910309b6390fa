"""From the first byte of a study to the reader's list, through the real processes and doors.

`ecg_listed`: a real ECG sent by `storescu` stands in the reading doctor's list with its AI findings.
`ecg_acknowledged`: the same, from the sender's side: until C-STORE was answered (durable, SQLite FULL).
`way`: the whole way of `telemed demo --once`, every study to every recipient.
"""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bench.house import House, house
from bench.result import Row, under_limit
from telemed.demo.dicom_objects import to_file
from telemed.demo.once import once
from telemed.demo.roles import wait_for
from telemed.demo.studies import packaged_study

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
    with house() as here:
        today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
        acknowledged, listed = [], []
        for number in range(count + 1):
            # Day by day a new study: the recording inside the pydicom package under a fictional patient.
            study = packaged_study(today - timedelta(days=number), 1)
            path = here.folder / f"{number}.dcm"
            path.write_bytes(to_file(study.datasets[0]))
            started = time.monotonic()
            subprocess.run(
                [
                    "storescu",
                    "-aet",
                    "DEMO_ECG",
                    "-aec",
                    here.settings.ae_title,
                    "127.0.0.1",
                    str(here.settings.dicom_port),
                    str(path),
                ],
                check=True,
                capture_output=True,
                env={**os.environ, "TCP_NODELAY": "1"},
            )
            answered = time.monotonic() - started
            uid = study.study_instance_uid
            wait_for("AI in the list", lambda uid=uid: _with_ai(here, uid), 20)  # type: ignore[misc]
            if number:  # the first one loads the model
                acknowledged.append(answered)
                listed.append(time.monotonic() - started)
    note = "storescu's own start included; first study (loads the model) left out"
    return [
        under_limit("ecg_listed", listed, "s", LISTED_LIMIT, note=note),
        under_limit("ecg_acknowledged", acknowledged, "s", LISTED_LIMIT, note=note),
    ]


def _with_ai(here: House, study_instance_uid: str) -> bool | None:
    row = next((r for r in here.listed("all") if r["study_instance_uid"] == study_instance_uid), None)
    return True if row is not None and row["ai"]["state"] == "done" else None

"""`product`: the bytes of DICOM ECGs received (durable, SQLite FULL) until their findings are committed.

Receiving, filing, completion, reading the waveform, preparing the signal, every approved network and the rows, by as
many workers as there are cores; held against the bare runtime running the classifying network alone.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, text

from ai_models import ladder
from ai_models.ecg.reader import MODEL
from ai_models.registry import Registry, read_weights
from bench.result import Row
from bench.rounds import CORES, Bench, against, bare, interleaved, per_second
from telemed.adapters.queue.inline import InlineRunner
from telemed.application.receive import receive
from telemed.bootstrap import build
from telemed.demo.consortium import provision
from telemed.demo.dicom_objects import to_file
from telemed.demo.studies import packaged_study
from telemed.drill.house import actor
from telemed.settings import Settings
from telemed.web.intake import take

SENDER, PATIENCE_S = "technician", 120.0


def rows(bench: Bench) -> Iterator[Row]:
    settings = replace(Settings(demo=True), data_dir=bench.folder / "var").complete()
    application = build(settings)
    bench.stack.callback(application.close)
    world = application.world
    provision(world, quiet_seconds=0)
    manifest = Registry().get(MODEL)
    narrow = bare(read_weights(manifest), ladder.typical_inputs(manifest), 1)
    sender = actor(world, SENDER)
    today, made = datetime.now(ZoneInfo("Asia/Shanghai")).date(), 0
    count = 10 if bench.quick else 60

    def product() -> float:
        nonlocal made
        files = []
        for _ in range(count):
            made += 1
            files.append(to_file(packaged_study(today - timedelta(days=made), 1).datasets[0]))
        runner = InlineRunner(world, threads=CORES, poll=0.005)
        started = time.perf_counter()
        runner.start()
        for data in files:
            receive(world, [take(world, sender, io.BytesIO(data), "ecg.dcm").incoming])
        while _inferred(application.sql) < made:
            if time.perf_counter() - started > PATIENCE_S:
                raise SystemExit("the findings did not come")
            time.sleep(0.01)
        spent = time.perf_counter() - started
        runner.stop()
        return count / spent

    found = interleaved(
        {"bare": lambda: per_second(narrow, CORES, bench.seconds), "product": product},
        1 if bench.quick else bench.rounds,
    )
    yield against(
        "product", found["product"], {"bare network": found["bare"]}, 0.70, "ECG/s", note="aim 0.80"
    )


def _inferred(sql: Engine) -> int:
    with sql.connect() as connection:
        return int(connection.execute(text("SELECT COUNT(DISTINCT case_id) FROM analysis")).scalar_one())

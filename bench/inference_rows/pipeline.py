"""`product`: the bytes of DICOM ECGs received (durable, SQLite FULL) until their findings are committed.

Processes as `telemed serve` has them: this one receives, in batches as from eight associations at once; the worker's
own completes, reads the waveform, prepares the signals, runs every approved network, measures, commits the answers
and moves the objects to their final place. Held against the bare runtime running the same networks on the same
cores and nothing else; the classifier alone is told beside. What is done behind the findings (bytes moved to their
final place, DICOM objects made of the answers) waits for everything else, and each span begins when it is done, so
that no round pays for the one before. It is counted too: `product_with_reports` is the same spans to their very end,
in which every answer is a stored TID 1500 report as well. A second house, whose worker has the extra `openvino`, runs
the networks on their bf16 rungs where the processor can; it is told beside.
"""

from __future__ import annotations

import io
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, text

from ai_models import ladder, openvino_session
from ai_models.ecg.reader import MODEL
from ai_models.registry import Registry, read_weights
from ai_models.two_dimensional import two_dimensional
from bench import peers
from bench.result import Row
from bench.rounds import CORES, Bench, against, arrangements, bare, best_of, interleaved, per_second
from telemed.application.jobs import JobKind
from telemed.application.receive import receive
from telemed.application.world import World
from telemed.bootstrap import build
from telemed.demo.consortium import provision
from telemed.demo.dicom_objects import to_file
from telemed.demo.studies import packaged_study
from telemed.domain.access import Actor
from telemed.drill.house import actor
from telemed.group import IN_GROUP
from telemed.settings import Settings
from telemed.web.intake import take

OUR_GOAL = 0.25
SENDER, PATIENCE_S, AT_ONCE, FIRST = "technician", 300.0, 8, 4
WORKED_OFF = (JobKind.COMPLETE_STUDY, JobKind.INFER_CASE, JobKind.PLACE_OBJECT, JobKind.FILE_MADE)


def rows(bench: Bench) -> Iterator[Row]:
    with ExitStack() as stack:
        product = house(stack, bench.folder / "var")
        beside = None if bench.quick else extra()
        with_extra = house(stack, bench.folder / "extra", beside) if beside else None
        networks = dict(bare_networks())
        limits = arrangements(
            lambda threads: one_after_another(bare_networks(threads=threads)), bench.seconds
        )
        turned = list(dict(bare_networks(two_dimensional)).values())
        found = interleaved(
            {
                **limits,
                "turned": lambda: per_second(lambda: [run() for run in turned], CORES, bench.seconds),
                "classifier": lambda: per_second(networks[MODEL], CORES, bench.seconds),
                "product": lambda: product.send(10 if bench.quick else 60),
                **({"extra": lambda: with_extra.send(10 if bench.quick else 60)} if with_extra else {}),
            },
            1 if bench.quick else bench.rounds,
        )
        ran = product.rungs()
    limit = {f"{name}, {' + '.join(networks)}": found[name] for name in limits}
    ours = statistics.median(found["product"])
    alone, same = (ours / statistics.median(found[name]) for name in ("classifier", "turned"))
    note = "aim 0.80; to the committed findings, what is made of them is in the next row"
    note += f"; the engine ran {ran}; {same:.3f} of the bare runtime on the networks as the engine turns them"
    note += f", {alone:.3f} of the bare classifier alone"
    if with_extra is not None:
        bf16 = statistics.median(found["extra"]) / statistics.median(best_of(limit))
        note += f"; with the extra openvino (bf16) {bf16:.3f}"
    yield against("product", found["product"], limit, 0.70, "ECG/s", note=note)
    yield against(
        "product_with_reports", product.whole[-len(found["product"]) :], limit, OUR_GOAL, "ECG/s",
        note="a goal of our own; the same spans until bytes are placed and every answer is a stored DICOM report",
    )  # fmt: skip


def bare_networks(
    form: Callable[[bytes], bytes] = bytes, threads: int = 1
) -> Iterator[tuple[str, Callable[[], Any]]]:
    """One usual run of each network that an ECG is given to, fp32, `threads` a run; `form` changes its graph."""
    for manifest in Registry().for_modality("ECG"):
        yield manifest.name, bare(form(read_weights(manifest)), ladder.typical_inputs(manifest), threads)


def one_after_another(networks: Iterable[tuple[str, Callable[[], Any]]]) -> Callable[[], Any]:
    runs = [run for _, run in networks]
    return lambda: [run() for run in runs]


def extra() -> Path | None:
    """Where the packages of the extra `openvino` lie, if this processor and this machine can have them apart."""
    if openvino_session.shortfall() != openvino_session.ABSENT:
        return None
    try:
        return peers.beside("openvino", install=True)
    except peers.NoPeer:
        return None


def house(stack: ExitStack, folder: Path, packages: Path | None = None) -> Product:
    """A consortium with its worker, which has loaded its models; `packages` are on the worker's path beside ours."""
    settings = replace(Settings(demo=True), data_dir=folder, workers=CORES).complete()
    application = build(settings)
    stack.callback(application.close)
    provision(application.world, quiet_seconds=0)
    stack.enter_context(worker(settings, packages))
    product = Product(application.world, application.sql)
    product.send(FIRST)
    return product


@contextmanager
def worker(settings: Settings, packages: Path | None) -> Iterator[None]:
    """The worker part of `telemed serve`."""
    environment = {**os.environ, **settings.environment(), IN_GROUP: str(os.getpid())}
    if packages is not None:
        path = (str(packages), os.environ.get("PYTHONPATH", ""))
        environment["PYTHONPATH"] = os.pathsep.join(part for part in path if part)
    process = subprocess.Popen([sys.executable, "-m", "telemed.cli.part", "worker"], env=environment)
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(40)


class Product:
    """Sends recordings, each another study, and waits for their answers."""

    def __init__(self, world: World, sql: Engine) -> None:
        self._world, self._sql, self._made = world, sql, 0
        self.whole: list[float] = []
        self._sender: Actor = actor(world, SENDER)
        self._today = datetime.now(ZoneInfo("Asia/Shanghai")).date()

    def send(self, count: int) -> float:
        """Recordings a second, from the first byte to the last committed answer; `whole` gets those to the end."""
        files = []
        for _ in range(count):
            self._made += 1
            study = packaged_study(self._today - timedelta(days=self._made), 1)
            files.append(to_file(study.datasets[0]))
        started = time.perf_counter()
        for first in range(0, count, AT_ONCE):
            batch = [self._incoming(data) for data in files[first : first + AT_ONCE]]
            receive(self._world, batch)
        while self._answered() < self._made:
            if time.perf_counter() - started > PATIENCE_S:
                raise SystemExit("the findings did not come")
            time.sleep(0.01)
        spent = time.perf_counter() - started
        self.rest()
        self.whole.append(count / (time.perf_counter() - started))
        return count / spent

    def rest(self) -> None:
        """Until nothing of it is left to be done."""
        until = time.perf_counter() + PATIENCE_S
        while self._open():
            if time.perf_counter() > until:
                raise SystemExit("the worker does not come to an end")
            time.sleep(0.1)

    def rungs(self) -> str:
        """What answered last, as the stored answers name it."""
        with self._sql.connect().execution_options(write=False) as connection:
            answers = connection.execute(
                text("SELECT answer FROM analysis ORDER BY id DESC LIMIT 8")
            ).scalars()
            models = [json.loads(answer)["model"] for answer in answers]
        return ", ".join(sorted({f"{model['name']} {model['precision']}" for model in models}))

    def _incoming(self, data: bytes) -> Any:
        return take(self._world, self._sender, io.BytesIO(data), "ecg.dcm").incoming

    def _open(self) -> int:
        with self._world.unit_of_work(write=False) as uow:
            return sum(uow.jobs.open_of(kind) for kind in WORKED_OFF)

    def _answered(self) -> int:
        with self._sql.connect().execution_options(write=False) as connection:
            statement = text("SELECT COUNT(DISTINCT case_id) FROM analysis")
            return int(connection.execute(statement).scalar_one())

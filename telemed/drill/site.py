"""A temporary installation with real processes, and the hands to work and look into it."""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from pydicom import Dataset

from telemed.application.handlers import HANDLERS
from telemed.application.jobs import LEASE
from telemed.application.run_jobs import run_due
from telemed.application.seal import SETTLING, seal_events
from telemed.bootstrap import Application, build
from telemed.domain.errors import Unavailable
from telemed.domain.notice import Notice
from telemed.domain.study import Study
from telemed.drill import house
from telemed.drill.clock import ShiftedClock
from telemed.drill.sender import Sent, send
from telemed.group import ProcessGroup, free_ports
from telemed.settings import Settings

T = TypeVar("T")
_START_SECONDS = 120.0
_WAIT = 60.0


class Site:
    def __init__(self, application: Application) -> None:
        self.application = application
        self.world = application.world

    @property
    def settings(self) -> Settings:
        return self.application.settings

    @contextmanager
    def processes(self, *parts: str, settings: Settings | None = None) -> Iterator[ProcessGroup]:
        """These parts as processes of their own, ready when the block begins."""
        group = ProcessGroup(settings or self.settings, parts)
        group.start()
        try:
            if not group.wait_ready(_START_SECONDS):
                raise Unavailable("error.demo_not_ready")
            yield group
        finally:
            group.stop()

    def send(self, *datasets: Dataset, port: int | None = None, patience: float = 20.0) -> Sent:
        return send(
            port or self.settings.dicom_port,
            calling=house.DEVICE,
            called=self.settings.ae_title,
            datasets=datasets,
            patience=patience,
        )

    def study(self, dataset: Dataset) -> Study | None:
        institution_id = house.actor(self.world, house.TECHNICIAN).institution_id
        with self.world.unit_of_work(write=False) as uow:
            return uow.studies.by_instance_uid(institution_id, str(dataset.StudyInstanceUID))

    def notices(self) -> Sequence[Notice]:
        """What the township's technician is told."""
        with self.world.unit_of_work(write=False) as uow:
            return uow.notices.open_for(house.actor(self.world, house.TECHNICIAN), 200)

    def settle(self) -> None:
        """Lets all that is left happen, as it would within minutes: leases end, jobs run, events are sealed."""
        after_leases = LEASE + timedelta(seconds=1)
        while run_due(replace(self.world, clock=ShiftedClock(after_leases)), HANDLERS):
            pass
        after_all = after_leases + SETTLING + timedelta(seconds=1)
        while seal_events(replace(self.world, clock=ShiftedClock(after_all))):
            pass


@contextmanager
def site() -> Iterator[Site]:
    """Empty but for its house; gone afterwards."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="telemed-drill-"))
        http_port, dicom_port, inference_port = free_ports(3)
        settings = replace(
            Settings(),
            data_dir=Path(folder),
            http_port=http_port,
            dicom_port=dicom_port,
            inference_port=inference_port,
        ).complete()
        application = build(settings)
        stack.callback(application.close)
        house.provision(application.world)
        yield Site(application)


def wait_for(what: str, look: Callable[[], T | None], seconds: float = _WAIT) -> T:
    """Looks until there is something. Raises Unavailable, naming what did not come."""
    deadline = time.monotonic() + seconds
    while True:
        if (found := look()) is not None:
            return found
        if time.monotonic() > deadline:
            raise Unavailable("error.demo_waited", what=what, seconds=int(seconds))
        time.sleep(0.05)

"""The cast behind a running node, DCMTK's clients, and a listening side of another program."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from dicom_node.limits import Limits
from dicom_node.server import DicomNode, Door
from telemed.application.administer import create_device
from telemed.application.modality_worklist import ANY_TIME, Schedule
from telemed.application.orders import OrderRequest, place_order
from telemed.application.receive import Received, receive
from telemed.domain.access import Actor
from telemed.domain.order import Order, OrderSource, Priority
from telemed.domain.people import Device
from tests.cast import HOSPITAL_A, TOWNSHIP_A1, TOWNSHIP_A2, TOWNSHIP_B, Cast
from tests.programs import require
from tests.receiving import incoming_of

AE_TITLE = "TELEMED"
LIMITS = Limits(request_seconds=5, stalled_seconds=10, idle_seconds=30)


@dataclass
class OpenNode:
    """A running node; `device` stands in township A1, `reader` in the hospital that reads for it."""

    cast: Cast
    node: DicomNode
    device: Device
    reader: Device
    other: Device
    stranger: Device

    @property
    def port(self) -> int:
        return self.node.ports[0]

    def actor(self, username: str) -> Actor:
        world = self.cast.world
        with world.unit_of_work(write=False) as uow:
            user = uow.users.by_username(username)
        assert user is not None
        return Actor(
            user_id=user.id,
            user_uid=user.uid,
            username=user.username,
            display_name=user.display_name,
            role=user.role,
            institution_id=user.institution_id,
            consortium_id=user.consortium_id,
            license_number=user.license_number,
            language=user.language,
            authenticated_at=world.clock.now(),
        )

    def order(
        self,
        patient_id: str,
        name: str,
        *,
        by: str = "technician",
        modality: str = "ECG",
        accession: str = "",
        description: str = "常规心电图",
        priority: Priority = Priority.ROUTINE,
        sex: str = "F",
        schedule: Schedule = ANY_TIME,
    ) -> Order:
        order, _ = place_order(
            self.cast.world,
            actor=self.actor(by),
            source=OrderSource.API,
            request=OrderRequest(
                patient_id=patient_id,
                name=name,
                sex=sex,
                birth_date=date(1960, 2, 29),
                modality=modality,
                description=description,
                accession_number=accession,
                priority=priority,
                schedule=schedule,
                clinical_history="胸闷两天",
            ),
        )
        return order

    def put(self, *files: bytes, device: Device | None = None) -> list[Received]:
        """As if the device had sent them."""
        owner = device or self.device
        world = self.cast.world
        batch = [incoming_of(world, file, owner.institution_id, owner.consortium_id) for file in files]
        return receive(world, batch)

    def events(self, kind: str) -> list[dict[str, object]]:
        engine = self.cast.world.unit_of_work.engine  # type: ignore[attr-defined]
        with engine.connect() as connection:
            rows = connection.exec_driver_sql("SELECT facts FROM event WHERE kind = ? ORDER BY id", (kind,))
            return [json.loads(row[0]) for row in rows]

    def column(self, table: str, name: str) -> list[object]:
        engine = self.cast.world.unit_of_work.engine  # type: ignore[attr-defined]
        with engine.connect() as connection:
            rows = connection.exec_driver_sql(f'SELECT "{name}" FROM {table} ORDER BY id')
            return list(rows.scalars())


@pytest.fixture
def door(cast: Cast) -> Iterator[OpenNode]:
    world = cast.world
    with world.unit_of_work() as uow:
        made = {
            title: create_device(
                world, uow, cast.sites[site], ae_title=title, network="127.0.0.0/8", default_charset=charset
            )
            for title, site, charset in (
                ("A1_DR", TOWNSHIP_A1, ""),
                ("A_PACS", HOSPITAL_A, "ISO_IR 192"),
                ("A2_DR", TOWNSHIP_A2, ""),
                ("B_DR", TOWNSHIP_B, ""),
            )
        }
        uow.commit()
    node = DicomNode(world=world, ae_title=AE_TITLE, doors=[Door(host="127.0.0.1", port=0)], limits=LIMITS)
    node.start()
    yield OpenNode(cast, node, made["A1_DR"], made["A_PACS"], made["A2_DR"], made["B_DR"])
    node.stop(grace_seconds=1)


def dcmtk(program: str, *arguments: object, timeout: float = 60, check: bool = True) -> str:
    """Runs one of DCMTK's clients; its words, and how it ended."""
    done = subprocess.run(
        [require(program, package="dcmtk"), *map(str, arguments)],
        capture_output=True,
        timeout=timeout,
        check=False,
        # Without it DCMTK waits 45 ms per object for Nagle's algorithm.
        env={**os.environ, "TCP_NODELAY": "1"},
    )
    said = (done.stdout + done.stderr).decode("utf-8", "replace")
    if check:
        assert done.returncode == 0, said
    return said


def dump(path: Path) -> str:
    return dcmtk("dcmdump", "+U8", path)

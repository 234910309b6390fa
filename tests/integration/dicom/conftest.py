from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dicom_node.limits import Limits
from dicom_node.server import DicomNode, Door
from tests.receiving import Site, site


@dataclass
class OpenDoor:
    """A running DICOM node in front of a real site."""

    town: Site
    node: DicomNode

    @property
    def port(self) -> int:
        return self.node.ports[0]


LIMITS = Limits(request_seconds=5, stalled_seconds=5, idle_seconds=20)


def open_door(town: Site, limits: Limits = LIMITS) -> DicomNode:
    node = DicomNode(
        world=town.world, ae_title="TELEMED", doors=[Door(host="127.0.0.1", port=0)], limits=limits
    )
    node.start()
    return node


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as here:
        yield here


@pytest.fixture
def door(town: Site) -> Iterator[OpenDoor]:
    node = open_door(town)
    yield OpenDoor(town, node)
    node.stop(grace_seconds=1)

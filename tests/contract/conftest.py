"""Both sides of each port: the same tests run on what one machine uses and on what a city uses."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from telemed.adapters.db.engine import make_engine
from telemed.adapters.db.uow import SqlUnitOfWorkFactory
from telemed.adapters.objects.directory import DirectoryStore
from telemed.adapters.objects.s3 import S3Store
from telemed.application.ports import ObjectStore
from telemed.application.world import World
from tests.contract.cast import Cast, seed
from tests.contract.world import MovingClock, make_world

SIDES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(params=SIDES)
def engine(request: pytest.FixtureRequest, sqlite_database: Callable[[], str]) -> Iterator[Engine]:
    """An engine on a fresh database with today's tables."""
    if request.param == "sqlite":
        url = sqlite_database()
    else:
        url = request.getfixturevalue("postgres_server").database()
    made = make_engine(url)
    yield made
    made.dispose()


@pytest.fixture
def clock() -> MovingClock:
    return MovingClock()


@pytest.fixture
def world(engine: Engine, clock: MovingClock) -> World:
    return make_world(SqlUnitOfWorkFactory(engine), clock)


@pytest.fixture
def cast(world: World) -> Cast:
    return seed(world)


@pytest.fixture(params=["directory", pytest.param("s3", marks=pytest.mark.swift)])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ObjectStore]:
    if request.param == "directory":
        folder = DirectoryStore(tmp_path / "objects")
        yield folder
        folder.close()
        return
    address = request.getfixturevalue("s3_address")
    # A bucket a test: none of them sees what another left behind.
    bucket = S3Store.from_url(f"{address}/objects-{tmp_path.name.replace('_', '-').lower()}?secure=0")
    yield bucket
    bucket.close()

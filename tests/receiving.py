"""A world for tests of the receiving side: real database, real spool and store, a clock that stands still."""

from __future__ import annotations

import hashlib
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from telemed.adapters.db.engine import make_engine
from telemed.adapters.db.uow import SqlUnitOfWorkFactory
from telemed.adapters.db.upgrade import upgrade
from telemed.adapters.objects.directory import DirectoryStore
from telemed.adapters.objects.disk import Disk, RealDisk
from telemed.adapters.objects.spool import DiskSpool
from telemed.application.receive import Incoming
from telemed.application.world import World
from telemed.domain.people import Device, Institution, InstitutionKind
from telemed.imaging.header import dataset_offset, read_header
from telemed.imaging.own_head import part10_prefix

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine

NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)


@dataclass
class StandingClock:
    instant: datetime = NOON

    def now(self) -> datetime:
        return self.instant


class RandomIdentifiers:
    def uid(self) -> str:
        return str(uuid.uuid4())

    def token(self) -> str:
        return uuid.uuid4().hex


class PlainNames:
    def pinyin(self, name: str) -> str:
        return name.lower()

    def initials(self, name: str) -> str:
        return name[:1].lower()

    def alphabetic(self, name: str) -> str:
        return name.replace(" ", "^")

    def latin(self, text: str) -> str:
        return text


class CountingWaker:
    def __init__(self) -> None:
        self.woken = 0

    def wake(self) -> None:
        self.woken += 1


class NotHere:
    """A part of the world that receiving has no business with: touching it fails."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"receiving asked for {name}")


@dataclass
class Site:
    """A consortium with two township centres; the first has a device that may send."""

    world: World
    root: Path
    engine: Engine
    clock: StandingClock
    waker: CountingWaker
    consortium_id: int = 0
    institution_id: int = 0
    other_institution_id: int = 0
    device_id: int = 0

    def incoming(self, file: bytes, **changes: Any) -> Incoming:
        """The bytes of a file as a finished part, with its header read."""
        return replace(incoming_of(self.world, file, self.institution_id, self.consortium_id), **changes)

    def spool_files(self) -> list[str]:
        """Everything in the spool that is no lock."""
        paths = (self.root / "spool").rglob("*")
        return sorted(p.name for p in paths if p.is_file() and p.suffix != ".lock")

    def half_written(self) -> list[str]:
        return sorted(p.name for p in (self.root / "spool" / "incoming").iterdir() if p.suffix != ".lock")

    def count(self, table: str) -> int:
        with self.engine.connect() as connection:
            return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())

    def column(self, table: str, name: str) -> list[Any]:
        with self.engine.connect() as connection:
            rows = connection.exec_driver_sql(f'SELECT "{name}" FROM {table} ORDER BY id')
            return list(rows.scalars())


def incoming_of(world: World, file: bytes, institution_id: int, consortium_id: int) -> Incoming:
    header = read_header(file)
    offset = dataset_offset(file)
    part = world.spool.open_part()
    part.write_meta(file[:offset])
    part.write(file[offset:])
    part.finish()
    return Incoming(
        part=part,
        transfer_syntax_uid=header.transfer_syntax_uid,
        header=header,
        institution_id=institution_id,
        consortium_id=consortium_id,
    )


def sent(world: World, item: Incoming) -> Incoming:
    """The same object as the DICOM door brings it: behind the door's own head."""
    part, file, header = world.spool.open_part(), item.part.content(), item.header
    item.part.discard()
    syntax = header.transfer_syntax_uid
    part.write_meta(part10_prefix(header.sop_class_uid, header.sop_instance_uid, syntax), of_the_object=True)
    part.write(file[dataset_offset(file) :])
    part.finish()
    return replace(item, part=part)


def dataset_digest(file: bytes) -> str:
    return hashlib.sha256(file[dataset_offset(file) :]).hexdigest()


@contextmanager
def site(
    root: Path, disk: Disk | None = None, *, ae_title: str = "TOWN_DR", low_water: int = 0
) -> Iterator[Site]:
    engine = make_engine(f"sqlite:///{root}/telemed.db")
    upgrade(engine)
    disk = disk or RealDisk()
    spool = DiskSpool(root / "spool", disk, low_water=low_water)
    store = DirectoryStore(root / "objects", RealDisk())
    clock, waker = StandingClock(), CountingWaker()
    nothing = cast("Any", NotHere())
    world = World(
        unit_of_work=SqlUnitOfWorkFactory(engine),
        clock=clock,
        identifiers=RandomIdentifiers(),
        spool=spool,
        objects=store,
        analyser=nothing,
        renderer=nothing,
        passwords=nothing,
        names=PlainNames(),
        waker=waker,
        secret_key=b"test",
    )
    here = Site(world=world, root=root, engine=engine, clock=clock, waker=waker)
    _populate(here, ae_title)
    try:
        yield here
    finally:
        spool.close()
        store.close()
        engine.dispose()


def _populate(here: Site, ae_title: str) -> None:
    with here.world.unit_of_work() as uow:
        consortium = _institution(InstitutionKind.CONSORTIUM, "C")
        uow.institutions.add(consortium)
        uow.flush()
        towns = [_institution(InstitutionKind.TOWNSHIP, code, consortium.id) for code in ("T1", "T2")]
        for town in towns:
            uow.institutions.add(town)
        uow.flush()
        device = Device(
            uid=str(uuid.uuid4()),
            institution_id=towns[0].id,
            consortium_id=consortium.id,
            ae_title=ae_title,
            network="127.0.0.0/8",
        )
        uow.devices.add(device)
        uow.flush()
        here.consortium_id, here.device_id = consortium.id, device.id
        here.institution_id, here.other_institution_id = towns[0].id, towns[1].id
        uow.commit()


def _institution(kind: InstitutionKind, code: str, parent: int | None = None) -> Institution:
    return Institution(
        uid=str(uuid.uuid4()),
        kind=kind,
        code=code,
        name=f"虚构机构{code}",
        parent_id=parent,
        consortium_id=parent,
    )

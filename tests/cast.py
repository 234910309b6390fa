"""The fixed cast: fictional institutions, staff and residents in a real world on a temporary disk.

Two consortia. 甲 (A) has a county hospital that reads and two township centres that examine; 乙 (B) is a stranger
with one of each. Real: the tables, the spool, the store, the PDF. In place of a network there is an analyser that
answers what the test wants; passwords are hashed cheaply; the clock moves when it is told to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import pytest
from argon2 import PasswordHasher

from telemed.adapters.db.engine import make_engine
from telemed.adapters.db.uow import SqlUnitOfWorkFactory
from telemed.adapters.dimse_scu import DimsePeers
from telemed.adapters.identity.here import Argon2Passwords, PinyinReadings, RandomIdentifiers
from telemed.adapters.objects.copies import FolderCopies
from telemed.adapters.objects.directory import DirectoryStore
from telemed.adapters.objects.spool import DiskSpool
from telemed.adapters.pdf import TypstPdf
from telemed.adapters.queue.silent import SilentWaker
from telemed.application.administer import NewUser, create_device, create_user
from telemed.application.handlers import HANDLERS
from telemed.application.install import add_institution
from telemed.application.ports import UnitOfWork
from telemed.application.residents import register_resident
from telemed.application.run_jobs import run_due
from telemed.application.world import World
from telemed.domain.analysis import Analysis, Finding, ModelIdentity
from telemed.domain.inference import ModelApproval, Urgency
from telemed.domain.order import Priority
from telemed.domain.people import Institution, InstitutionKind, Role, User
from telemed.domain.resident import Contract, Resident
from telemed.domain.routing import Duty, ReadingGroup, RoutingRule
from telemed.domain.triage import TriageRule
from telemed.imaging.waveform import Waveform
from telemed.settings import Settings

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
PASSWORD = "fictional-2026"
QUIET_SECONDS = 30
SIGNING_MINUTES = 15
# A signature holds at once, so that a test says only what it is about; those of the hold set their own.
HOLD_SECONDS = 0


@dataclass
class MovableClock:
    instant: datetime = NOW

    def now(self) -> datetime:
        return self.instant

    def move(self, **by: float) -> None:
        self.instant += timedelta(**by)


# --- the machine in the cast -------------------------------------------------------------------------------


class Model(Protocol):
    """What of a model an administrator approves."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def sha256(self) -> str: ...


@dataclass(frozen=True)
class FakeModel:
    name: str = "fictional-ecg"
    version: str = "1.0"
    sha256: str = "ab" * 32
    task: str = "ecg"

    def card(self, language: str) -> str:
        return "# 虚构模型\n\n仅供测试。" if language == "zh-CN" else "# A fictional model\n\nFor tests only."


@dataclass
class FakeAnalyser:
    """Flags what `flags` names. Listening is not its trade: every recording gets the same answer."""

    flags: tuple[str, ...] = ()
    fault: Exception | None = None
    model: FakeModel = field(default_factory=FakeModel)
    asked: list[tuple[str, str | None, Urgency]] = field(default_factory=list)

    def models_for(self, modality: str) -> Sequence[FakeModel]:
        return [self.model] if modality == "ECG" else []

    def _identity(self) -> ModelIdentity:
        return ModelIdentity(
            self.model.name, self.model.version, self.model.sha256, "none/1", "fp32", "none", "none", "none"
        )

    def analyse(
        self,
        model: str,
        waveform: Waveform,
        *,
        version: str | None = None,
        urgency: Urgency = Urgency.ROUTINE,
    ) -> Analysis:
        self.asked.append((model, version, urgency))
        if self.fault is not None:
            raise self.fault
        names = ("NORM", "MI", "STTC", "CD", "HYP", "AFIB")
        found = tuple(Finding(n, 0.9 if n in self.flags else 0.1, 0.5, n in self.flags) for n in names)
        return Analysis(self._identity(), True, findings=found)

    def refuse(
        self, model: str, reason: str, params: dict[str, str | int], *, version: str | None = None
    ) -> Analysis:
        return Analysis(self._identity(), False, reason, params)

    def check(self) -> None:
        if self.fault is not None:
            raise self.fault

    def metrics(self) -> bytes:
        return b""


# --- people ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """A person of the cast. The username says the role and the institution."""

    username: str
    name: str
    role: Role
    site: str
    licensed: bool = False
    language: str = "zh-CN"


HOSPITAL_A, TOWNSHIP_A1, TOWNSHIP_A2 = "a-hospital", "a-township-1", "a-township-2"
HOSPITAL_B, TOWNSHIP_B = "b-hospital", "b-township"

SITES: dict[str, tuple[str, InstitutionKind, str, str]] = {
    HOSPITAL_A: ("a", InstitutionKind.HOSPITAL, "虚构县医院（甲）", "Fictional County Hospital (A)"),
    TOWNSHIP_A1: ("a", InstitutionKind.TOWNSHIP, "虚构一镇卫生院（甲）", "Fictional Township One (A)"),
    TOWNSHIP_A2: ("a", InstitutionKind.TOWNSHIP, "虚构二镇卫生院（甲）", "Fictional Township Two (A)"),
    HOSPITAL_B: ("b", InstitutionKind.HOSPITAL, "虚构县医院（乙）", "Fictional County Hospital (B)"),
    TOWNSHIP_B: ("b", InstitutionKind.TOWNSHIP, "虚构镇卫生院（乙）", "Fictional Township (B)"),
}

PARTS = (
    Part("technician", "虚构技师", Role.TECHNICIAN, TOWNSHIP_A1),
    Part("system", "虚构系统", Role.SYSTEM, TOWNSHIP_A1),
    Part("family", "虚构家医", Role.FAMILY_DOCTOR, TOWNSHIP_A1, licensed=True),
    Part("reporting", "虚构报告医师", Role.REPORTING_DOCTOR, HOSPITAL_A, licensed=True),
    Part("colleague", "虚构同事", Role.REPORTING_DOCTOR, HOSPITAL_A, licensed=True),
    Part("trainee", "虚构进修医师", Role.REPORTING_DOCTOR, HOSPITAL_A),
    Part("reviewing", "虚构审核医师", Role.REVIEWING_DOCTOR, HOSPITAL_A, licensed=True),
    Part("admin", "虚构管理员", Role.ADMINISTRATOR, HOSPITAL_A),
    Part("technician-2", "虚构技师二", Role.TECHNICIAN, TOWNSHIP_A2),
    Part("system-2", "虚构系统二", Role.SYSTEM, TOWNSHIP_A2),
    Part("family-2", "虚构家医二", Role.FAMILY_DOCTOR, TOWNSHIP_A2, licensed=True),
    Part("technician-b", "虚构技师乙", Role.TECHNICIAN, TOWNSHIP_B),
    Part("system-b", "虚构系统乙", Role.SYSTEM, TOWNSHIP_B),
    Part("family-b", "虚构家医乙", Role.FAMILY_DOCTOR, TOWNSHIP_B, licensed=True),
    Part("reporting-b", "虚构报告医师乙", Role.REPORTING_DOCTOR, HOSPITAL_B, licensed=True),
    Part("reviewing-b", "虚构审核医师乙", Role.REVIEWING_DOCTOR, HOSPITAL_B, licensed=True),
    Part("admin-b", "虚构管理员乙", Role.ADMINISTRATOR, HOSPITAL_B),
)

# Whose data they must never see: every role, of institutions that have nothing to do with township A1.
STRANGERS = (
    "technician-2",
    "system-2",
    "family-2",
    "technician-b",
    "system-b",
    "family-b",
    "reporting-b",
    "reviewing-b",
    "admin-b",
)


def card_number(birth: str, serial: str) -> str:
    """A right check digit (GB 11643) and the region 999999, which no place has."""
    body = f"999999{birth}{serial}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 11]


# With a contract today; without one; with one that ended yesterday.
CONTRACTED, UNCONTRACTED, FORMER = (
    card_number("19600229", "002"),
    card_number("19510704", "001"),
    card_number("19600229", "004"),
)


@dataclass
class Cast:
    """The world, its people by username, its institutions by code."""

    root: Path
    world: World
    clock: MovableClock
    analyser: FakeAnalyser
    settings: Settings
    people: dict[str, User]
    sites: dict[str, Institution]
    residents: dict[str, Resident]

    def run_jobs(self) -> int:
        """Everything that is due, until nothing is."""
        total = 0
        while done := run_due(self.world, HANDLERS, limit=20):
            total += done
        return total


@cache
def _renderer() -> TypstPdf:
    return TypstPdf()


def open_world(root: Path, url: str, clock: Any, analyser: Any) -> World:
    """Another process opens the same world with the same arguments."""
    return World(
        unit_of_work=SqlUnitOfWorkFactory(make_engine(url)),
        clock=clock,
        identifiers=RandomIdentifiers(),
        spool=DiskSpool(root / "spool", low_water=1 << 20),
        objects=DirectoryStore(root / "objects"),
        analyser=analyser,
        renderer=_renderer(),
        passwords=Argon2Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)),
        names=PinyinReadings(),
        waker=SilentWaker(),
        secret_key=b"fictional-key-of-the-cast-0123456789",
        public_url="http://testserver",
        copies=FolderCopies(root / "copies", most=64 << 20),
        peers=DimsePeers("TELEMED", connect_seconds=5, answer_seconds=20),
    )


def assemble(root: Path, url: str) -> Cast:
    clock, analyser = MovableClock(), FakeAnalyser()
    world = open_world(root, url, clock, analyser)
    settings = replace(Settings(), data_dir=root, database_url=url, public_url="http://testserver").complete()
    with world.unit_of_work() as uow:
        sites = _sites(world, uow)
        people = {part.username: _person(world, uow, sites[part.site], part) for part in PARTS}
        _rules(world, uow, sites, people, "a", HOSPITAL_A)
        _rules(world, uow, sites, people, "b", HOSPITAL_B)
        residents = _residents(world, uow, sites, people)
        create_device(world, uow, sites[TOWNSHIP_A1], ae_title="A1_ECG", network="127.0.0.0/8")
        for code in (TOWNSHIP_A1, TOWNSHIP_A2, TOWNSHIP_B):
            approve_model(world, uow, sites[code], people["admin"], analyser.model)
        uow.commit()
    return Cast(root, world, clock, analyser, settings, people, sites, residents)


def _sites(world: World, uow: UnitOfWork) -> dict[str, Institution]:
    roots = {
        letter: add_institution(
            world,
            uow,
            kind=InstitutionKind.CONSORTIUM,
            code=letter,
            name=f"虚构医共体（{name}）",
            name_en=f"Fictional Consortium ({letter.upper()})",
        )
        for letter, name in (("a", "甲"), ("b", "乙"))
    }
    return {
        code: add_institution(
            world,
            uow,
            kind=kind,
            code=code,
            name=name,
            name_en=english,
            parent=roots[letter],
            quiet_seconds=QUIET_SECONDS,
            hold_seconds=HOLD_SECONDS,
        )
        for code, (letter, kind, name, english) in SITES.items()
    }


def _person(world: World, uow: UnitOfWork, site: Institution, part: Part) -> User:
    new = NewUser(
        username=part.username,
        display_name=part.name,
        role=part.role,
        password=PASSWORD,
        license_number=f"FICTION-{part.username}" if part.licensed else "",
        language=part.language,
    )
    return create_user(world, uow, site, new)


def _rules(
    world: World,
    uow: UnitOfWork,
    sites: dict[str, Institution],
    people: dict[str, User],
    letter: str,
    hospital: str,
) -> None:
    site = sites[hospital]
    assert site.consortium_id is not None
    group = ReadingGroup(
        uid=world.identifiers.uid(),
        institution_id=site.id,
        consortium_id=site.consortium_id,
        code=f"{letter}-reading",
        name="虚构诊断中心",
    )
    uow.rules.add(group)
    uow.flush()
    reader = people["reporting" if letter == "a" else "reporting-b"]
    uow.rules.add(
        Duty(
            reading_group_id=group.id,
            user_id=reader.id,
            starts_at=world.clock.now() - timedelta(days=1),
            ends_at=None,
        )
    )
    uow.rules.add(
        RoutingRule(
            uid=world.identifiers.uid(),
            consortium_id=site.consortium_id,
            rank=1,
            reading_group_id=group.id,
            limit_minutes=30,
        )
    )
    uow.rules.add(
        TriageRule(
            uid=world.identifiers.uid(),
            consortium_id=site.consortium_id,
            modality="ECG",
            finding="AFIB",
            priority=Priority.URGENT,
        )
    )


def _residents(
    world: World, uow: UnitOfWork, sites: dict[str, Institution], people: dict[str, User]
) -> dict[str, Resident]:
    town, doctor = sites[TOWNSHIP_A1], people["family"]
    assert town.consortium_id is not None
    found = {}
    cards = ((CONTRACTED, "测试甲", "F"), (UNCONTRACTED, "虚构乙", "M"), (FORMER, "测试丙", "F"))
    for number, name, sex in cards:
        found[number] = register_resident(
            world, uow, consortium_id=town.consortium_id, number=number, name=name, sex=sex, birth_date=None
        )
    for number, until in ((CONTRACTED, None), (FORMER, date(2026, 11, 20))):
        uow.residents.add_contract(
            Contract(
                uid=world.identifiers.uid(),
                resident_id=found[number].id,
                family_doctor_id=doctor.id,
                institution_id=town.id,
                consortium_id=town.consortium_id,
                valid_from=date(2026, 1, 1),
                valid_to=until,
            )
        )
    return found


def approve_model(world: World, uow: UnitOfWork, site: Institution, admin: User, model: Model) -> None:
    assert site.consortium_id is not None
    uow.analyses.add_approval(
        ModelApproval(
            uid=world.identifiers.uid(),
            institution_id=site.id,
            consortium_id=site.consortium_id,
            model_name=model.name,
            model_version=model.version,
            model_sha256=model.sha256,
            approved_by=admin.id,
            approved_at=world.clock.now(),
        )
    )


@pytest.fixture
def cast(tmp_path: Path, sqlite_database: Callable[[], str]) -> Iterator[Cast]:
    made = assemble(tmp_path, sqlite_database())
    yield made
    made.world.spool.close()  # type: ignore[attr-defined]
    made.world.objects.close()  # type: ignore[attr-defined]
    made.world.unit_of_work.engine.dispose()  # type: ignore[attr-defined]

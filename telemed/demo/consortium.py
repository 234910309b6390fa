"""A fictional consortium: three institutions, every role, residents with and without a family doctor's contract.

Every name here is invented and says so (示例 example, 测试 test, 模拟 simulated); the card numbers carry a region
code that does not exist.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from telemed.application.administer import NewUser, all_models, create_device, create_user
from telemed.application.install import add_institution
from telemed.application.ports import UnitOfWork
from telemed.application.proposals import PROPOSED
from telemed.application.residents import register_resident
from telemed.application.usual_critical_values import seed_critical_values
from telemed.application.world import World
from telemed.demo.report_texts import seed_report_texts
from telemed.domain.inference import ModelApproval
from telemed.domain.order import Priority
from telemed.domain.people import Institution, InstitutionKind, Role, User
from telemed.domain.resident import Contract
from telemed.domain.routing import Duty, ReadingGroup, RoutingRule
from telemed.domain.triage import TriageRule

PASSWORD = "demo-2026-only"  # noqa: S105 - printed by the demo, refused nowhere else because nothing else uses it
TOWNSHIP, COMMUNITY, HOSPITAL = "demo-township", "demo-community", "demo-hospital"


@dataclass(frozen=True)
class Person:
    username: str
    name: str
    role: Role
    site: str
    license_number: str = ""
    language: str = "zh-CN"


PEOPLE = (
    Person("technician", "示例技师甲", Role.TECHNICIAN, TOWNSHIP),
    Person("technician2", "示例技师乙", Role.TECHNICIAN, COMMUNITY),
    Person("reporting", "示例报告医师", Role.REPORTING_DOCTOR, HOSPITAL, "DEMO-LICENCE-001"),
    Person("reviewing", "示例审核医师", Role.REVIEWING_DOCTOR, HOSPITAL, "DEMO-LICENCE-002"),
    Person("family", "示例家庭医生", Role.FAMILY_DOCTOR, TOWNSHIP, "DEMO-LICENCE-003"),
    Person("admin", "示例管理员", Role.ADMINISTRATOR, HOSPITAL),
)


@dataclass(frozen=True)
class DemoResident:
    """`patient_id` is what the institution's own objects carry."""

    patient_id: str
    name: str
    sex: str
    card_number: str
    contract: bool

    @property
    def birth_date(self) -> date:
        digits = self.card_number[6:14]
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))


def card_number(birth: str, serial: str) -> str:
    """A number with a right check digit (GB 11643) and the region 999999, which no place has."""
    body = f"999999{birth}{serial}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 11]


def provision(world: World, *, quiet_seconds: int = 3, hold_seconds: int = 10) -> bool:
    """Makes the consortium once; False where it is there already."""
    with world.unit_of_work() as uow:
        if uow.institutions.by_code("demo") is not None:
            return False
        sites = _sites(world, uow, quiet_seconds, hold_seconds)
        people = {person.username: _person(world, uow, sites, person) for person in PEOPLE}
        _rules(world, uow, sites, people)
        _devices(world, uow, sites)
        _approve_models(world, uow, sites, people["admin"])
        hospital = sites[HOSPITAL]
        seed_report_texts(world, uow, consortium_id=hospital.consortium_id or hospital.id)
        seed_critical_values(
            world,
            uow,
            consortium_id=hospital.consortium_id or hospital.id,
            hospital_id=hospital.id,
            city_duty_id=people["reviewing"].id,
        )
        uow.commit()
    return True


def _sites(world: World, uow: UnitOfWork, quiet_seconds: int, hold_seconds: int) -> dict[str, Institution]:
    root = add_institution(
        world,
        uow,
        kind=InstitutionKind.CONSORTIUM,
        code="demo",
        name="示例县医共体(演示)",
        name_en="Example County Consortium (demo)",
    )
    kinds = {
        HOSPITAL: (InstitutionKind.HOSPITAL, "示例县人民医院(演示)", "Example County Hospital (demo)"),
        TOWNSHIP: (InstitutionKind.TOWNSHIP, "样板镇卫生院(演示)", "Model Township Health Centre (demo)"),
        COMMUNITY: (
            InstitutionKind.COMMUNITY,
            "模拟社区卫生服务中心(演示)",
            "Simulated Community Centre (demo)",
        ),
    }
    return {
        code: add_institution(
            world,
            uow,
            kind=kind,
            code=code,
            name=name,
            name_en=english,
            parent=root,
            quiet_seconds=quiet_seconds,
            hold_seconds=hold_seconds,
        )
        for code, (kind, name, english) in kinds.items()
    }


def _person(world: World, uow: UnitOfWork, sites: dict[str, Institution], person: Person) -> User:
    return create_user(
        world,
        uow,
        sites[person.site],
        NewUser(
            username=person.username,
            display_name=person.name,
            role=person.role,
            password=PASSWORD,
            license_number=person.license_number,
            language=person.language,
        ),
    )


def _rules(world: World, uow: UnitOfWork, sites: dict[str, Institution], people: dict[str, User]) -> None:
    hospital = sites[HOSPITAL]
    consortium_id = hospital.consortium_id or hospital.id
    groups = {}
    for code, name in (("ecg", "心电诊断中心"), ("imaging", "影像诊断中心")):
        group = ReadingGroup(
            uid=world.identifiers.uid(),
            institution_id=hospital.id,
            consortium_id=consortium_id,
            code=code,
            name=name,
        )
        uow.rules.add(group)
        uow.flush()
        groups[code] = group
        for username in ("reporting", "reviewing"):
            since = world.clock.now() - timedelta(days=1)
            uow.rules.add(
                Duty(reading_group_id=group.id, user_id=people[username].id, starts_at=since, ends_at=None)
            )
    # Emergency 30 min, ECG 30 min, plain films 2 h: the limits of one centre, here as everywhere rows.
    for rank, (group_code, modality, priority, minutes) in enumerate(
        (("imaging", "DX", Priority.STAT, 30), ("ecg", "ECG", None, 30), ("imaging", "", None, 120)), start=1
    ):
        uow.rules.add(
            RoutingRule(
                uid=world.identifiers.uid(),
                consortium_id=consortium_id,
                rank=rank,
                reading_group_id=groups[group_code].id,
                modality=modality,
                priority=priority,
                limit_minutes=minutes,
            )
        )
    for finding, priority in (
        ("AFIB", Priority.URGENT),
        ("MI", Priority.URGENT),
        (PROPOSED, Priority.STAT),
    ):
        uow.rules.add(
            TriageRule(
                uid=world.identifiers.uid(),
                consortium_id=consortium_id,
                modality="ECG",
                finding=finding,
                priority=priority,
            )
        )


def _devices(world: World, uow: UnitOfWork, sites: dict[str, Institution]) -> None:
    for site, titles in ((TOWNSHIP, ("DEMO_ECG", "DEMO_DR", "STORESCU")), (COMMUNITY, ("DEMO_ECG2",))):
        for title in titles:
            create_device(world, uow, sites[site], ae_title=title, network="127.0.0.0/8", description="demo")


def _approve_models(world: World, uow: UnitOfWork, sites: dict[str, Institution], admin: User) -> None:
    """The demo's administrator has read the cards; a real site starts without AI."""
    for site in sites.values():
        for model in all_models(world):
            uow.analyses.add_approval(
                ModelApproval(
                    uid=world.identifiers.uid(),
                    institution_id=site.id,
                    consortium_id=site.consortium_id or site.id,
                    model_name=model.name,
                    model_version=model.version,
                    model_sha256=model.sha256,
                    approved_by=admin.id,
                    approved_at=world.clock.now(),
                )
            )


def add_resident(world: World, person: DemoResident) -> None:
    """The person of a card number, and the family doctor's contract where there is one."""
    with world.unit_of_work() as uow:
        site = uow.institutions.by_code(TOWNSHIP)
        doctor = uow.users.by_username("family")
        if site is None or doctor is None or site.consortium_id is None:
            return
        resident = register_resident(
            world,
            uow,
            consortium_id=site.consortium_id,
            number=person.card_number,
            name=person.name,
            sex=person.sex,
            birth_date=person.birth_date,
        )
        if person.contract and not uow.residents.contracts(resident.id):
            uow.residents.add_contract(
                Contract(
                    uid=world.identifiers.uid(),
                    resident_id=resident.id,
                    family_doctor_id=doctor.id,
                    institution_id=doctor.institution_id,
                    consortium_id=site.consortium_id,
                    valid_from=(world.clock.now() - timedelta(days=30)).date(),
                    valid_to=None,
                )
            )
        uow.commit()

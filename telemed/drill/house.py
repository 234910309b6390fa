"""Who lives in a drill's installation: one township centre, one hospital, and the people of the way."""

from datetime import date, timedelta

from telemed.application.administer import NewUser, all_models, create_device, create_user
from telemed.application.install import add_institution
from telemed.application.ports import UnitOfWork
from telemed.application.residents import register_resident
from telemed.application.world import World
from telemed.domain.access import Actor
from telemed.domain.inference import ModelApproval
from telemed.domain.people import Institution, InstitutionKind, Role, User
from telemed.domain.resident import Contract
from telemed.domain.routing import Duty, ReadingGroup, RoutingRule

TOWNSHIP, HOSPITAL, DEVICE = "drill-township", "drill-hospital", "DRILL_ECG"
PASSWORD = "drill-2026-only"  # noqa: S105 - of a house that is torn down when the drill is over
TECHNICIAN, REPORTING, REVIEWING, FAMILY, ADMIN = "technician", "reporting", "reviewing", "family", "admin"
# Region 999999 is no place; the check digit is right.
CARD_NUMBER = "999999197001310028"
_ROLES = {
    TECHNICIAN: (Role.TECHNICIAN, TOWNSHIP, ""),
    REPORTING: (Role.REPORTING_DOCTOR, HOSPITAL, "DRILL-1"),
    REVIEWING: (Role.REVIEWING_DOCTOR, HOSPITAL, "DRILL-2"),
    FAMILY: (Role.FAMILY_DOCTOR, TOWNSHIP, "DRILL-3"),
    ADMIN: (Role.ADMINISTRATOR, HOSPITAL, ""),
}


def provision(world: World, *, quiet_seconds: int = 1) -> None:
    """Two signatures, one reading group, one resident with a family doctor's contract, every model approved."""
    with world.unit_of_work() as uow:
        root = add_institution(world, uow, kind=InstitutionKind.CONSORTIUM, code="drill", name="演练医共体")
        sites = {
            code: add_institution(
                world,
                uow,
                kind=kind,
                code=code,
                name=name,
                parent=root,
                quiet_seconds=quiet_seconds,
                # A walk goes on without waiting; that a held signature outlives its workers has a test of its own.
                hold_seconds=0,
            )
            for code, kind, name in (
                (TOWNSHIP, InstitutionKind.TOWNSHIP, "演练镇卫生院"),
                (HOSPITAL, InstitutionKind.HOSPITAL, "演练县医院"),
            )
        }
        people = {name: _person(world, uow, name, sites) for name in _ROLES}
        _reading(world, uow, sites[HOSPITAL], people)
        _contract(world, uow, people[FAMILY])
        create_device(world, uow, sites[TOWNSHIP], ae_title=DEVICE, network="127.0.0.0/8")
        _approve(world, uow, sites[TOWNSHIP], people[ADMIN])
        uow.commit()


def actor(world: World, username: str) -> Actor:
    """Somebody who has just signed in."""
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


def _person(world: World, uow: UnitOfWork, name: str, sites: dict[str, Institution]) -> User:
    role, site, license_number = _ROLES[name]
    new = NewUser(
        username=name, display_name=f"演练{name}", role=role, password=PASSWORD, license_number=license_number
    )
    return create_user(world, uow, sites[site], new)


def _reading(world: World, uow: UnitOfWork, hospital: Institution, people: dict[str, User]) -> None:
    consortium_id = hospital.consortium_id or hospital.id
    group = ReadingGroup(
        uid=world.identifiers.uid(),
        institution_id=hospital.id,
        consortium_id=consortium_id,
        code="all",
        name="演练诊断中心",
    )
    uow.rules.add(group)
    uow.flush()
    uow.rules.add(
        RoutingRule(
            uid=world.identifiers.uid(),
            consortium_id=consortium_id,
            rank=1,
            reading_group_id=group.id,
            limit_minutes=30,
        )
    )
    uow.rules.add(
        Duty(
            reading_group_id=group.id,
            user_id=people[REPORTING].id,
            starts_at=world.clock.now() - timedelta(days=1),
            ends_at=None,
        )
    )


def _contract(world: World, uow: UnitOfWork, doctor: User) -> None:
    resident = register_resident(
        world,
        uow,
        consortium_id=doctor.consortium_id,
        number=CARD_NUMBER,
        name="演练",
        sex="F",
        birth_date=date(1970, 1, 31),
    )
    uow.residents.add_contract(
        Contract(
            uid=world.identifiers.uid(),
            resident_id=resident.id,
            family_doctor_id=doctor.id,
            institution_id=doctor.institution_id,
            consortium_id=doctor.consortium_id,
            valid_from=world.clock.now().date() - timedelta(days=30),
            valid_to=None,
        )
    )


def _approve(world: World, uow: UnitOfWork, site: Institution, admin: User) -> None:
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

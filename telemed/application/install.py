"""What an empty database needs before anybody can sign in."""

from telemed.application.administer import NewUser, create_user
from telemed.application.ports import UnitOfWork
from telemed.application.record import record
from telemed.application.usual_critical_values import begin_critical_values
from telemed.application.world import World
from telemed.domain.errors import Conflict, InvalidInput, NotFound
from telemed.domain.events import Kind
from telemed.domain.people import Institution, InstitutionKind, Role

ROOT = "root"


def add_institution(
    world: World,
    uow: UnitOfWork,
    *,
    kind: InstitutionKind,
    code: str,
    name: str,
    name_en: str = "",
    parent: Institution | None = None,
    time_zone: str = "Asia/Shanghai",
    quiet_seconds: int = 30,
    second_signature: bool = True,
    hold_seconds: int = 10,
) -> Institution:
    """A consortium is the root of its own rows; everything below belongs to it."""
    if not code.strip() or not name.strip():
        raise InvalidInput("error.field_required", field="code" if not code.strip() else "name")
    if uow.institutions.by_code(code) is not None:
        raise Conflict("error.institution_code_taken", institution=code)
    institution = Institution(
        uid=world.identifiers.uid(),
        kind=kind,
        code=code,
        name=name,
        name_en=name_en,
        parent_id=parent.id if parent else None,
        consortium_id=parent.consortium_id if parent else None,
        time_zone=time_zone,
        quiet_seconds=quiet_seconds,
        second_signature=second_signature,
        hold_seconds=hold_seconds,
    )
    uow.institutions.add(institution)
    uow.flush()
    if institution.consortium_id is None:
        institution.consortium_id = institution.id
    record(
        world,
        uow,
        Kind.SITE_CHANGED,
        institution_id=institution.id,
        consortium_id=institution.consortium_id,
        what="institution",
    )
    return institution


def ensure_administrator(world: World, *, password: str, language: str) -> bool:
    """On an empty database: a consortium and its user `admin`. True if it was made now."""
    with world.unit_of_work() as uow:
        if uow.users.any():
            return False
        root = uow.institutions.by_code(ROOT)
        if root is None:
            root = add_institution(world, uow, kind=InstitutionKind.CONSORTIUM, code=ROOT, name="Telemed")
            begin_critical_values(world, uow, root)
        create_user(
            world,
            uow,
            root,
            NewUser(
                username="admin",
                display_name="admin",
                role=Role.ADMINISTRATOR,
                password=password,
                language=language,
            ),
        )
        uow.commit()
    return True


def institution_by_code(uow: UnitOfWork, code: str) -> Institution:
    found = uow.institutions.by_code(code)
    if found is None:
        raise NotFound("error.institution_not_found")
    return found

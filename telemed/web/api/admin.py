"""People, machines and institutions of the administrator's consortium."""

from typing import Annotated

from fastapi import APIRouter, Path

from telemed.application import administer, lock_out
from telemed.application import devices as machines
from telemed.application.run_again import run_again
from telemed.application.sites import MachineRules, NewSite, add_site, set_machine_rules
from telemed.application.world import World
from telemed.domain.access import Action, Actor
from telemed.domain.people import Device, Institution, User
from telemed.web.api.shapes import (
    ActiveIn,
    AdminUserIn,
    AdminUserOut,
    DeviceChange,
    DeviceFieldsIn,
    DeviceIn,
    DeviceOut,
    InstitutionIn,
    InstitutionOut,
    InstitutionRef,
    MachineRulesIn,
    MadeObjectsIn,
    PasswordIn,
)
from telemed.web.context import TheWorld
from telemed.web.guard import guard
from telemed.web.security import CurrentActor

router = APIRouter(prefix="/admin", tags=["administration"])

Sites = dict[int, Institution]
Uid = Annotated[str, Path(max_length=64)]


def sites_of(world: World, actor: Actor) -> Sites:
    return {site.id: site for site in administer.institutions(world, actor=actor)}


def institution_ref(sites: Sites, institution_id: int) -> InstitutionRef:
    site = sites[institution_id]
    return InstitutionRef(id=site.uid, name=site.name)


def user_out(user: User, sites: Sites) -> AdminUserOut:
    return AdminUserOut(
        id=user.uid,
        username=user.username,
        display_name=user.display_name,
        role=user.role,
        institution=institution_ref(sites, user.institution_id),
        license_number=user.license_number,
        language=user.language,
        active=user.active,
    )


def device_out(device: Device, sites: Sites) -> DeviceOut:
    return DeviceOut(
        id=device.uid,
        ae_title=device.ae_title,
        network=device.network,
        certificate_sha256=device.certificate_sha256 or "",
        default_charset=device.default_charset or "",
        description=device.description,
        institution=institution_ref(sites, device.institution_id),
        active=device.active,
    )


def institution_out(site: Institution, sites: Sites) -> InstitutionOut:
    parent = sites.get(site.parent_id) if site.parent_id else None
    return InstitutionOut(
        id=site.uid,
        code=site.code,
        name=site.name,
        name_en=site.name_en,
        kind=site.kind,
        parent=parent.uid if parent else None,
        time_zone=site.time_zone,
        quiet_seconds=site.quiet_seconds,
        second_signature=site.second_signature,
        signing_minutes=site.signing_minutes,
        hold_seconds=site.hold_seconds,
        made_objects=site.made_objects,
        issuer_names=site.issuer_names,
        worklist_days=site.worklist_days,
        step_hours=site.step_hours,
        commitment_days=site.commitment_days,
    )


@router.get("/users", **guard(Action.ADMINISTER))
def read_users(world: TheWorld, actor: CurrentActor) -> list[AdminUserOut]:
    sites = sites_of(world, actor)
    return [user_out(user, sites) for user in administer.users(world, actor=actor)]


@router.post("/users", status_code=201, **guard(Action.ADMINISTER))
def add_user(world: TheWorld, actor: CurrentActor, body: AdminUserIn) -> AdminUserOut:
    new = administer.NewUser(**body.model_dump(exclude={"institution"}))
    user = administer.add_user(world, actor=actor, new=new, institution_uid=body.institution)
    return user_out(user, sites_of(world, actor))


@router.get("/devices", **guard(Action.ADMINISTER))
def read_devices(world: TheWorld, actor: CurrentActor) -> list[DeviceOut]:
    sites = sites_of(world, actor)
    return [device_out(device, sites) for device in administer.devices(world, actor=actor)]


@router.post("/devices", status_code=201, **guard(Action.ADMINISTER))
def add_device(world: TheWorld, actor: CurrentActor, body: DeviceIn) -> DeviceOut:
    """The same machine once more is the one that is there."""
    device = machines.add_device(
        world,
        actor=actor,
        ae_title=body.ae_title,
        fields=_fields(body),
        institution_uid=body.institution,
    )
    return device_out(device, sites_of(world, actor))


@router.put("/devices/{device_id}", **guard(Action.ADMINISTER))
def change_device(world: TheWorld, actor: CurrentActor, device_id: Uid, body: DeviceChange) -> DeviceOut:
    """All of it anew but the title; without `active` the machine is shut out."""
    device = machines.change_device(
        world, actor=actor, uid=device_id, fields=_fields(body), active=body.active
    )
    return device_out(device, sites_of(world, actor))


def _fields(body: DeviceFieldsIn) -> machines.DeviceFields:
    return machines.DeviceFields(
        **{name: getattr(body, name) for name in machines.DeviceFields.__dataclass_fields__}
    )


@router.put("/users/{user_id}/active", **guard(Action.ADMINISTER))
def set_active(world: TheWorld, actor: CurrentActor, user_id: Uid, body: ActiveIn) -> AdminUserOut:
    """Locks somebody out at once, with all their sessions, or lets them in again."""
    user = lock_out.set_user_active(world, actor=actor, uid=user_id, active=body.active)
    return user_out(user, sites_of(world, actor))


@router.put("/users/{user_id}/password", **guard(Action.ADMINISTER))
def set_password(world: TheWorld, actor: CurrentActor, user_id: Uid, body: PasswordIn) -> AdminUserOut:
    """A new password; every session opened with the old one ends."""
    user = lock_out.set_password(world, actor=actor, uid=user_id, password=body.password)
    return user_out(user, sites_of(world, actor))


@router.get("/institutions", **guard(Action.ADMINISTER))
def read_institutions(world: TheWorld, actor: CurrentActor) -> list[InstitutionOut]:
    sites = sites_of(world, actor)
    return [institution_out(site, sites) for site in sites.values()]


@router.post("/institutions", status_code=201, **guard(Action.ADMINISTER))
def add_institution(world: TheWorld, actor: CurrentActor, body: InstitutionIn) -> InstitutionOut:
    site = add_site(world, actor=actor, new=NewSite(**body.model_dump()))
    return institution_out(site, sites_of(world, actor))


@router.put("/institutions/{institution_id}/made-objects", **guard(Action.ADMINISTER))
def set_made_objects(
    world: TheWorld, actor: CurrentActor, institution_id: str, body: MadeObjectsIn
) -> InstitutionOut:
    """Which DICOM objects are made of what the site's models say: none, the reports, or pictures and copies too."""
    site = administer.set_made_objects(
        world, actor=actor, institution_uid=institution_id, made_objects=body.made_objects
    )
    return institution_out(site, sites_of(world, actor))


@router.put("/institutions/{institution_id}/machine-rules", **guard(Action.ADMINISTER))
def change_machine_rules(
    world: TheWorld, actor: CurrentActor, institution_id: str, body: MachineRulesIn
) -> InstitutionOut:
    """The site's names as an issuer of patient numbers; limits of its worklist and of commitment reports."""
    rules = MachineRules(**body.model_dump())
    site = set_machine_rules(world, actor=actor, institution_uid=institution_id, rules=rules)
    return institution_out(site, sites_of(world, actor))


@router.post("/jobs/{failure_id}/run-again", **guard(Action.ADMINISTER))
def start_job_again(world: TheWorld, actor: CurrentActor, failure_id: str) -> dict[str, bool]:
    """The given-up job that a notice tells of: once its cause is mended."""
    run_again(world, actor=actor, uid=failure_id)
    return {"started": True}

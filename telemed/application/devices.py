"""The machines of a site: registered once under their AE title, changed, shut out."""

from dataclasses import dataclass

from telemed.application.administer import checked_device, keep_device, site_of
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand
from telemed.domain.errors import Conflict, NotFound
from telemed.domain.events import Kind
from telemed.domain.people import Device


@dataclass(frozen=True, kw_only=True)
class DeviceFields:
    network: str
    certificate_sha256: str = ""
    default_charset: str = ""
    description: str = ""


def add_device(
    world: World, *, actor: Actor, ae_title: str, fields: DeviceFields, institution_uid: str | None = None
) -> Device:
    """The same machine once more is the one that is there; another network under its title is a Conflict."""
    demand(actor, Action.ADMINISTER)
    kept = checked_device(**vars(fields))
    with world.unit_of_work() as uow:
        site = site_of(uow, actor, institution_uid)
        title = ae_title.strip()
        known = next(
            (
                one
                for one in uow.devices.of_consortium(actor.consortium_id)
                if one.institution_id == site.id and one.ae_title == title
            ),
            None,
        )
        if known is not None:
            if known.network != kept["network"]:
                raise Conflict("error.device_known", ae_title=title)
            return known
        device = keep_device(world, uow, site, ae_title=title, kept=kept)
        record(
            world,
            uow,
            Kind.SITE_CHANGED,
            actor=actor,
            institution_id=site.id,
            what="device",
            device=device.uid,
        )
        uow.commit()
    return device


def change_device(world: World, *, actor: Actor, uid: str, fields: DeviceFields, active: bool) -> Device:
    """All of it anew but the title. A machine that is not active is refused at its next association."""
    demand(actor, Action.ADMINISTER)
    with world.unit_of_work() as uow:
        device = uow.devices.by_uid(uid)
        if device is None or device.consortium_id != actor.consortium_id:
            raise NotFound("error.device_not_found")
        values = checked_device(**vars(fields)) | {"active": active}
        if any(getattr(device, name) != value for name, value in values.items()):
            for name, value in values.items():
                setattr(device, name, value)
            record(
                world,
                uow,
                Kind.SITE_CHANGED,
                actor=actor,
                institution_id=device.institution_id,
                what="device",
                device=device.uid,
                active=active,
            )
        uow.commit()
    return device

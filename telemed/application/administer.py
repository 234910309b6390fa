"""What an administrator changes: people, machines, the models a site uses, and the notices that wait."""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from telemed.application.jobs import JobKind
from telemed.application.notifying import resolve
from telemed.application.ports import ModelDescription, UnitOfWork
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand
from telemed.domain.correction import DECISIONS
from telemed.domain.errors import Conflict, InvalidInput, NotFound
from telemed.domain.events import Kind
from telemed.domain.inference import ModelApproval
from telemed.domain.notice import Notice
from telemed.domain.people import Device, Institution, MadeObjects, Role, User
from telemed.imaging.charset import codec_of

SHORTEST_PASSWORD = 10
_MODELLED = ("ECG", "DX", "CR")


@dataclass(frozen=True)
class SiteModel:
    model: ModelDescription
    approval: ModelApproval | None


def site_of(uow: UnitOfWork, actor: Actor, institution_uid: str | None) -> Institution:
    """An institution of the administrator's own consortium; their own where none is named."""
    if not institution_uid:
        return uow.institutions.get(actor.institution_id)
    found = uow.institutions.by_uid(institution_uid)
    if found is None or found.consortium_id != actor.consortium_id:
        raise NotFound("error.institution_not_found")
    return found


def institutions(world: World, *, actor: Actor) -> Sequence[Institution]:
    demand(actor, Action.ADMINISTER)
    with world.unit_of_work(write=False) as uow:
        return uow.institutions.all(actor.consortium_id)


def users(world: World, *, actor: Actor) -> Sequence[User]:
    demand(actor, Action.ADMINISTER)
    with world.unit_of_work(write=False) as uow:
        return uow.users.of_consortium(actor.consortium_id)


def devices(world: World, *, actor: Actor) -> Sequence[Device]:
    demand(actor, Action.ADMINISTER)
    with world.unit_of_work(write=False) as uow:
        return uow.devices.of_consortium(actor.consortium_id)


def models(world: World, *, actor: Actor, institution_uid: str | None = None) -> Sequence[SiteModel]:
    demand(actor, Action.ADMINISTER)
    with world.unit_of_work(write=False) as uow:
        site = site_of(uow, actor, institution_uid)
        approvals = {a.model_sha256: a for a in uow.analyses.approvals(site.id)}
    return [SiteModel(model, approvals.get(model.sha256)) for model in all_models(world)]


def all_models(world: World) -> list[ModelDescription]:
    found = {m.sha256: m for modality in _MODELLED for m in world.analyser.models_for(modality)}
    return list(found.values())


def open_card(
    world: World, *, actor: Actor, name: str, sha256: str, institution_uid: str | None = None
) -> SiteModel:
    """The administrator has read the card of exactly these weights: from now on the site uses them."""
    demand(actor, Action.ADMINISTER)
    model = next((m for m in all_models(world) if m.name == name and m.sha256 == sha256), None)
    if model is None:
        raise NotFound("error.model_not_found")
    with world.unit_of_work() as uow:
        site = site_of(uow, actor, institution_uid)
        approval = next((a for a in uow.analyses.approvals(site.id) if a.model_sha256 == sha256), None)
        if approval is None:
            assert site.consortium_id is not None
            approval = ModelApproval(
                uid=world.identifiers.uid(),
                institution_id=site.id,
                consortium_id=site.consortium_id,
                model_name=model.name,
                model_version=model.version,
                model_sha256=model.sha256,
                approved_by=actor.user_id,
                approved_at=world.clock.now(),
            )
            uow.analyses.add_approval(approval)
            record(
                world,
                uow,
                Kind.MODEL_APPROVED,
                actor=actor,
                institution_id=site.id,
                model=name,
                sha256=sha256,
            )
            now = world.clock.now()
            for case in uow.cases.open_without_ai(site.id):
                uow.jobs.ask(JobKind.INFER_CASE, case.id, now, now)
        uow.commit()
    return SiteModel(model, approval)


def withdraw_model(world: World, *, actor: Actor, name: str, institution_uid: str | None = None) -> None:
    demand(actor, Action.ADMINISTER)
    with world.unit_of_work() as uow:
        site = site_of(uow, actor, institution_uid)
        for approval in uow.analyses.approvals(site.id):
            if approval.model_name == name:
                approval.withdrawn_at = world.clock.now()
                record(world, uow, Kind.MODEL_WITHDRAWN, actor=actor, institution_id=site.id, model=name)
        uow.commit()


def set_made_objects(
    world: World, *, actor: Actor, institution_uid: str, made_objects: MadeObjects
) -> Institution:
    """Which objects the site wants of what its models say from now on; those already made stay."""
    demand(actor, Action.ADMINISTER)
    with world.unit_of_work() as uow:
        site = site_of(uow, actor, institution_uid)
        if site.made_objects is not made_objects:
            site.made_objects = made_objects
            record(
                world,
                uow,
                Kind.SITE_CHANGED,
                actor=actor,
                institution_id=site.id,
                what="made_objects",
                made_objects=made_objects.value,
            )
        uow.commit()
    return site


@dataclass(frozen=True, kw_only=True)
class NewUser:
    username: str
    display_name: str
    role: Role
    password: str
    license_number: str = ""
    language: str = "zh-CN"


def add_user(world: World, *, actor: Actor, new: NewUser, institution_uid: str | None = None) -> User:
    demand(actor, Action.ADMINISTER)
    with world.unit_of_work() as uow:
        site = site_of(uow, actor, institution_uid)
        user = create_user(world, uow, site, new)
        record(world, uow, Kind.SITE_CHANGED, actor=actor, institution_id=site.id, what="user", user=user.uid)
        uow.commit()
    return user


def create_user(world: World, uow: UnitOfWork, site: Institution, new: NewUser) -> User:
    if not new.username.strip() or not new.display_name.strip():
        raise InvalidInput(
            "error.field_required", field="username" if not new.username.strip() else "display_name"
        )
    if len(new.password) < SHORTEST_PASSWORD:
        raise InvalidInput("error.password_too_short", field="password", limit=SHORTEST_PASSWORD)
    if uow.users.by_username(new.username) is not None:
        raise Conflict("error.username_taken")
    user = User(
        uid=world.identifiers.uid(),
        username=new.username.strip(),
        display_name=new.display_name.strip(),
        role=new.role,
        institution_id=site.id,
        consortium_id=site.consortium_id or site.id,
        password_hash=world.passwords.hash(new.password),
        license_number=new.license_number.strip(),
        language=new.language,
    )
    uow.users.add(user)
    uow.flush()
    return user


def create_device(
    world: World,
    uow: UnitOfWork,
    site: Institution,
    *,
    ae_title: str,
    network: str,
    certificate_sha256: str = "",
    default_charset: str = "",
    description: str = "",
) -> Device:
    kept = checked_device(network, certificate_sha256, default_charset, description)
    return keep_device(world, uow, site, ae_title=ae_title, kept=kept)


def keep_device(
    world: World, uow: UnitOfWork, site: Institution, *, ae_title: str, kept: Mapping[str, Any]
) -> Device:
    """`kept`: what `checked_device` says."""
    title = ae_title.strip()
    if not title or len(title) > 16 or "\\" in title or not title.isascii() or not title.isprintable():
        raise InvalidInput("error.ae_title_invalid", field="ae_title")
    device = Device(
        uid=world.identifiers.uid(),
        institution_id=site.id,
        consortium_id=site.consortium_id or site.id,
        ae_title=title,
        **kept,
    )
    uow.devices.add(device)
    uow.flush()
    return device


def checked_device(
    network: str, certificate_sha256: str, default_charset: str, description: str
) -> dict[str, Any]:
    """What is kept of a machine besides its title. Raises InvalidInput for a network that is none."""
    try:
        ipaddress.ip_network(network.strip(), strict=False)
    except ValueError as fault:
        raise InvalidInput("error.network_invalid", field="network") from fault
    if default_charset.strip() and codec_of(default_charset) is None:
        raise InvalidInput("error.charset_unknown", field="default_charset")
    return {
        "network": network.strip(),
        "certificate_sha256": certificate_sha256.replace(":", "").lower().strip() or None,
        "default_charset": default_charset.strip() or None,
        "description": description.strip(),
    }


def notices(world: World, *, actor: Actor, limit: int = 200) -> Sequence[Notice]:
    with world.unit_of_work(write=False) as uow:
        return uow.notices.open_for(actor, limit)


def resolve_notice(world: World, *, actor: Actor, uid: str) -> Notice:
    with world.unit_of_work() as uow:
        notice = uow.notices.visible(actor, uid)
        if notice is None:
            raise NotFound("error.notice_not_found")
        if notice.resolved_at is None and notice.code in DECISIONS:
            # Whose recording it is cannot be waved away.
            raise Conflict("error.notice_needs_decision")
        resolve(world, uow, actor, notice)
        uow.commit()
    return notice

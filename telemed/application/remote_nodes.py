"""What an administrator says about other nodes: whom we may call, what goes where by rule, whose certificates."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from telemed.application.administer import site_of
from telemed.application.jobs import JobKind
from telemed.application.ports import UnitOfWork
from telemed.application.record import record
from telemed.application.world import World
from telemed.dimse.tls import trusted_pem
from telemed.domain.access import Action, Actor, demand
from telemed.domain.errors import Conflict, InvalidInput, NotFound
from telemed.domain.events import Kind
from telemed.domain.exchange import ForwardRule, ForwardState, RemoteNode
from telemed.domain.people import Institution
from telemed.domain.store_status import BY_ITS_SETTINGS

_LONGEST_PEM = 100_000


@dataclass(frozen=True, kw_only=True)
class NewNode:
    ae_title: str
    host: str
    port: int
    description: str = ""
    tls: bool = False
    # PEM; empty: whom this installation trusts.
    certificate_authority: str = ""
    # The name in its certificate where that is not the host's.
    server_name: str = ""


@dataclass(frozen=True)
class NodeState:
    """A node, how many objects wait in its queue, and how many it refused."""

    node: RemoteNode
    waiting: int
    refused: int


def remote_nodes(world: World, *, actor: Actor) -> Sequence[NodeState]:
    demand(actor, Action.ADMINISTER)
    with world.unit_of_work(write=False) as uow:
        nodes = uow.remote_nodes.of_consortium(actor.consortium_id)
        waiting = uow.forwards.count(actor.consortium_id, ForwardState.WAITING)
        refused = uow.forwards.count(actor.consortium_id, ForwardState.REFUSED)
    return [NodeState(node, waiting.get(node.id, 0), refused.get(node.id, 0)) for node in nodes]


def add_remote_node(
    world: World, *, actor: Actor, new: NewNode, institution_uid: str | None = None
) -> RemoteNode:
    """The same node once more is the one that is there; another one under its AE title is a Conflict."""
    demand(actor, Action.ADMINISTER)
    new = _checked(new)
    with world.unit_of_work() as uow:
        site = site_of(uow, actor, institution_uid)
        known = uow.remote_nodes.titled(site.id, new.ae_title)
        if known is not None:
            if (known.host, known.port, known.tls) != (new.host, new.port, new.tls):
                raise Conflict("error.node_known", ae_title=known.ae_title)
            return known
        node = RemoteNode(
            uid=world.identifiers.uid(),
            institution_id=site.id,
            consortium_id=site.consortium_id or site.id,
            **asdict(new),
        )
        uow.remote_nodes.add(node)
        uow.flush()
        _changed(world, uow, actor, site, what="remote_node", node=node.uid)
        uow.commit()
    return node


def change_remote_node(world: World, *, actor: Actor, uid: str, new: NewNode, active: bool) -> RemoteNode:
    """What waits for it, or was refused for how it was set up, is tried at once under what is known now."""
    demand(actor, Action.ADMINISTER)
    new = _checked(new)
    with world.unit_of_work() as uow:
        node = node_of(uow, actor, uid)
        if new.ae_title != node.ae_title:
            raise InvalidInput("error.ae_title_stays", field="ae_title")
        for name, value in asdict(new).items():
            setattr(node, name, value)
        node.active = active
        node.answered()
        now = world.clock.now()
        uow.forwards.try_anew(node.id, BY_ITS_SETTINGS)
        if active and uow.forwards.next_at(node.id, now) is not None:
            uow.jobs.ask(JobKind.FORWARD_OBJECTS, node.id, now, now)
        site = uow.institutions.get(node.institution_id)
        _changed(world, uow, actor, site, what="remote_node", node=node.uid, active=active)
        uow.commit()
    world.waker.wake()
    return node


def verify_remote_node(world: World, *, actor: Actor, uid: str) -> None:
    """Calls it now. Raises Unavailable, with what stands in the way."""
    demand(actor, Action.ADMINISTER)
    with world.unit_of_work(write=False) as uow:
        node = node_of(uow, actor, uid)
    world.peers.verify(node)


def forward_rules(world: World, *, actor: Actor) -> Sequence[ForwardRule]:
    demand(actor, Action.ADMINISTER)
    with world.unit_of_work(write=False) as uow:
        return uow.remote_nodes.rules(actor.consortium_id)


def add_forward_rule(
    world: World,
    *,
    actor: Actor,
    node_uid: str,
    modality: str = "",
    with_made: bool = False,
    institution_uid: str | None = None,
) -> ForwardRule:
    """The same rule once more is the one that is there. `with_made`: what models said goes too.

    Raises NotFound for a node outside the consortium.
    """
    demand(actor, Action.ADMINISTER)
    modality = modality.strip().upper()
    if len(modality) > 16 or not (
        (modality.isascii() and modality.replace("_", "").isalnum()) or not modality
    ):
        raise InvalidInput("error.field_invalid", field="modality")
    with world.unit_of_work() as uow:
        site, node = site_of(uow, actor, institution_uid), node_of(uow, actor, node_uid)
        same = (site.id, node.id, modality, with_made)
        for known in uow.remote_nodes.rules(node.consortium_id):
            there = (known.institution_id, known.remote_node_id, known.modality, known.with_made)
            if known.active and there == same:
                return known
        rule = ForwardRule(
            uid=world.identifiers.uid(),
            institution_id=site.id,
            consortium_id=node.consortium_id,
            remote_node_id=node.id,
            modality=modality,
            with_made=with_made,
        )
        uow.remote_nodes.add_rule(rule)
        uow.flush()
        _changed(world, uow, actor, site, what="forward_rule", rule=rule.uid)
        uow.commit()
    return rule


def end_forward_rule(world: World, *, actor: Actor, uid: str) -> ForwardRule:
    """Nothing more is queued by it; what is queued already still goes."""
    demand(actor, Action.ADMINISTER)
    with world.unit_of_work() as uow:
        rule = next((one for one in uow.remote_nodes.rules(actor.consortium_id) if one.uid == uid), None)
        if rule is None:
            raise NotFound("error.rule_not_found")
        if rule.active:
            rule.active = False
            site = uow.institutions.get(rule.institution_id)
            _changed(world, uow, actor, site, what="forward_rule", rule=rule.uid, active=False)
        uow.commit()
    return rule


def set_certificates(
    world: World, *, actor: Actor, institution_uid: str, authority: str, demanded: bool
) -> Institution:
    """Whose certificates a site's machines show, and whether they must."""
    demand(actor, Action.ADMINISTER)
    pem = _pem(authority)
    with world.unit_of_work() as uow:
        site = site_of(uow, actor, institution_uid)
        if demanded and not pem:
            devices = uow.devices.of_consortium(actor.consortium_id)
            if any(d.institution_id == site.id and d.active and not d.certificate_sha256 for d in devices):
                # Machines without a certificate of their own could never come in.
                raise InvalidInput("error.certificates_without_authority", field="certificate_authority")
        if (site.certificate_authority, site.certificate_demanded) != (pem, demanded):
            site.certificate_authority, site.certificate_demanded = pem, demanded
            _changed(world, uow, actor, site, what="certificates", demanded=demanded)
        uow.commit()
    return site


def node_of(uow: UnitOfWork, actor: Actor, uid: str) -> RemoteNode:
    """Of the administrator's own consortium. Raises NotFound."""
    node = uow.remote_nodes.by_uid(uid)
    if node is None or node.consortium_id != actor.consortium_id:
        raise NotFound("error.node_not_found")
    return node


def _checked(new: NewNode) -> NewNode:
    title, host, name = new.ae_title.strip(), new.host.strip(), new.server_name.strip()
    if not title or len(title) > 16 or "\\" in title or not title.isascii() or not title.isprintable():
        raise InvalidInput("error.ae_title_invalid", field="ae_title")
    if not host or len(host) > 255 or not host.isprintable() or not 0 < new.port < 65_536:
        raise InvalidInput("error.node_address_invalid", field="port" if host else "host")
    if len(name) > 255 or not name.isprintable() or any(char.isspace() for char in name):
        raise InvalidInput("error.field_invalid", field="server_name")
    return replace(
        new,
        ae_title=title,
        host=host,
        server_name=name,
        description=new.description.strip()[:200],
        certificate_authority=_pem(new.certificate_authority),
    )


def _pem(text: str) -> str:
    if not text.strip():
        return ""
    try:
        if len(text) > _LONGEST_PEM:
            raise ValueError("too long")
        return trusted_pem(text)
    except ValueError as fault:
        raise InvalidInput("error.certificate_invalid", field="certificate_authority") from fault


def _changed(world: World, uow: UnitOfWork, actor: Actor, site: Institution, **facts: Any) -> None:
    record(world, uow, Kind.SITE_CHANGED, actor=actor, institution_id=site.id, **facts)

"""Other nodes, what goes to them by rule, and the certificates of a site's machines: the administrator's."""

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from telemed.application import remote_nodes as nodes
from telemed.application.send_again import send_again
from telemed.application.world import World
from telemed.domain.access import Action, Actor
from telemed.domain.exchange import ForwardRule
from telemed.web.api.admin import Sites, Uid, institution_ref, sites_of
from telemed.web.api.shapes import Body, Instant, InstitutionRef
from telemed.web.context import TheWorld
from telemed.web.guard import guard
from telemed.web.security import CurrentActor

router = APIRouter(prefix="/admin", tags=["administration"])


class NodeFields(Body):
    ae_title: str = Field(max_length=16)
    host: str = Field(max_length=255)
    port: int
    description: str = Field("", max_length=200)
    tls: bool = False
    certificate_authority: str = Field("", max_length=100_000)
    server_name: str = Field("", max_length=255)

    def new(self) -> nodes.NewNode:
        return nodes.NewNode(**{name: getattr(self, name) for name in nodes.NewNode.__dataclass_fields__})


class NodeIn(NodeFields):
    institution: str | None = None


class NodeChange(NodeFields):
    active: bool = False


class NodeOut(NodeFields):
    id: str
    institution: InstitutionRef
    active: bool
    waiting: int
    refused: int
    failing_since: Instant | None


class ForwardRuleIn(Body):
    node: str = Field(max_length=64)
    modality: str = Field("", max_length=16)
    # What our models said of these studies goes too.
    with_made: bool = False
    institution: str | None = None


class ForwardRuleOut(BaseModel):
    id: str
    node: str
    ae_title: str
    modality: str
    with_made: bool
    institution: InstitutionRef
    active: bool


class CertificatesIn(Body):
    certificate_authority: str = Field("", max_length=100_000)
    certificate_demanded: bool = False


class CertificatesOut(CertificatesIn):
    institution: InstitutionRef


def node_out(found: nodes.NodeState, sites: Sites) -> NodeOut:
    node = found.node
    return NodeOut(
        id=node.uid,
        institution=institution_ref(sites, node.institution_id),
        active=node.active,
        waiting=found.waiting,
        refused=found.refused,
        failing_since=node.failing_since,
        **{name: getattr(node, name) for name in nodes.NewNode.__dataclass_fields__},
    )


def rule_out(rule: ForwardRule, titles: dict[int, tuple[str, str]], sites: Sites) -> ForwardRuleOut:
    node, title = titles[rule.remote_node_id]
    return ForwardRuleOut(
        id=rule.uid,
        node=node,
        ae_title=title,
        modality=rule.modality,
        with_made=rule.with_made,
        institution=institution_ref(sites, rule.institution_id),
        active=rule.active,
    )


def all_nodes(world: World, actor: Actor, sites: Sites) -> list[NodeOut]:
    return [node_out(one, sites) for one in nodes.remote_nodes(world, actor=actor)]


def all_rules(world: World, actor: Actor, sites: Sites) -> list[ForwardRuleOut]:
    titles = _titles(world, actor)
    return [rule_out(rule, titles, sites) for rule in nodes.forward_rules(world, actor=actor)]


def _titles(world: World, actor: Actor) -> dict[int, tuple[str, str]]:
    found = nodes.remote_nodes(world, actor=actor)
    return {one.node.id: (one.node.uid, one.node.ae_title) for one in found}


@router.get("/nodes", **guard(Action.ADMINISTER))
def read_nodes(world: TheWorld, actor: CurrentActor) -> list[NodeOut]:
    return all_nodes(world, actor, sites_of(world, actor))


@router.post("/nodes", status_code=201, **guard(Action.ADMINISTER))
def add_node(world: TheWorld, actor: CurrentActor, body: NodeIn) -> NodeOut:
    """A C-MOVE destination, a forwarding target, or the address of a device that asks for storage commitment."""
    node = nodes.add_remote_node(world, actor=actor, new=body.new(), institution_uid=body.institution)
    return _one(world, actor, node.uid)


@router.put("/nodes/{node_id}", **guard(Action.ADMINISTER))
def change_node(world: TheWorld, actor: CurrentActor, node_id: Uid, body: NodeChange) -> NodeOut:
    """All of it anew. What waits in its queue is tried again at once."""
    nodes.change_remote_node(world, actor=actor, uid=node_id, new=body.new(), active=body.active)
    return _one(world, actor, node_id)


@router.post("/nodes/{node_id}/verify", status_code=204, **guard(Action.ADMINISTER))
def verify_node(world: TheWorld, actor: CurrentActor, node_id: Uid) -> Response:
    """C-ECHO, over TLS where the node says so; 503 tells what stands in the way."""
    nodes.verify_remote_node(world, actor=actor, uid=node_id)
    return Response(status_code=204)


@router.post("/nodes/{node_id}/send-again", **guard(Action.ADMINISTER))
def send_refused_again(world: TheWorld, actor: CurrentActor, node_id: Uid) -> NodeOut:
    """What it refused waits in its queue again."""
    send_again(world, actor=actor, uid=node_id)
    return _one(world, actor, node_id)


@router.get("/forward-rules", **guard(Action.ADMINISTER))
def read_rules(world: TheWorld, actor: CurrentActor) -> list[ForwardRuleOut]:
    return all_rules(world, actor, sites_of(world, actor))


@router.post("/forward-rules", status_code=201, **guard(Action.ADMINISTER))
def add_rule(world: TheWorld, actor: CurrentActor, body: ForwardRuleIn) -> ForwardRuleOut:
    """Complete studies of the institution (of one modality, or all) go to the node."""
    rule = nodes.add_forward_rule(
        world,
        actor=actor,
        node_uid=body.node,
        modality=body.modality,
        with_made=body.with_made,
        institution_uid=body.institution,
    )
    return rule_out(rule, _titles(world, actor), sites_of(world, actor))


@router.delete("/forward-rules/{rule_id}", status_code=204, **guard(Action.ADMINISTER))
def end_rule(world: TheWorld, actor: CurrentActor, rule_id: Uid) -> Response:
    nodes.end_forward_rule(world, actor=actor, uid=rule_id)
    return Response(status_code=204)


@router.put("/institutions/{institution_id}/certificates", **guard(Action.ADMINISTER))
def set_certificates(
    world: TheWorld, actor: CurrentActor, institution_id: Uid, body: CertificatesIn
) -> CertificatesOut:
    """Who signs the certificates of this site's machines, and whether they are admitted without one."""
    site = nodes.set_certificates(
        world,
        actor=actor,
        institution_uid=institution_id,
        authority=body.certificate_authority,
        demanded=body.certificate_demanded,
    )
    return CertificatesOut(
        certificate_authority=site.certificate_authority,
        certificate_demanded=site.certificate_demanded,
        institution=InstitutionRef(id=site.uid, name=site.name),
    )


def _one(world: World, actor: Actor, uid: str) -> NodeOut:
    (found,) = [one for one in nodes.remote_nodes(world, actor=actor) if one.node.uid == uid]
    return node_out(found, sites_of(world, actor))

"""Whom a destination's refusals are told to, and when that is settled."""

from telemed.application.notifying import notify_institution, resolve
from telemed.application.ports import UnitOfWork
from telemed.application.world import World
from telemed.domain.access import Actor
from telemed.domain.exchange import RemoteNode
from telemed.domain.study import Study

REFUSED = "notice.forward_refused"


def tell(
    world: World, uow: UnitOfWork, code: str, node: RemoteNode, study: Study, status: int | None
) -> None:
    """One open notice a study and destination, of however many objects: told anew once the last one is settled."""
    cause = f"{_cause(code, node)}{study.uid}:"
    told = [notice for notice in uow.notices.of_study(study.id) if notice.cause_key.startswith(cause)]
    if any(notice.resolved_at is None for notice in told):
        return
    notify_institution(
        world,
        uow,
        code,
        f"{cause}{len(told)}",
        institution_id=study.institution_id,
        consortium_id=study.consortium_id,
        study_id=study.id,
        ae_title=node.ae_title,
        status="-" if status is None else f"0x{status:04X}",
    )


def settle_refusals(world: World, uow: UnitOfWork, actor: Actor, node: RemoteNode) -> None:
    """Everything that it refused waits again: what is refused once more is told once more."""
    for notice in uow.notices.open_of(REFUSED):
        if notice.cause_key.startswith(_cause(REFUSED, node)):
            resolve(world, uow, actor, notice)


def _cause(code: str, node: RemoteNode) -> str:
    return f"{code.removeprefix('notice.')}:{node.uid}:"

"""Cases that came before any rule fitted them: a new rule takes them too."""

from telemed.application.complete import route_study
from telemed.application.ports import UnitOfWork
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.access import Actor
from telemed.domain.events import Kind

_MOST = 2000


def route_waiting(world: World, uow: UnitOfWork, actor: Actor) -> int:
    """Routes what waits without a group, and resolves the notices that asked for a rule. Returns how many."""
    routed = 0
    for case in uow.cases.unrouted(actor.consortium_id, _MOST):
        study = uow.studies.get(case.study_id)
        chosen = route_study(uow, study, uow.orders.get(uow.orders.procedure(case.procedure_id).order_id))
        if chosen is None:
            continue
        group = uow.rules.group(chosen.reading_group_id)
        case.reading_group_id, case.reporting_institution_id = group.id, group.institution_id
        case.deadline = chosen.deadline
        record(
            world,
            uow,
            Kind.CASE_ROUTED,
            actor=actor,
            case=case,
            group=group.id,
            priority=int(case.priority),
            deadline=case.deadline.isoformat(),
        )
        for notice in uow.notices.of_study(study.id):
            if notice.code == "notice.unrouted" and notice.resolved_at is None:
                notice.resolved_at, notice.resolved_by = world.clock.now(), actor.user_id
        routed += 1
    return routed

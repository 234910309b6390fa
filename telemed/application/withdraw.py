"""A report that speaks of another person's recording holds no longer, and everyone who met it is told."""

from collections.abc import Sequence
from typing import Any

from telemed.application.notifying import Place, notify_institution, raise_notice
from telemed.application.ports import UnitOfWork
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.access import Actor
from telemed.domain.case import Case
from telemed.domain.delivery import RecipientKind
from telemed.domain.events import Kind
from telemed.domain.report import Report


def close_case(world: World, uow: UnitOfWork, actor: Actor, case: Case, reason: str) -> tuple[int, int]:
    """Withdraws every version and closes the case. Returns how many were in force or signed, and told."""
    versions = uow.reports.of_case(case.id)
    now = world.clock.now()
    spoken = [report for report in versions if report.signed_by is not None]
    for report in versions:
        if report.withdraw(actor.user_id, reason, now):
            record(
                world,
                uow,
                Kind.REPORT_WITHDRAWN,
                actor=actor,
                case=case,
                report_id=report.id,
                number=report.number,
                reason=reason,
            )
    people = _people(uow, case, versions)
    case.close()
    record(world, uow, Kind.CASE_CLOSED, actor=actor, case=case, reason=reason)
    released = [report for report in spoken if report.released_at is not None]
    code = "notice.report_withdrawn" if released else "notice.case_withdrawn"
    facts: dict[str, Any] = {"verification_code": released[-1].verification_code} if released else {}
    told = tell_people(world, uow, actor, case, people, code=code, **facts)
    for institution_id in _institutions(uow, case, versions) if released else ():
        # Without the study: whoever reads it next for the right person is told nothing of the wrong one.
        notify_institution(
            world,
            uow,
            code,
            f"withdrawn:{case.uid}:institution:{institution_id}",
            institution_id=institution_id,
            consortium_id=case.consortium_id,
            **facts,
        )
    return len(spoken), told


def tell_people(
    world: World,
    uow: UnitOfWork,
    actor: Actor,
    case: Case,
    people: frozenset[int],
    *,
    code: str,
    once: str = "",
    **facts: Any,
) -> int:
    """A notice to each by name, but to the one who does it. The fact stays with the case it is about.

    `once` tells one occasion from another, where the same may happen to a case again.
    """
    told = 0
    for user_id in sorted(people - {actor.user_id}):
        user = uow.users.get(user_id)
        place = Place(
            institution_id=user.institution_id,
            consortium_id=user.consortium_id,
            study_id=case.study_id,
            case_id=case.id,
            user_id=user_id,
        )
        cause = f"{code}:{case.uid}:{case.patient_id}:user:{user_id}" + (f":{once}" if once else "")
        told += raise_notice(
            world, uow, code, cause, place, {"modality": case.modality, **facts}, case=case, user=user.uid
        )
    return told


def met_by(uow: UnitOfWork, case: Case) -> frozenset[int]:
    """Everyone who opened, read, wrote or signed anything of a case, and its present holder."""
    return _people(uow, case, uow.reports.of_case(case.id))


def _people(uow: UnitOfWork, case: Case, versions: Sequence[Report]) -> frozenset[int]:
    found: set[int | None] = {*uow.corrections.openers([case.id], case.study_id), case.claimed_by}
    for report in versions:
        found |= {report.author_id, report.signed_by, report.reviewed_by}
        for delivery in uow.deliveries.of_report(report.id):
            if delivery.taken_back_at is not None:
                continue
            found |= {delivery.user_id, delivery.acknowledged_by}
    return frozenset(user_id for user_id in found if user_id is not None)


def _institutions(uow: UnitOfWork, case: Case, versions: Sequence[Report]) -> list[int]:
    """The one that asked, always, and every other that was handed a copy as such."""
    copies = [one for report in versions for one in uow.deliveries.of_report(report.id)]
    handed = [one.institution_id for one in copies if one.kind is RecipientKind.INSTITUTION]
    return list(dict.fromkeys([case.institution_id, *handed]))

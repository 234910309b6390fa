"""Notices to an institution's people, each cause told once; raised here and settled here, always on record."""

from dataclasses import asdict, dataclass
from typing import Any

from telemed.application.ports import UnitOfWork
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.access import Actor
from telemed.domain.case import Case
from telemed.domain.events import Kind
from telemed.domain.notice import Notice
from telemed.domain.study import StoredObject, Study


@dataclass(frozen=True, kw_only=True)
class Place:
    """Whom a notice is told to, and what it is about."""

    institution_id: int
    consortium_id: int
    study_id: int | None = None
    case_id: int | None = None
    object_id: int | None = None
    user_id: int | None = None


def raise_notice(
    world: World,
    uow: UnitOfWork,
    code: str,
    cause: str,
    place: Place,
    facts: dict[str, Any],
    *,
    study: Study | None = None,
    case: Case | None = None,
    **recorded: Any,
) -> bool:
    """Once per cause; False where it was told before. Facts are codes and identifiers.

    `study`, `case`: where its event stands, if not at the institution alone; `recorded` goes into that event.
    """
    notice = Notice(
        uid=world.identifiers.uid(),
        code=code,
        cause_key=cause,
        created_at=world.clock.now(),
        facts=facts,
        **asdict(place),
    )
    fresh = uow.notices.raise_once(notice)
    if fresh:
        about = case or study
        record(
            world,
            uow,
            Kind.NOTICE_RAISED,
            study=study,
            case=case,
            # A person who is told may belong to another house than the case does.
            institution_id=about.institution_id if about else place.institution_id,
            consortium_id=about.consortium_id if about else place.consortium_id,
            code=code,
            **recorded,
        )
    return fresh


def resolve(world: World, uow: UnitOfWork, actor: Actor | None, notice: Notice) -> None:
    """Settled by this person, or by what came since (None); again changes nothing."""
    if notice.resolved_at is not None:
        return
    notice.resolved_at, notice.resolved_by = world.clock.now(), actor.user_id if actor else None
    record(
        world,
        uow,
        Kind.NOTICE_RESOLVED,
        actor=actor,
        institution_id=notice.institution_id,
        consortium_id=notice.consortium_id,
        notice=notice.uid,
        code=notice.code,
    )


def notify(
    world: World,
    uow: UnitOfWork,
    code: str,
    cause: str,
    study: Study,
    stored: StoredObject | None = None,
    case: Case | None = None,
    **details: Any,
) -> None:
    """About a study: one object of it, or the case it is read as."""
    if stored is not None:
        # Its number is wanted now; all else of a batch is written at its end, in one go.
        uow.flush()
    place = Place(
        institution_id=study.institution_id,
        consortium_id=study.consortium_id,
        study_id=study.id,
        case_id=case.id if case else None,
        object_id=stored.id if stored else None,
    )
    raise_notice(world, uow, code, cause, place, details, study=study, case=case)


def notify_institution(
    world: World,
    uow: UnitOfWork,
    code: str,
    cause: str,
    *,
    institution_id: int,
    consortium_id: int,
    study_id: int | None = None,
    **details: Any,
) -> bool:
    """About what concerns the institution rather than one study."""
    place = Place(institution_id=institution_id, consortium_id=consortium_id, study_id=study_id)
    return raise_notice(world, uow, code, cause, place, details)

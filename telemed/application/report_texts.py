"""A centre's templates and short codes: kept by its administrator, used by its readers."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand, may
from telemed.domain.errors import NotFound
from telemed.domain.events import Kind
from telemed.domain.writing import ReportText, TextKind


@dataclass(frozen=True, kw_only=True)
class NewText:
    kind: TextKind
    code: str
    title: str
    findings: str
    impression: str = ""
    recommendation: str = ""
    abnormal: bool = True
    modality: str = ""
    body_part: str = ""


def report_texts(world: World, *, actor: Actor) -> Sequence[ReportText]:
    """All of the consortium: the page takes those that fit the exam."""
    if not may(actor.role, Action.ADMINISTER):
        demand(actor, Action.WRITE_REPORT)
    with world.unit_of_work(write=False) as uow:
        return uow.writing.texts(actor.consortium_id)


def keep_text(world: World, *, actor: Actor, new: NewText) -> ReportText:
    """Under its code; a code that is there gets the new words."""
    demand(actor, Action.ADMINISTER)
    values = {one.name: getattr(new, one.name) for one in fields(new)}
    values["code"], values["modality"] = new.code.strip().lower(), new.modality.strip().upper()
    text = ReportText(uid=world.identifiers.uid(), consortium_id=actor.consortium_id, **values)
    text.demand_sound()
    with world.unit_of_work() as uow:
        kept = uow.writing.ensure_text(text)
        for name, value in values.items():
            setattr(kept, name, value)
        record(world, uow, Kind.SITE_CHANGED, actor=actor, what="report_text", code=kept.code)
        uow.commit()
    return kept


def remove_text(world: World, *, actor: Actor, uid: str) -> None:
    demand(actor, Action.ADMINISTER)
    with world.unit_of_work() as uow:
        if not uow.writing.remove_text(actor.consortium_id, uid):
            raise NotFound("error.report_text_not_found")
        record(world, uow, Kind.SITE_CHANGED, actor=actor, what="report_text", removed=uid)
        uow.commit()

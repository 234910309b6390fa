"""Which resident a patient stands under: shown, looked for by the card, linked and unlinked by a person."""

from datetime import date

from fastapi import APIRouter
from pydantic import BaseModel, Field

from telemed.application import correct_link
from telemed.application.correct_link import Relinked, Standing
from telemed.domain.access import Action
from telemed.domain.resident import Resident
from telemed.web.api.corrections import PersonOut, person
from telemed.web.api.shapes import Body, Instant
from telemed.web.context import TheWorld
from telemed.web.guard import guard
from telemed.web.security import CurrentActor

router = APIRouter(prefix="/patients/{patient_uid}/resident", tags=["corrections"])


class ResidentOut(BaseModel):
    id: str
    name: str
    sex: str
    birth_date: date | None
    id_last4: str


class StandingOut(BaseModel):
    id: str
    person: PersonOut
    resident: ResidentOut | None
    linked_at: Instant | None
    # Family doctors with a contract today.
    doctors: list[str]
    # Reports that family doctors have by this link.
    delivered: int


class HolderOut(BaseModel):
    id_last4: str
    # None where nobody is registered under the number: a link registers the patient under it.
    resident: ResidentOut | None
    differing: list[str]


class CardIn(Body):
    # In the body: a number in an address would stand in every log.
    id_card_number: str = Field(max_length=32)


class UnlinkIn(Body):
    # The resident on the page of the one who asks; empty for none.
    shown: str = Field("", max_length=36)
    reason: str = Field(max_length=400)


class LinkIn(UnlinkIn):
    id_card_number: str = Field(max_length=32)


class RelinkedOut(StandingOut):
    changed: bool
    taken_back: int
    told: int


@router.get("", **guard(Action.CORRECT))
def read(world: TheWorld, actor: CurrentActor, patient_uid: str) -> StandingOut:
    return _standing(correct_link.standing(world, actor=actor, uid=patient_uid))


@router.post("/find", **guard(Action.CORRECT))
def find(world: TheWorld, actor: CurrentActor, patient_uid: str, body: CardIn) -> HolderOut:
    found = correct_link.find_holder(world, actor=actor, uid=patient_uid, number=body.id_card_number)
    return HolderOut(
        id_last4=found.last4,
        resident=_resident(found.resident) if found.resident else None,
        differing=list(found.differing),
    )


@router.post("/link", **guard(Action.CORRECT))
def link(world: TheWorld, actor: CurrentActor, patient_uid: str, body: LinkIn) -> RelinkedOut:
    """The same again changes nothing."""
    return _relinked(
        correct_link.link_patient(
            world,
            actor=actor,
            uid=patient_uid,
            number=body.id_card_number,
            shown=body.shown,
            reason=body.reason,
        )
    )


@router.post("/unlink", **guard(Action.CORRECT))
def unlink(world: TheWorld, actor: CurrentActor, patient_uid: str, body: UnlinkIn) -> RelinkedOut:
    """The same again changes nothing."""
    return _relinked(
        correct_link.unlink_patient(world, actor=actor, uid=patient_uid, shown=body.shown, reason=body.reason)
    )


def _resident(found: Resident) -> ResidentOut:
    return ResidentOut(
        id=found.uid,
        name=found.name,
        sex=found.sex,
        birth_date=found.birth_date,
        id_last4=found.id_card_last4,
    )


def _standing(found: Standing) -> StandingOut:
    return StandingOut(
        id=found.patient.uid,
        person=person(found.patient, found.resident.id_card_last4 if found.resident else ""),
        resident=_resident(found.resident) if found.resident else None,
        linked_at=found.patient.linked_at,
        doctors=list(found.doctors),
        delivered=found.delivered,
    )


def _relinked(found: Relinked) -> RelinkedOut:
    return RelinkedOut(
        **dict(_standing(found.standing)),
        changed=found.changed,
        taken_back=found.undone.reports,
        told=found.undone.told,
    )

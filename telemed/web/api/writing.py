"""Rules of signing and of what a report must say, for the administrator."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from telemed.application import report_texts, writing
from telemed.application.ports.worklist import RepeatRate
from telemed.application.repeats import repeat_rates
from telemed.domain.access import Action
from telemed.domain.writing import Demanded, Part, ReportText, RequiredPart, TextKind
from telemed.web.api.admin import institution_out, sites_of
from telemed.web.api.shapes import Body, InstitutionOut
from telemed.web.context import TheWorld
from telemed.web.guard import guard
from telemed.web.security import CurrentActor

router = APIRouter(prefix="/admin", tags=["administration"])
reading = APIRouter(tags=["cases"])


class SigningRulesIn(Body):
    signing_minutes: int
    hold_seconds: int
    second_signature: bool


class RequiredPartIn(Body):
    part: Part
    demanded: Demanded = Demanded.ALWAYS
    modality: str = Field("", max_length=16)
    body_part: str = Field("", max_length=64)


class RepeatRateOut(BaseModel):
    site: str
    device: str
    exams: int
    repeats: int
    reasons: dict[str, int]


@router.get("/repeat-rates", **guard(Action.ADMINISTER))
def read_repeat_rates(
    world: TheWorld, actor: CurrentActor, days: Annotated[int, Query(ge=1, le=366)] = 30
) -> list[RepeatRateOut]:
    """By site, machine and reason, of the last days."""
    return [rate_out(one) for one in repeat_rates(world, actor=actor, days=days)]


def rate_out(one: RepeatRate) -> RepeatRateOut:
    return RepeatRateOut(
        site=one.site, device=one.device, exams=one.exams, repeats=one.repeats, reasons=dict(one.reasons)
    )


class RequiredPartOut(BaseModel):
    id: str
    part: Part
    demanded: Demanded
    modality: str
    body_part: str


def required_out(row: RequiredPart) -> RequiredPartOut:
    return RequiredPartOut(
        id=row.uid, part=row.part, demanded=row.demanded, modality=row.modality, body_part=row.body_part
    )


@router.put("/institutions/{institution_id}/signing", **guard(Action.ADMINISTER))
def set_signing(
    world: TheWorld, actor: CurrentActor, institution_id: str, body: SigningRulesIn
) -> InstitutionOut:
    rules = writing.SigningRules(**body.model_dump())
    site = writing.set_signing_rules(world, actor=actor, institution_uid=institution_id, rules=rules)
    return institution_out(site, sites_of(world, actor))


@router.get("/required-parts", **guard(Action.ADMINISTER))
def read_required(world: TheWorld, actor: CurrentActor) -> list[RequiredPartOut]:
    return [required_out(row) for row in writing.required_parts(world, actor=actor)]


@router.post("/required-parts", status_code=201, **guard(Action.ADMINISTER))
def require_part(world: TheWorld, actor: CurrentActor, body: RequiredPartIn) -> RequiredPartOut:
    return required_out(writing.require_part(world, actor=actor, **body.model_dump()))


@router.delete("/required-parts/{part_id}", status_code=204, **guard(Action.ADMINISTER))
def no_longer_require(world: TheWorld, actor: CurrentActor, part_id: str) -> None:
    writing.no_longer_require(world, actor=actor, uid=part_id)


class ReportTextIn(Body):
    kind: TextKind
    code: str = Field(max_length=16)
    title: str = Field(max_length=64)
    findings: str = Field(max_length=8000)
    impression: str = Field("", max_length=8000)
    recommendation: str = Field("", max_length=8000)
    abnormal: bool = True
    modality: str = Field("", max_length=16)
    body_part: str = Field("", max_length=64)


class ReportTextOut(ReportTextIn):
    id: str


def text_out(text: ReportText) -> ReportTextOut:
    values = {name: getattr(text, name) for name in ReportTextIn.model_fields}
    return ReportTextOut(id=text.uid, **values)


@reading.get("/report-texts", **guard(Action.WRITE_REPORT))
def read_texts(world: TheWorld, actor: CurrentActor) -> list[ReportTextOut]:
    """The templates and short codes of the reader's consortium."""
    return [text_out(one) for one in report_texts.report_texts(world, actor=actor)]


@router.post("/report-texts", status_code=201, **guard(Action.ADMINISTER))
def keep_text(world: TheWorld, actor: CurrentActor, body: ReportTextIn) -> ReportTextOut:
    new = report_texts.NewText(**body.model_dump())
    return text_out(report_texts.keep_text(world, actor=actor, new=new))


@router.delete("/report-texts/{text_id}", status_code=204, **guard(Action.ADMINISTER))
def remove_text(world: TheWorld, actor: CurrentActor, text_id: str) -> None:
    report_texts.remove_text(world, actor=actor, uid=text_id)

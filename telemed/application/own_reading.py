"""What a reader measured and said of the machine's findings: events alone, the latest of each in force."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from telemed.application.median_beats import FIELD, mean_rr
from telemed.application.ports import UnitOfWork
from telemed.application.read import find_case
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand
from telemed.domain.case import Case
from telemed.domain.errors import InvalidInput
from telemed.domain.events import Event, Kind
from telemed.domain.inference import AnalysisRecord
from telemed.domain.measuring import Marks, intervals
from telemed.domain.verdict import FindingVerdict, Verdict, findings_of


@dataclass(frozen=True, kw_only=True)
class OwnMeasurement:
    """`analysis` is the answer whose median beat the marks stand in."""

    analysis: str
    marks: Marks
    measurements: dict[str, float]
    by: int | None
    at: datetime


@dataclass(frozen=True, kw_only=True)
class OwnReading:
    measurements: Sequence[OwnMeasurement] = ()
    verdicts: Sequence[FindingVerdict] = ()


def own_reading(world: World, *, actor: Actor, uid: str) -> OwnReading:
    """Readers' work before a signature: for those who write reports only. Raises NotFound as the case does."""
    demand(actor, Action.WRITE_REPORT)
    with world.unit_of_work(write=False) as uow:
        case = find_case(uow, actor, uid)
        return _in_force(uow.events.of_study(case.study_id), case)


def measure(world: World, *, actor: Actor, uid: str, analysis: str, marks: Marks) -> OwnReading:
    """Keeps the marks of one median beat with the intervals that follow from them; the same again changes nothing."""
    demand(actor, Action.WRITE_REPORT)
    with world.unit_of_work() as uow:
        case = _held(world, uow, actor, uid)
        answer = _answer(uow, case, analysis).answer
        if not answer.get(FIELD):
            raise InvalidInput("error.no_median_beat", field="analysis")
        known = {
            one.analysis: one for one in _in_force(uow.events.of_study(case.study_id), case).measurements
        }
        if analysis not in known or known[analysis].marks != marks:
            record(
                world,
                uow,
                Kind.CASE_MEASURED,
                actor=actor,
                case=case,
                analysis=analysis,
                marks=marks.as_json(),
                measurements=intervals(marks, mean_rr(answer)),
            )
        uow.commit()
    return own_reading(world, actor=actor, uid=uid)


def record_verdict(
    world: World, *, actor: Actor, uid: str, analysis: str, finding: str, verdict: Verdict
) -> OwnReading:
    """One event per finding and change of mind; the same verdict again changes nothing."""
    demand(actor, Action.WRITE_REPORT)
    with world.unit_of_work() as uow:
        case = _held(world, uow, actor, uid)
        answer = _answer(uow, case, analysis)
        if finding not in findings_of(answer.answer):
            raise InvalidInput("error.finding_not_found", field="finding")
        reading = _in_force(uow.events.of_study(case.study_id), case)
        known = {(one.analysis, one.finding): one.verdict for one in reading.verdicts}
        if known.get((analysis, finding), Verdict.OPEN) is not verdict:
            record(
                world,
                uow,
                Kind.FINDING_JUDGED,
                actor=actor,
                case=case,
                analysis=analysis,
                model=answer.model_name,
                model_sha256=answer.model_sha256,
                finding=finding,
                verdict=verdict.value,
            )
        uow.commit()
    return own_reading(world, actor=actor, uid=uid)


def _held(world: World, uow: UnitOfWork, actor: Actor, uid: str) -> Case:
    now = world.clock.now()
    case = find_case(uow, actor, uid)
    case.demand_held_by(actor.user_id, now)
    case.claim(actor.user_id, now)
    return case


def _answer(uow: UnitOfWork, case: Case, analysis: str) -> AnalysisRecord:
    for row in uow.analyses.of_case(case.id):
        if row.uid == analysis:
            return row
    raise InvalidInput("error.finding_not_found", field="finding")


def _in_force(events: Sequence[Event], case: Case) -> OwnReading:
    measurements: dict[str, OwnMeasurement] = {}
    verdicts: dict[tuple[str, str], FindingVerdict] = {}
    for event in events:
        facts = event.facts
        if event.case_id != case.id:
            continue
        if event.kind is Kind.CASE_MEASURED:
            measurements[facts["analysis"]] = OwnMeasurement(
                analysis=facts["analysis"],
                marks=Marks.from_json(facts["marks"]),
                measurements=facts["measurements"],
                by=event.actor_user_id,
                at=event.at,
            )
        elif event.kind is Kind.FINDING_JUDGED:
            verdicts[facts["analysis"], facts["finding"]] = FindingVerdict(
                analysis=facts["analysis"],
                finding=facts["finding"],
                verdict=Verdict(facts["verdict"]),
                by=event.actor_user_id,
                at=event.at,
            )
    said = [one for one in verdicts.values() if one.verdict is not Verdict.OPEN]
    return OwnReading(measurements=list(measurements.values()), verdicts=said)

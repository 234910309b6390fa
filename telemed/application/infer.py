"""AI reads a case beside the people: what it finds may raise the case, and holds nothing back."""

from collections.abc import Iterable
from dataclasses import dataclass

from telemed.application.file_made import ask_for_made
from telemed.application.infer_film import ask_film, reads_films
from telemed.application.notifying import Place, raise_notice
from telemed.application.objects import read_object
from telemed.application.ports import ModelDescription, UnitOfWork
from telemed.application.raising import raise_by
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.analysis import Analysis, input_digest, result_key
from telemed.domain.case import AiState, Case, CaseState
from telemed.domain.errors import Unavailable
from telemed.domain.events import Kind
from telemed.domain.inference import (
    GIVEN_UP,
    NO_MODEL_READS,
    TAKEN_OUT,
    AnalysisRecord,
    Urgency,
    flags_of,
)
from telemed.domain.order import Priority
from telemed.domain.study import StoredObject, Study
from telemed.imaging.waveform import WaveformError, read_waveform


@dataclass(frozen=True)
class Fault:
    """A code of the catalogue and what its text is filled with."""

    code: str
    params: dict[str, str]


_Said = tuple[str, str, str, str]
"""Who said something of what: the object, the model's name and version, and its approved weights. Of one case each
speaks once. The result key is finer: it names the rung too, which a timing chooses at every start."""


@dataclass(frozen=True)
class _Answer:
    stored: StoredObject
    model: ModelDescription
    analysis: Analysis
    key: str

    @property
    def said(self) -> _Said:
        return _said(self.stored.sop_instance_uid, self.model)


def infer_case(world: World, *, case_id: int, urgency: Urgency | None = None) -> None:
    """Runs the approved models on the case's objects; the same input and model again changes nothing.

    A model that the engine took out of service leaves the case as it would be without AI, and says so. Where a case
    is read again (`urgency` is BACKFILL) it keeps the answers and the state it has, and Unavailable is raised.
    """
    with world.unit_of_work(write=False) as uow:
        case = uow.cases.get(case_id)
        study = uow.studies.get(case.study_id)
        objects = uow.studies.objects(study.id)
        approved = {a.model_sha256 for a in uow.analyses.approvals(case.institution_id)}
        known = set(_by_said(uow, case))
    models = world.analyser.models_for(case.modality)
    if not models:
        if urgency is Urgency.BACKFILL:
            raise Unavailable(NO_MODEL_READS, modality=case.modality)
        _settle(world, case_id, study, [], [], AiState.NO_MODEL)
        return
    allowed = newest_of_each(model for model in models if model.sha256 in approved)
    if not allowed:
        _settle(world, case_id, study, [], [], AiState.OFF)
        return
    if urgency is None:
        urgency = Urgency.STAT if case.effective_priority is Priority.STAT else Urgency.ROUTINE
    try:
        answers = [answer for stored in objects for answer in _ask(world, stored, allowed, urgency, known)]
    except Unavailable as fault:
        if fault.code != TAKEN_OUT:
            raise
        _out_of_service(world, case_id, fault, again=urgency is Urgency.BACKFILL)
        if urgency is Urgency.BACKFILL:
            raise
        return
    _settle(
        world, case_id, study, [_said(one.sop_instance_uid, m) for one in objects for m in allowed], answers
    )


def newest_of_each(models: Iterable[ModelDescription]) -> list[ModelDescription]:
    """Of versions in falling order the first of each model."""
    found: dict[str, ModelDescription] = {}
    for model in models:
        found.setdefault(model.name, model)
    return list(found.values())


def _ask(
    world: World, stored: StoredObject, models: list[ModelDescription], urgency: Urgency, known: set[_Said]
) -> list[_Answer]:
    """One answer a model, each under its own identity; the object is read once for all of them. A model whose answer
    is `known` is not asked again."""
    asked = [model for model in models if _said(stored.sop_instance_uid, model) not in known]
    answered = []
    if any(reads_films(model) for model in asked):
        films = [model for model in models if reads_films(model)]
        answered += ask_film(world, read_object(world, stored), films, asked, urgency)
    answered += _ask_waveform(world, stored, [model for model in asked if not reads_films(model)], urgency)
    digest = input_digest([(stored.sop_instance_uid, stored.dataset_sha256)])
    answers = []
    for model, analysis in answered:
        assert analysis.model is not None
        answers.append(_Answer(stored, model, analysis, result_key(digest, analysis.model)))
    return answers


def _ask_waveform(
    world: World, stored: StoredObject, models: list[ModelDescription], urgency: Urgency
) -> list[tuple[ModelDescription, Analysis]]:
    if not models:
        return []
    try:
        waveform = world.waveforms.take(stored.file_sha256) or read_waveform(read_object(world, stored))
    except WaveformError as fault:
        code, params = fault.code, dict(fault.params)
        return [(m, world.analyser.refuse(m.name, code, params, version=m.version)) for m in models]
    return [(m, world.analyser.analyse(m.name, waveform, version=m.version, urgency=urgency)) for m in models]


def _said(sop_instance_uid: str, model: ModelDescription) -> _Said:
    return sop_instance_uid, model.name, model.version, model.sha256


def _by_said(uow: UnitOfWork, case: Case) -> dict[_Said, AnalysisRecord]:
    return {
        (row.sop_instance_uid, row.model_name, row.model_version, row.model_sha256): row
        for row in uow.analyses.of_case(case.id)
    }


def _settle(
    world: World,
    case_id: int,
    study: Study,
    wanted: list[_Said],
    answers: list[_Answer],
    state: AiState | None = None,
) -> None:
    """Without a `state` the answers say it: these, and what was stored before of what is `wanted`. What was moved to
    another person meanwhile leaves nothing here."""
    with world.unit_of_work() as uow:
        # Whoever moves a recording locks its cases first: what is read after the lock holds until the end.
        case = uow.cases.lock(case_id)
        if case.state is CaseState.CLOSED:
            return
        here = {one.sop_instance_uid for one in uow.studies.objects(study.id)} if wanted else set()
        stored = _by_said(uow, case) if wanted else {}
        before = [stored[said] for said in wanted if said in stored and said[0] in here]
        fresh = [a for a in answers if a.stored.sop_instance_uid in here and a.said not in stored]
        made = [_record(world, case, study, answer) for answer in fresh]
        new = [one for one in made if uow.analyses.ensure(one)]
        kept = before + made
        if wanted and not kept:
            return
        for row in before:
            # An image that came late asks for the whole study: what is known of the others holds for it too.
            row.generation = case.generation
        if state is None:
            state = AiState.DONE if any(row.in_domain for row in kept) else AiState.OUT_OF_DOMAIN
        if new or case.ai_state is not state:
            case.ai_state = state
            flags = sorted({name for row in kept for name in row.flags})
            record(world, uow, Kind.CASE_INFERRED, case=case, state=state.value, flags=flags)
        if any(row.in_domain for row in new):
            ask_for_made(world, uow, case)
        raise_by(world, uow, case, [(row.sop_instance_uid, row.answer) for row in kept])
        uow.commit()


def _record(world: World, case: Case, study: Study, answer: _Answer) -> AnalysisRecord:
    said = answer.analysis.as_json()
    return AnalysisRecord(
        uid=world.identifiers.uid(),
        case_id=case.id,
        study_id=study.id,
        institution_id=case.institution_id,
        consortium_id=case.consortium_id,
        result_key=answer.key,
        model_name=answer.model.name,
        model_version=answer.model.version,
        # Of the weights that were approved; the file of the rung that ran has its own digest within the answer.
        model_sha256=answer.model.sha256,
        in_domain=answer.analysis.in_domain,
        reason=answer.analysis.reason or "",
        created_at=world.clock.now(),
        answer=said,
        flags=flags_of(said),
        sop_instance_uid=answer.stored.sop_instance_uid,
        generation=case.generation,
    )


def _fail(uow: UnitOfWork, case: Case) -> bool:
    """True where the case now says that the machine failed: one that has its answers keeps what they said."""
    stored = uow.analyses.of_case(case.id)
    answered = {row.sop_instance_uid for row in stored}
    shown = {one.sop_instance_uid for one in uow.studies.objects(case.study_id)}
    if case.state is CaseState.CLOSED:
        return False
    whole = shown <= answered and any(row.in_domain for row in stored)
    case.ai_state = AiState.DONE if whole else AiState.FAILED
    return not whole


def _out_of_service(world: World, case_id: int, fault: Unavailable, *, again: bool) -> None:
    """The case says that the machine failed, unless it was read before (`again`), and a person is told once a day
    and site, not once a case."""
    name, now = str(fault.params.get("name", "")), world.clock.now()
    with world.unit_of_work() as uow:
        case = uow.cases.lock(case_id)
        if not again and case.ai_state is not AiState.FAILED:
            reason = str(fault.params.get("reason", ""))
            _fail_aloud(world, uow, case, TAKEN_OUT, {"name": name, "reason": reason})
        cause = f"model_out:{case.institution_id}:{name}:{now.date().isoformat()}"
        place = Place(institution_id=case.institution_id, consortium_id=case.consortium_id)
        facts = {"model": name, "reason": str(fault.params.get("reason", ""))}
        raise_notice(world, uow, "notice.model_taken_out", cause, place, facts, model=name)
        uow.commit()


def give_up_inference(world: World, *, case_id: int, error: str) -> None:
    """After the last attempt: the case says that the machine could not read it, and stays where it is."""
    with world.unit_of_work() as uow:
        case = uow.cases.lock(case_id)
        _fail_aloud(world, uow, case, GIVEN_UP, {"error": error})
        uow.commit()


def give_up_rereading(world: World, *, case_id: int, error: str) -> None:
    """After the last attempt to read it again: a case keeps the answers and the state it had, and only one that was
    still promised its first answer says that the machine could not read it."""
    with world.unit_of_work() as uow:
        case = uow.cases.lock(case_id)
        if case.ai_state is AiState.PENDING:
            _fail_aloud(world, uow, case, GIVEN_UP, {"error": error})
            uow.commit()


def _fail_aloud(world: World, uow: UnitOfWork, case: Case, reason: str, params: dict[str, str]) -> None:
    """The event of a failure, where the case comes to say so."""
    if _fail(uow, case):
        failed = AiState.FAILED.value
        record(
            world, uow, Kind.CASE_INFERRED, case=case, state=failed, flags=[], reason=reason, params=params
        )


def fault_of(uow: UnitOfWork, case: Case) -> Fault | None:
    """Why the machine failed on a case, as it was recorded when it did; None where it did not fail."""
    if case.ai_state is not AiState.FAILED:
        return None
    told = [
        e for e in uow.events.of_study(case.study_id) if e.kind is Kind.CASE_INFERRED and e.case_id == case.id
    ]
    facts = told[-1].facts if told else {}
    # Failures of before this was recorded have no reason of their own.
    return Fault(str(facts.get("reason", GIVEN_UP)), dict(facts.get("params", {"error": "-"})))

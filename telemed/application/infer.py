"""AI reads a case beside the people: what it finds may raise the case, and holds nothing back."""

from dataclasses import dataclass

from telemed.application.objects import read_object
from telemed.application.ports import ModelDescription, UnitOfWork
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.analysis import Analysis, input_digest, result_key
from telemed.domain.case import AiState, Case, CaseState
from telemed.domain.events import Kind
from telemed.domain.inference import AnalysisRecord
from telemed.domain.study import StoredObject, Study
from telemed.domain.triage import raised_priority
from telemed.imaging.waveform import WaveformError, read_waveform


@dataclass(frozen=True)
class _Answer:
    stored: StoredObject
    model: ModelDescription
    analysis: Analysis
    key: str


def infer_case(world: World, *, case_id: int) -> None:
    """Runs the approved models on the case's objects; the same input and model again changes nothing."""
    with world.unit_of_work(write=False) as uow:
        case = uow.cases.get(case_id)
        study = uow.studies.get(case.study_id)
        objects = uow.studies.objects(study.id)
        approved = {a.model_sha256 for a in uow.analyses.approvals(case.institution_id)}
    models = world.analyser.models_for(case.modality)
    if not models:
        _settle(world, case_id, study, [], AiState.NO_MODEL)
        return
    allowed = [model for model in models if model.sha256 in approved]
    if not allowed:
        _settle(world, case_id, study, [], AiState.OFF)
        return
    answers = [_ask(world, stored, model) for stored in objects for model in allowed]
    in_domain = any(answer.analysis.in_domain for answer in answers)
    _settle(world, case_id, study, answers, AiState.DONE if in_domain else AiState.OUT_OF_DOMAIN)


def _ask(world: World, stored: StoredObject, model: ModelDescription) -> _Answer:
    data = read_object(world, stored)
    try:
        waveform = read_waveform(data)
    except WaveformError as fault:
        analysis = world.analyser.refuse(model.name, fault.code, dict(fault.params))
    else:
        analysis = world.analyser.analyse(model.name, waveform)
    assert analysis.model is not None
    digest = input_digest([(stored.sop_instance_uid, stored.dataset_sha256)])
    return _Answer(stored, model, analysis, result_key(digest, analysis.model))


def _settle(world: World, case_id: int, study: Study, answers: list[_Answer], state: AiState) -> None:
    with world.unit_of_work() as uow:
        case = uow.cases.get(case_id)
        new = [uow.analyses.ensure(_record(world, case, study, answer)) for answer in answers]
        flagged = [f.name for a in answers for f in a.analysis.findings if f.flag]
        if any(new) or case.ai_state is not state:
            case.ai_state = state
            flags = sorted(set(flagged))
            record(world, uow, Kind.CASE_INFERRED, case=case, state=state.value, flags=flags)
        _raise(world, uow, case, flagged)
        uow.commit()


def _record(world: World, case: Case, study: Study, answer: _Answer) -> AnalysisRecord:
    return AnalysisRecord(
        uid=world.identifiers.uid(),
        case_id=case.id,
        study_id=study.id,
        institution_id=case.institution_id,
        consortium_id=case.consortium_id,
        result_key=answer.key,
        model_name=answer.model.name,
        model_version=answer.model.version,
        model_sha256=answer.model.sha256,
        in_domain=answer.analysis.in_domain,
        reason=answer.analysis.reason or "",
        created_at=world.clock.now(),
        answer=answer.analysis.as_json(),
        sop_instance_uid=answer.stored.sop_instance_uid,
        generation=case.generation,
    )


def _raise(world: World, uow: UnitOfWork, case: Case, flagged: list[str]) -> None:
    if case.state is CaseState.FINAL:
        return
    rules = uow.rules.triage(case.consortium_id)
    priority, because = raised_priority(case.effective_priority, case.modality, flagged, rules)
    if case.raise_to(priority, because):
        record(world, uow, Kind.CASE_RAISED, case=case, priority=int(priority), because=because)


def give_up_inference(world: World, *, case_id: int) -> None:
    """After the last attempt: the case says that the machine could not read it, and stays where it is."""
    with world.unit_of_work() as uow:
        case = uow.cases.get(case_id)
        case.ai_state = AiState.FAILED
        record(world, uow, Kind.CASE_INFERRED, case=case, state=AiState.FAILED.value, flags=[])
        uow.commit()

"""Reading an archive again: every case that lacks the answer of the model in service becomes a job of the last rank.

The jobs are rows, so it goes on where it stood after any stop, and asking twice changes nothing. A case that cannot
be read again keeps what it has; its job is given up, and counts as unread until it is asked for again.
"""

from dataclasses import dataclass

from telemed.application.infer import newest_of_each
from telemed.application.jobs import JobKind, JobState
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.errors import InvalidInput
from telemed.domain.events import Kind
from telemed.domain.inference import NO_MODEL_READS, TAKEN_OUT

CHUNK = 500


@dataclass(frozen=True)
class Standing:
    """Cases of one modality: those that wait or are being read, and those given up: because the model was taken out
    of service (`out`), and for any other reason (`failed`)."""

    open: int
    failed: int
    out: int


def ask_again(world: World, *, modality: str) -> int:
    """Ask for every case of `modality` that its site's approved, newest models have not answered yet, or whose last
    attempt failed. Returns how many were asked for now. Raises InvalidInput where no model reads `modality`."""
    modality = as_coded(modality)
    models = [model.sha256 for model in newest_of_each(world.analyser.models_for(modality))]
    if not models:
        raise InvalidInput(NO_MODEL_READS, field="modality", modality=modality)
    with world.unit_of_work(write=False) as uow:
        consortia = sorted({site.consortium_id for site in uow.institutions.all() if site.consortium_id})
    return sum(_ask_consortium(world, consortium, modality, models) for consortium in consortia)


def standing(world: World, *, modality: str) -> Standing:
    """How far the reading is, now."""
    with world.unit_of_work(write=False) as uow:
        counted = uow.jobs.tally(JobKind.REINFER_CASE, as_coded(modality))
    given_up = {error: count for (state, error), count in counted.items() if state is JobState.FAILED}
    return Standing(
        open=sum(count for (state, _), count in counted.items() if state is JobState.PENDING),
        failed=sum(count for error, count in given_up.items() if error != TAKEN_OUT),
        out=given_up.get(TAKEN_OUT, 0),
    )


def as_coded(modality: str) -> str:
    """As DICOM writes it, whatever case a person typed it in."""
    return modality.strip().upper()


def _ask_consortium(world: World, consortium_id: int, modality: str, models: list[str]) -> int:
    asked, before = 0, None
    while True:
        with world.unit_of_work() as uow:
            cases = uow.cases.lacking(consortium_id, modality, models, before, CHUNK)
            if not cases:
                return asked
            now = world.clock.now()
            # What was given up before is asked for anew: its failure is not one of this reading.
            uow.jobs.forget_failed(JobKind.REINFER_CASE, cases)
            for case_id in cases:
                uow.jobs.ask(JobKind.REINFER_CASE, case_id, now, now)
            record(
                world,
                uow,
                Kind.REREADING_ASKED,
                consortium_id=consortium_id,
                modality=modality,
                models=models,
                cases=len(cases),
            )
            uow.commit()
        asked, before = asked + len(cases), cases[-1]

"""Reading an archive again: every case that lacks the answer of the model in service becomes a job of the last rank.

The jobs are rows, so it goes on where it stood after any stop, and asking twice changes nothing.
"""

from telemed.application.infer import newest_of_each
from telemed.application.jobs import JobKind
from telemed.application.world import World

CHUNK = 500


def ask_again(world: World, *, modality: str) -> int:
    """Ask for every case of `modality` that its site's approved, newest models have not answered yet, or whose last
    attempt failed. Returns how many were asked for now."""
    models = [model.sha256 for model in newest_of_each(world.analyser.models_for(modality))]
    with world.unit_of_work(write=False) as uow:
        consortia = sorted({site.consortium_id for site in uow.institutions.all() if site.consortium_id})
    return sum(_ask_consortium(world, consortium, modality, models) for consortium in consortia)


def still_to_do(world: World) -> int:
    """How many cases of a backfill wait or are being read."""
    with world.unit_of_work(write=False) as uow:
        return uow.jobs.open_of(JobKind.REINFER_CASE)


def _ask_consortium(world: World, consortium_id: int, modality: str, models: list[str]) -> int:
    asked, before = 0, None
    while True:
        with world.unit_of_work() as uow:
            cases = uow.cases.lacking(consortium_id, modality, models, before, CHUNK)
            now = world.clock.now()
            for case_id in cases:
                uow.jobs.ask(JobKind.REINFER_CASE, case_id, now, now)
            uow.commit()
        if not cases:
            return asked
        asked, before = asked + len(cases), cases[-1]

"""What time alone makes necessary: leases and sessions that ended, events to seal, finished jobs to clear.

Leases of jobs need no sweep: a job whose lease has ended is due again by the query that claims it.
"""

import logging
from datetime import timedelta

from telemed.application.record import record
from telemed.application.seal import seal_events
from telemed.application.world import World
from telemed.domain.errors import Conflict
from telemed.domain.events import Kind

log = logging.getLogger(__name__)

SWEEP_EVERY = timedelta(seconds=5)
# What happened stands in the events; a finished job is of use only to whoever looks for a fault.
DONE_JOBS_KEPT = timedelta(days=7)
_AT_ONCE = 100


def sweep(world: World) -> None:
    """Several processes may sweep at the same time: each step is one transaction, and the first one wins."""
    _release_cases(world)
    _clear(world)
    try:
        seal_events(world)
    except Conflict:
        log.debug("another process seals the events")


def _release_cases(world: World) -> None:
    now = world.clock.now()
    with world.unit_of_work(write=False) as uow:
        expired = [case.id for case in uow.cases.expired_leases(now, _AT_ONCE)]
    for case_id in expired:
        try:
            with world.unit_of_work() as uow:
                case = uow.cases.get(case_id)
                if case.lease_until is None or case.lease_until >= now:
                    continue
                holder = case.claimed_by
                case.release()
                record(world, uow, Kind.CASE_RELEASED, case=case, because="lease_expired", user=holder)
                uow.commit()
        except Conflict:
            log.debug("case %s was claimed again meanwhile", case_id)


def _clear(world: World) -> None:
    now = world.clock.now()
    with world.unit_of_work() as uow:
        uow.sessions.remove_expired(now)
        uow.jobs.remove_done(now - DONE_JOBS_KEPT)
        uow.commit()

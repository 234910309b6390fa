"""Gives events their order and chains them, after the commit: a change to a past row then shows.

A chain inside each transaction would put all writers in one line, and ids are not in the order of commits.
So one sealer comes after, and waits until transactions that began earlier have surely ended.
"""

import hashlib
import json
from datetime import UTC, timedelta

from telemed.application.world import World
from telemed.domain.events import Event

SETTLING = timedelta(seconds=10)
_FIRST_HASH = "0" * 64
_PAGE = 500


def seal_events(world: World, *, limit: int = _PAGE) -> int:
    """Seals events older than the settling time; returns how many.

    Two sealers at once: the unique `sequence` turns the later one away with Conflict, and it has changed nothing.
    """
    until = world.clock.now() - SETTLING
    with world.unit_of_work(write=False) as uow:
        if not any(event.at <= until for event in uow.events.unsealed(limit)):
            return 0
    with world.unit_of_work() as uow:
        last = uow.events.last_sealed()
        sequence, previous = (last.sequence or 0, last.chain_hash or "") if last else (0, _FIRST_HASH)
        settled = [event for event in uow.events.unsealed(limit) if event.at <= until]
        for event in settled:
            sequence += 1
            event.sequence = sequence
            event.chain_hash = previous = link(previous, event)
        uow.commit()
    return len(settled)


def verify_chain(world: World) -> int | None:
    """The sequence of the first event that is changed or absent, or None where the chain holds.

    It cannot see that the newest events were cut off: for that the last hash has to be kept elsewhere.
    """
    sequence, previous = 0, _FIRST_HASH
    with world.unit_of_work(write=False) as uow:
        while page := uow.events.sealed_after(sequence, _PAGE):
            for event in page:
                sequence += 1
                if event.sequence != sequence or event.chain_hash != link(previous, event):
                    return sequence
                previous = event.chain_hash
    return None


def link(previous: str, event: Event) -> str:
    """SHA-256 over the previous hash and the event as canonical JSON."""
    content = {
        "sequence": event.sequence,
        "uid": event.uid,
        "at": event.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "kind": event.kind.value,
        "institution_id": event.institution_id,
        "consortium_id": event.consortium_id,
        "actor_user_id": event.actor_user_id,
        "device_id": event.device_id,
        "study_id": event.study_id,
        "case_id": event.case_id,
        "report_id": event.report_id,
        "facts": event.facts,
    }
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(previous.encode() + canonical.encode()).hexdigest()

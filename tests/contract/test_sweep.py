"""What time alone brings about, and the chain over the events."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, update

from telemed.adapters.db import tables as t
from telemed.application.record import record
from telemed.application.seal import SETTLING, seal_events, verify_chain
from telemed.application.sweep import sweep
from telemed.application.world import World
from telemed.domain.case import CLAIM_LEASE, CaseState
from telemed.domain.errors import Conflict
from telemed.domain.events import Event, Kind
from telemed.domain.people import Session
from tests.contract.cast import Cast, add_case
from tests.contract.world import NOON, MovingClock


def write_events(world: World, cast: Cast, count: int = 5) -> None:
    with world.unit_of_work() as uow:
        for number in range(count):
            record(
                world,
                uow,
                Kind.SIGNED_IN,
                actor=cast.actor(cast.doctor),
                number=number,
                share=0.1 * number,
                nested={"b": [1, None], "a": "汉字"},
            )
        uow.commit()


def events_of(world: World) -> list[Event]:
    with world.unit_of_work(write=False) as uow:
        return list(uow.events.after(0, 1000))


def test_a_case_comes_back_to_the_list_when_its_lease_has_ended(
    world: World, cast: Cast, clock: MovingClock
) -> None:
    with world.unit_of_work() as uow:
        held, free = add_case(uow, cast), add_case(uow, cast)
        held.claim(cast.doctor.id, clock.now())
        uow.commit()
    sweep(world)
    with world.unit_of_work(write=False) as uow:
        assert uow.cases.get(held.id).state is CaseState.READING
    clock.instant += CLAIM_LEASE + timedelta(seconds=1)
    sweep(world)
    sweep(world)
    with world.unit_of_work(write=False) as uow:
        case = uow.cases.get(held.id)
        assert (case.state, case.claimed_by, case.lease_until) == (CaseState.WAITING, None, None)
        assert uow.cases.get(free.id).version == 1
    (event,) = events_of(world)
    assert (event.kind, event.case_id) == (Kind.CASE_RELEASED, held.id)
    assert event.facts == {"because": "lease_expired", "user": cast.doctor.id}


def test_expired_sessions_go_and_living_ones_stay(world: World, cast: Cast) -> None:
    def session(digest: str, minutes: int) -> Session:
        return Session(
            token_digest=digest,
            kind="cookie",
            user_id=cast.doctor.id,
            csrf_token="",
            created_at=NOON,
            expires_at=NOON + timedelta(minutes=minutes),
            authenticated_at=NOON,
        )

    with world.unit_of_work() as uow:
        uow.sessions.add(session("old", -1))
        uow.sessions.add(session("living", 1))
        uow.commit()
    sweep(world)
    with world.unit_of_work(write=False) as uow:
        assert uow.sessions.by_digest("old") is None
        assert uow.sessions.by_digest("living") is not None


def test_events_are_sealed_in_order_once_they_have_settled(
    world: World, cast: Cast, clock: MovingClock
) -> None:
    write_events(world, cast, 3)
    assert seal_events(world) == 0
    clock.instant += SETTLING
    write_events(world, cast, 2)
    assert seal_events(world) == 3
    assert [event.sequence for event in events_of(world)] == [1, 2, 3, None, None]
    clock.instant += SETTLING
    assert seal_events(world, limit=1) == 1 and seal_events(world) == 1 and seal_events(world) == 0
    events = events_of(world)
    assert [event.sequence for event in events] == [1, 2, 3, 4, 5]
    assert len({event.chain_hash for event in events}) == 5
    assert verify_chain(world) is None


@pytest.mark.parametrize(
    "change",
    [
        {"facts": {"number": 2, "share": 0.2, "nested": {"b": [1, None], "a": "漢字"}}},
        {"at": NOON + timedelta(microseconds=1)},
        {"kind": Kind.SIGNED_OUT},
        {"actor_user_id": None},
        {"sequence": 77},
        {"chain_hash": "0" * 64},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_changed_event_is_found(
    world: World, cast: Cast, clock: MovingClock, engine: Engine, change: dict[str, Any]
) -> None:
    write_events(world, cast)
    clock.instant += SETTLING
    seal_events(world)
    assert verify_chain(world) is None
    with engine.begin() as connection:
        assert connection.execute(update(t.event).where(t.event.c.sequence == 3).values(change)).rowcount == 1
    assert verify_chain(world) == 3


def test_a_removed_event_is_found(world: World, cast: Cast, clock: MovingClock, engine: Engine) -> None:
    write_events(world, cast)
    clock.instant += SETTLING
    seal_events(world)
    with engine.begin() as connection:
        assert connection.execute(t.event.delete().where(t.event.c.sequence == 2)).rowcount == 1
    assert verify_chain(world) == 2


def test_sealers_at_the_same_time_leave_one_chain(world: World, cast: Cast, clock: MovingClock) -> None:
    write_events(world, cast, 60)
    clock.instant += SETTLING
    start, refused = threading.Barrier(4), list[Conflict]()

    def seal() -> None:
        start.wait()
        for _ in range(10):
            try:
                seal_events(world, limit=10)
            except Conflict as fault:
                refused.append(fault)

    threads = [threading.Thread(target=seal) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [event.sequence for event in events_of(world)] == list(range(1, 61))
    assert verify_chain(world) is None

"""`receive` is the promise: when it returns, a power cut loses none of these objects.

One durable round of the spool, then one commit of rows for the whole batch. What follows (completing, routing,
moving to the final place) is asked for in the same commit.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from telemed.application.arrival import Incoming
from telemed.application.filing import add_row, facts, file_new, item_key
from telemed.application.jobs import JobKind
from telemed.application.known import Known, look_up
from telemed.application.mpps import end_quiet_if_whole
from telemed.application.notifying import notify
from telemed.application.ports import UnitOfWork
from telemed.application.record import record
from telemed.application.registering import register
from telemed.application.restoring import takes_the_place
from telemed.application.same_object import same_object
from telemed.application.world import World
from telemed.domain.errors import Conflict, DomainError, Unavailable
from telemed.domain.events import Kind
from telemed.domain.study import KnownObject, ObjectRole, Reception, StoredObject, Study, classify

log = logging.getLogger(__name__)

__all__ = ["Incoming", "Received", "file_durable", "receive", "receive_each"]

# A rival that commits first leaves a row that the next attempt finds; each attempt is one against one.
_ATTEMPTS = 8


@dataclass(frozen=True, kw_only=True)
class Received:
    reception: Reception
    object_id: int
    study_id: int
    study_instance_uid: str
    sop_instance_uid: str
    file_sha256: str
    dataset_sha256: str
    size: int
    # Safe, and shown to nobody until a person has looked at it.
    held_back: bool = False


def receive(world: World, batch: Sequence[Incoming]) -> list[Received]:
    """For those who cannot do with a part of the batch: what of it was filed stays, and a repeat does no harm.

    Raises OutOfResources (nothing was kept) and Unavailable (send again).
    """
    outcomes = receive_each(world, batch)
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome
    return [outcome for outcome in outcomes if isinstance(outcome, Received)]


def receive_each(world: World, batch: Sequence[Incoming]) -> list[Received | DomainError]:
    """One durable round, and an outcome for each: what fails by itself is sent again by itself.

    Raises OutOfResources where nothing was kept.
    """
    if not batch:
        return []
    world.spool.make_durable([item.part for item in batch])
    return [_told(outcome) for outcome in file_durable(world, batch)]


def _told(outcome: Received | Exception) -> Received | DomainError:
    if isinstance(outcome, Received | DomainError):
        return outcome
    log.error("an object could not be filed", exc_info=outcome)
    return Unavailable("error.not_filed")


def file_durable(world: World, batch: Sequence[Incoming]) -> list[Received | Exception]:
    """As `receive_each`, for parts that are durable already.

    They share one commit; only where that fails does each stand for itself.
    """
    outcomes = _file_each(world, batch)
    world.waker.wake()
    return outcomes


def _file_each(world: World, batch: Sequence[Incoming]) -> list[Received | Exception]:
    try:
        return _file_durable(world, batch, alone=len(batch) == 1)
    except Unavailable as error:
        # Of no single object's making, and it may have been committed: all are sent again.
        return [error] * len(batch)
    except _Incomparable as error:
        if len(batch) == 1:
            return [error.reason]
    except Exception as error:  # noqa: BLE001 - given to whoever waits for the outcome
        if len(batch) == 1:
            return [error]
    # One of them stands in the way of the others.
    return [outcome for item in batch for outcome in _file_each(world, [item])]


def _file_durable(
    world: World, batch: Sequence[Incoming], *, alone: bool = True
) -> list[Received | Exception]:
    """`alone`: nobody tries again with these bytes after a failure."""
    try:
        received = _commit_rows(world, batch)
    except _CommitUncertain:
        # It may have happened: the bytes stay, and a repeat finds them.
        raise
    except Exception:
        if alone:
            for item in batch:
                item.part.discard()
        raise
    return [_settled(world, item, outcome) for item, outcome in zip(batch, received, strict=True)]


def _settled(world: World, item: Incoming, outcome: Received) -> Received | Exception:
    """Only a repeat's bytes may go, and never by way of an error: the others' rows already point to theirs."""
    if outcome.reception is not Reception.REPEAT:
        return outcome
    try:
        if takes_the_place(world, item.part, outcome.object_id):
            return outcome
    except Exception as error:  # noqa: BLE001 - given to whoever waits for the outcome, who sends again
        item.part.discard()
        return error
    item.part.discard()
    return outcome


class _CommitUncertain(Unavailable):
    """The commit failed in a way that does not say whether it happened."""


class _Incomparable(Exception):
    """The one that is held cannot be read now; this concerns a single object, and nothing was committed."""

    def __init__(self, reason: Unavailable) -> None:
        self.reason = reason


class _Undecided(Exception):
    """Another digest under a known UID: the contents are compared outside the transaction."""

    def __init__(self, item: Incoming, known: StoredObject) -> None:
        self.item, self.known = item, known


# (digest and transfer syntax of the one held, digest of the newcomer) -> is it the same? Not by the row: within one
# batch the one held may have none yet, and gets another at every attempt.
_Verdicts = dict[tuple[str, str, str], bool]


def _commit_rows(world: World, batch: Sequence[Incoming]) -> list[Received]:
    verdicts: _Verdicts = {}
    attempt = 0
    while True:
        try:
            return _transaction(world, batch, verdicts)
        except _Undecided as question:
            key = _question(question.item, question.known)
            try:
                verdicts[key] = same_object(world, question.item, question.known)
            except Unavailable as error:
                raise _Incomparable(error) from error
        except Conflict:
            attempt += 1
            if attempt == _ATTEMPTS:
                raise


def _transaction(world: World, batch: Sequence[Incoming], verdicts: _Verdicts) -> list[Received]:
    world = world.at_one_instant()
    with world.unit_of_work() as uow:
        known = look_up(uow, batch)
        register(world, uow, batch, known)
        filed = [_file(world, uow, item, known, verdicts) for item in batch]
        uow.flush()
        _ask(world, uow, filed, known)
        # Whatever the rows can object to is said here; behind it only the commit itself can fail.
        uow.flush()
        received = [
            _received(reception, item, study, stored)
            for item, (reception, study, stored) in zip(batch, filed, strict=True)
        ]
        try:
            uow.commit()
        except Exception as error:
            raise _CommitUncertain("error.database_unavailable") from error
    return received


def _ask(
    world: World, uow: UnitOfWork, filed: Sequence[tuple[Reception, Study, StoredObject]], known: Known
) -> None:
    """What is to be done with the new ones, once they are safe."""
    now = world.clock.now()
    new = [(study, stored) for reception, study, stored in filed if reception is not Reception.REPEAT]
    grown = {study.id: study for study, stored in new if stored.role is ObjectRole.PRIMARY}
    for study in grown.values():
        # Its machine may have said that this was the last one.
        end_quiet_if_whole(world, uow, study, known.performed_of(study))
    uow.jobs.ask_all(JobKind.PLACE_OBJECT, [(stored.id, now) for _, stored in new], now)
    uow.jobs.ask_all(
        JobKind.COMPLETE_STUDY, [(key, grown[key].whole_at or now) for key in sorted(grown)], now
    )


def _file(
    world: World, uow: UnitOfWork, item: Incoming, known: Known, verdicts: _Verdicts
) -> tuple[Reception, Study, StoredObject]:
    held = known.held[item.institution_id, item.header.sop_instance_uid]
    # Where it is here already, byte for byte, nobody needs to know what else is like it.
    repeated = any(_equal(item, h) and h.transfer_syntax_uid == item.transfer_syntax_uid for h in held)
    compared = [_known(item, h, verdicts if not repeated else None) for h in held]
    reception = classify(compared)
    alike = [h for h, k in zip(held, compared, strict=True) if k.same]
    same = [h for h, k in zip(held, compared, strict=True) if k.same and k.same_syntax]
    free = [h for h in alike if h.role is not ObjectRole.CONFLICT]
    if reception is Reception.ALTERNATE and not free:
        # Another form of what is held back is held back with it.
        reception = Reception.CONFLICT
    if reception is Reception.NEW:
        study, stored = file_new(world, uow, item, known)
        return (Reception.CONFLICT if stored.role is ObjectRole.CONFLICT else reception), study, stored
    shown = [h for h in held if h.role is ObjectRole.PRIMARY]
    first = (same or free or alike or shown or held)[0]
    study = known.study_of(first, uow)
    if reception is Reception.REPEAT:
        record(world, uow, Kind.OBJECT_REPEATED, study=study, device_id=item.device_id, **facts(item))
        return reception, study, first
    role = ObjectRole.ALTERNATE if reception is Reception.ALTERNATE else ObjectRole.CONFLICT
    # Beside the object whose UID it carries, whatever study it claims: no second study comes of it.
    stored = add_row(world, uow, item, known, study=study, series_id=first.series_id, role=role)
    if reception is Reception.ALTERNATE:
        record(world, uow, Kind.OBJECT_ALTERNATE, study=study, device_id=item.device_id, **facts(item))
    else:
        notify(
            world,
            uow,
            "notice.object_conflict",
            f"object:{item_key(item)}",
            study,
            stored,
            sop_instance_uid=stored.sop_instance_uid,
        )
        record(world, uow, Kind.OBJECT_CONFLICT, study=study, device_id=item.device_id, **facts(item))
    return reception, study, stored


def _question(item: Incoming, held: StoredObject) -> tuple[str, str, str]:
    return held.dataset_sha256, held.transfer_syntax_uid, item.part.dataset_sha256


def _equal(item: Incoming, held: StoredObject) -> bool:
    return held.dataset_sha256 == item.part.dataset_sha256


def _known(item: Incoming, held: StoredObject, verdicts: _Verdicts | None) -> KnownObject:
    same = _equal(item, held)
    if not same and verdicts is not None:
        key = _question(item, held)
        if key not in verdicts:
            raise _Undecided(item, held)
        same = verdicts[key]
    return KnownObject(same_syntax=held.transfer_syntax_uid == item.transfer_syntax_uid, same=same)


def _received(reception: Reception, item: Incoming, study: Study, stored: StoredObject) -> Received:
    return Received(
        reception=reception,
        object_id=stored.id,
        study_id=study.id,
        study_instance_uid=study.study_instance_uid,
        sop_instance_uid=stored.sop_instance_uid,
        file_sha256=stored.file_sha256,
        dataset_sha256=stored.dataset_sha256,
        size=item.part.size,
        held_back=stored.role is ObjectRole.CONFLICT,
    )

"""Who may come in: people and machines that are locked out or let in again, and a forgotten password.

Whoever is locked out is out at once: the sessions end with the same transaction, and what somebody wrote stays.
"""

from typing import Any

from telemed.application.administer import SHORTEST_PASSWORD
from telemed.application.ports import UnitOfWork
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand
from telemed.domain.errors import Conflict, InvalidInput, NotFound
from telemed.domain.events import Kind
from telemed.domain.people import User


def set_user_active(world: World, *, actor: Actor, uid: str, active: bool) -> User:
    """Locks somebody out, or lets them in again; asked twice it is done once.

    Raises Conflict for the own account: an installation always keeps an administrator who can sign in.
    """
    demand(actor, Action.ADMINISTER)
    with world.unit_of_work() as uow:
        user = user_of(uow, actor, uid)
        if user.id == actor.user_id and not active:
            raise Conflict("error.not_yourself")
        if user.active is not active:
            user.active = active
            _start_anew(user)
            if not active:
                uow.sessions.remove_of(user.id)
            _record(world, uow, actor, user, what="user", active=active)
        uow.commit()
    return user


def set_password(world: World, *, actor: Actor, uid: str, password: str) -> User:
    """Replaces a password nobody can read, and ends every session opened with the old one."""
    demand(actor, Action.ADMINISTER)
    if len(password) < SHORTEST_PASSWORD:
        raise InvalidInput("error.password_too_short", field="password", limit=SHORTEST_PASSWORD)
    # Hashing is slow on purpose: not while the database is held.
    digest = world.passwords.hash(password)
    with world.unit_of_work() as uow:
        user = user_of(uow, actor, uid)
        user.password_hash = digest
        _start_anew(user)
        uow.sessions.remove_of(user.id)
        _record(world, uow, actor, user, what="password")
        uow.commit()
    return user


def user_of(uow: UnitOfWork, actor: Actor, uid: str) -> User:
    """Somebody of the administrator's own consortium."""
    user = uow.users.by_uid(uid)
    if user is None or user.consortium_id != actor.consortium_id:
        raise NotFound("error.user_not_found")
    return user


def _start_anew(user: User) -> None:
    user.failed_sign_ins, user.locked_until = 0, None


def _record(world: World, uow: UnitOfWork, actor: Actor, user: User, **facts: Any) -> None:
    record(
        world,
        uow,
        Kind.SITE_CHANGED,
        actor=actor,
        institution_id=user.institution_id,
        user=user.uid,
        **facts,
    )

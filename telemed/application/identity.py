"""Signing in, sessions, and who acts. Only digests of tokens are kept; a stolen table opens nothing."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from telemed.application.ports import UnitOfWork
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand, may
from telemed.domain.errors import Forbidden, NotFound, Unauthenticated
from telemed.domain.events import Kind
from telemed.domain.people import Institution, Role, Session, User

# A shift at one desk; a program signs in anew by itself, and a viewer's token is handed to another address. No site's
# figure: a longer one would weaken every other site's, and signing has its own, per site (`signing_minutes`).
SESSION_LENGTH = {"cookie": timedelta(hours=12), "bearer": timedelta(hours=1), "viewer": timedelta(hours=1)}
LOCK_AFTER = 5
LOCKED_FOR = timedelta(minutes=10)


@dataclass(frozen=True)
class SignedIn:
    token: str
    csrf_token: str
    expires_at: datetime
    actor: Actor


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _actor(user: User, session: Session, reads_for: Sequence[int] = ()) -> Actor:
    return Actor(
        user_id=user.id,
        user_uid=user.uid,
        username=user.username,
        display_name=user.display_name,
        role=user.role,
        institution_id=user.institution_id,
        consortium_id=user.consortium_id,
        license_number=user.license_number,
        language=user.language,
        authenticated_at=session.authenticated_at,
        reads_for=tuple(reads_for),
    )


def sign_in(world: World, *, username: str, password: str, kind: str, system: bool = False) -> SignedIn:
    """Opens a session. The same refusal, in the same time, for an unknown name, a wrong password and a locked
    account: only who knows that a name exists could be told that it is locked."""
    now = world.clock.now()
    with world.unit_of_work() as uow:
        user = uow.users.by_username(username)
        locked = user is not None and _locked(user, now)
        if not _password_fits(world, uow, None if locked else user, password, now):
            uow.commit()
            raise Unauthenticated("error.sign_in_refused")
        assert user is not None
        if (user.role is Role.SYSTEM) is not system:
            raise Unauthenticated("error.sign_in_refused")
        user.failed_sign_ins, user.locked_until = 0, None
        token, csrf = world.identifiers.token(), world.identifiers.token()
        session = Session(
            token_digest=_digest(token),
            kind=kind,
            user_id=user.id,
            csrf_token=csrf,
            created_at=now,
            expires_at=now + SESSION_LENGTH[kind],
            authenticated_at=now,
        )
        uow.sessions.add(session)
        actor = _actor(user, session)
        record(world, uow, Kind.SIGNED_IN, actor=actor, session_kind=kind)
        uow.commit()
    return SignedIn(token, csrf, session.expires_at, actor)


def _locked(user: User, now: datetime) -> bool:
    return user.locked_until is not None and user.locked_until > now


def _password_fits(world: World, uow: UnitOfWork, user: User | None, password: str, now: datetime) -> bool:
    # Asked for first by everyone: it is made once, and whoever waits for that is not the one with a wrong name.
    decoy = world.passwords.decoy
    if user is None or not user.active:
        world.passwords.verify(decoy, password)
        record(world, uow, Kind.SIGN_IN_REFUSED, reason="unknown")
        return False
    if world.passwords.verify(user.password_hash, password):
        return True
    user.failed_sign_ins += 1
    if user.failed_sign_ins >= LOCK_AFTER:
        user.failed_sign_ins, user.locked_until = 0, now + LOCKED_FOR
    record(
        world,
        uow,
        Kind.SIGN_IN_REFUSED,
        institution_id=user.institution_id,
        consortium_id=user.consortium_id,
        user=user.uid,
        reason="password",
    )
    return False


def hand_to_viewer(world: World, *, actor: Actor, study_instance_uid: str) -> str:
    """A token for a viewer at an address of its own: it reads by DICOMweb what this person may see, for an hour."""
    demand(actor, Action.SEE_CASE)
    now = world.clock.now()
    with world.unit_of_work() as uow:
        study = uow.studies.visible_study(actor, study_instance_uid)
        if study is None:
            raise NotFound("error.study_not_found")
        token = world.identifiers.token()
        uow.sessions.add(
            Session(
                token_digest=_digest(token),
                kind="viewer",
                user_id=actor.user_id,
                csrf_token="",
                created_at=now,
                expires_at=now + SESSION_LENGTH["viewer"],
                authenticated_at=now,
            )
        )
        record(world, uow, Kind.SIGNED_IN, actor=actor, study=study, session_kind="viewer")
        uow.commit()
    return token


def find_session(world: World, *, token: str, kind: str, viewing: bool = False) -> tuple[Actor, Session]:
    """`viewing`: the request reads DICOMweb, so that a viewer's token will do where a bearer token is asked for."""
    now = world.clock.now()
    with world.unit_of_work(write=False) as uow:
        session = uow.sessions.by_digest(_digest(token))
        kinds = (kind, "viewer") if viewing and kind == "bearer" else (kind,)
        if session is None or session.kind not in kinds or session.expires_at <= now:
            raise Unauthenticated("error.session_over")
        user = uow.users.get(session.user_id)
        if not user.active:
            raise Unauthenticated("error.session_over")
        # Who is on duty for a reading group of another house reads there, as long as the duty lasts.
        reader = may(user.role, Action.WRITE_REPORT)
        places = uow.cases.duty_places(user.id, user.consortium_id, now) if reader else ()
        return _actor(user, session, places), session


def sign_out(world: World, *, actor: Actor, token: str) -> None:
    with world.unit_of_work() as uow:
        session = uow.sessions.by_digest(_digest(token))
        if session is not None:
            uow.sessions.remove(session)
            uow.sessions.remove_of(actor.user_id, "viewer")
            record(world, uow, Kind.SIGNED_OUT, actor=actor)
        uow.commit()


def reauthenticate(world: World, *, actor: Actor, token: str, password: str) -> datetime:
    """The licensed person is present: opens a signing period. Returns its end."""
    now = world.clock.now()
    with world.unit_of_work() as uow:
        user, session = demand_present(world, uow, actor=actor, token=token, password=password)
        session.authenticated_at = now
        record(world, uow, Kind.REAUTHENTICATED, actor=actor)
        minutes = uow.institutions.get(user.institution_id).signing_minutes
        uow.commit()
    return now + timedelta(minutes=minutes)


def demand_present(
    world: World, uow: UnitOfWork, *, actor: Actor, token: str, password: str
) -> tuple[User, Session]:
    """The person of this session knows the password now. Ends the transaction where it was a wrong one, which counts.

    Raises Forbidden with `error.password_wrong`, or `error.account_locked` after too many.
    """
    now = world.clock.now()
    user = uow.users.get(actor.user_id)
    session = uow.sessions.by_digest(_digest(token))
    if session is None:
        raise Unauthenticated("error.session_over")
    if user.locked_until is not None and _locked(user, now):
        minutes = math.ceil((user.locked_until - now).total_seconds() / 60)
        raise Forbidden("error.account_locked", minutes=minutes)
    if not _password_fits(world, uow, user, password, now):
        uow.commit()
        raise Forbidden("error.password_wrong")
    return user, session


@dataclass(frozen=True)
class Account:
    institution: Institution
    signing_until: datetime


def account(world: World, *, actor: Actor) -> Account:
    """What a page says about the person who is signed in."""
    with world.unit_of_work(write=False) as uow:
        site = uow.institutions.get(actor.institution_id)
    return Account(site, actor.authenticated_at + timedelta(minutes=site.signing_minutes))


def signing_until(world: World, *, actor: Actor) -> datetime:
    with world.unit_of_work(write=False) as uow:
        minutes = uow.institutions.get(actor.institution_id).signing_minutes
    return actor.authenticated_at + timedelta(minutes=minutes)


def set_language(world: World, *, actor: Actor, language: str) -> None:
    with world.unit_of_work() as uow:
        uow.users.get(actor.user_id).language = language
        uow.commit()

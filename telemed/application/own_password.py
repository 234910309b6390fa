"""The own password: changed by whoever knows the present one, and every other session ends with it."""

from telemed.application.administer import SHORTEST_PASSWORD
from telemed.application.identity import demand_present
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.access import Actor
from telemed.domain.errors import InvalidInput
from telemed.domain.events import Kind


def change_password(
    world: World, *, actor: Actor, token: str, password: str, new_password: str, repeated: str
) -> None:
    """`password` is the present one. What somebody opened with it elsewhere, a viewer's token too, is over."""
    if len(new_password) < SHORTEST_PASSWORD:
        raise InvalidInput("error.password_too_short", field="new_password", limit=SHORTEST_PASSWORD)
    if new_password == password:
        raise InvalidInput("error.password_same", field="new_password")
    if repeated != new_password:
        raise InvalidInput("error.password_repeated", field="repeated")
    # Hashing is slow on purpose: not while the database is held.
    digest = world.passwords.hash(new_password)
    with world.unit_of_work() as uow:
        user, session = demand_present(world, uow, actor=actor, token=token, password=password)
        user.password_hash = digest
        user.failed_sign_ins = 0
        uow.sessions.remove_others(session)
        record(
            world,
            uow,
            Kind.SITE_CHANGED,
            actor=actor,
            institution_id=user.institution_id,
            user=user.uid,
            what="own_password",
        )
        uow.commit()

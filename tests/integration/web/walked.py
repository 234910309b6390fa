"""Rows of township A1 that the walk over the routes names in its paths, under ids of their own."""

from __future__ import annotations

from telemed.application.administer import NewUser, create_device, create_user
from telemed.domain.people import Institution, Role
from tests.cast import PASSWORD, Cast

WALKED = {
    "user_id": "walk-user",
    "device_id": "walk-device",
}


def add_walked(cast: Cast, site: Institution) -> None:
    """What an administrator may change of people and machines."""
    new = NewUser(username="walked", display_name="虚构", role=Role.FAMILY_DOCTOR, password=PASSWORD)
    with cast.world.unit_of_work() as uow:
        user = create_user(cast.world, uow, site, new)
        device = create_device(cast.world, uow, site, ae_title="WALKED", network="127.0.0.0/8")
        user.uid, device.uid = WALKED["user_id"], WALKED["device_id"]
        uow.commit()

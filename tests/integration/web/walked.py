"""What an administrator may change of township A1, under ids that the walk over the routes names in its paths."""

from __future__ import annotations

from datetime import date

from telemed.application.administer import NewUser, create_device, create_user
from telemed.application.run_again import JOB_FAILED
from telemed.domain.notice import Notice
from telemed.domain.order import Priority
from telemed.domain.people import Institution, Role
from telemed.domain.resident import Contract
from telemed.domain.routing import Duty, ReadingGroup, RoutingRule
from telemed.domain.triage import TriageRule
from tests.cast import PASSWORD, Cast

WALKED = {
    "user_id": "walk-user",
    "device_id": "walk-device",
    "route_id": "walk-route",
    "triage_id": "walk-triage",
    "contract_id": "walk-contract",
    # The duties of the cast come before it.
    "duty_id": "1",
}
# Tells of a job that was given up and has been done since.
JOB_NOTICE = "walk-job"


def add_walked(cast: Cast, site: Institution) -> None:
    family = NewUser(username="walked", display_name="虚构", role=Role.FAMILY_DOCTOR, password=PASSWORD)
    reader = NewUser(username="walking", display_name="虚构", role=Role.REPORTING_DOCTOR, password=PASSWORD)
    assert site.consortium_id is not None
    consortium = site.consortium_id
    with cast.world.unit_of_work() as uow:
        user, other = (create_user(cast.world, uow, site, one) for one in (family, reader))
        device = create_device(cast.world, uow, site, ae_title="WALKED", network="127.0.0.0/8")
        user.uid, other.uid, device.uid = WALKED["user_id"], "walk-reader", WALKED["device_id"]
        group = ReadingGroup(
            uid="walk-group", institution_id=site.id, consortium_id=consortium, code="walked", name="虚构"
        )
        uow.rules.add(group)
        uow.flush()
        uow.rules.add(
            RoutingRule(
                uid=WALKED["route_id"],
                consortium_id=consortium,
                rank=99,
                reading_group_id=group.id,
                limit_minutes=30,
            )
        )
        uow.rules.add(
            TriageRule(
                uid=WALKED["triage_id"],
                consortium_id=consortium,
                modality="US",
                finding="WALK",
                priority=Priority.URGENT,
            )
        )
        uow.rules.add(
            Duty(reading_group_id=group.id, user_id=other.id, starts_at=cast.clock.now(), ends_at=None)
        )
        uow.notices.raise_once(
            Notice(
                uid=JOB_NOTICE,
                institution_id=site.id,
                consortium_id=consortium,
                code=JOB_FAILED,
                cause_key=JOB_NOTICE,
                created_at=cast.clock.now(),
                facts={"job": 0, "kind": "infer_case", "error": "error.untold", "attempts": 1},
            )
        )
        resident = next(iter(cast.residents.values()))
        uow.residents.add_contract(
            Contract(
                uid=WALKED["contract_id"],
                resident_id=resident.id,
                family_doctor_id=user.id,
                institution_id=site.id,
                consortium_id=consortium,
                valid_from=date(2020, 1, 1),
                valid_to=date(2020, 12, 31),
            )
        )
        uow.commit()

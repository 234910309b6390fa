"""An object whose bytes are no data set: kept as they came, and told to a person, though its sender is refused.

The sender goes on trying and may yet send it whole; what it sent meanwhile is there for whoever looks into the fault.
"""

from typing import Any

from telemed.application.notifying import notify_institution
from telemed.application.ports import SpoolPart
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.access import Actor
from telemed.domain.errors import Unavailable
from telemed.domain.events import Kind
from telemed.domain.people import Device


def keep_unreadable(
    world: World, *, part: SpoolPart, sender: Device | Actor, sop_instance_uid: str, reason: str
) -> None:
    """Takes the part over. The same bytes are kept and told of once. `reason` is a catalogue key.

    `sender` is the machine of a DIMSE association, or whoever sent it by HTTP.

    Raises OutOfResources and Unavailable; nothing is kept then.
    """
    device, actor = (sender, None) if isinstance(sender, Device) else (None, sender)
    named: dict[str, Any] = {"ae_title": device.ae_title} if device else {}
    named |= {"username": actor.username} if actor else {}
    try:
        world.spool.make_durable([part])
        with world.unit_of_work() as uow:
            told = notify_institution(
                world,
                uow,
                "notice.object_unreadable" if device else "notice.object_unreadable_upload",
                f"unreadable:{sender.institution_id}:{part.file_sha256}",
                institution_id=sender.institution_id,
                consortium_id=sender.consortium_id,
                sop_instance_uid=sop_instance_uid,
                sha256=part.file_sha256,
                **named,
            )
            if told:
                record(
                    world,
                    uow,
                    Kind.OBJECT_UNREADABLE,
                    actor=actor,
                    institution_id=sender.institution_id,
                    consortium_id=sender.consortium_id,
                    device_id=device.id if device else None,
                    sop_instance_uid=sop_instance_uid,
                    file_sha256=part.file_sha256,
                    size=part.size,
                    reason=reason,
                )
            uow.commit()
    except Unavailable:
        # The commit may have happened: the notice then speaks of these bytes.
        raise
    except BaseException:
        part.discard()
        raise
    if not told:
        part.discard()

"""An object whose bytes are no data set: kept as they came, and told to a person, though its sender is refused.

The sender goes on trying and may yet send it whole; what it sent meanwhile is there for whoever looks into the fault.
"""

from telemed.application.notifying import notify_institution
from telemed.application.ports import SpoolPart
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.errors import Unavailable
from telemed.domain.events import Kind
from telemed.domain.people import Device


def keep_unreadable(
    world: World, *, part: SpoolPart, device: Device, sop_instance_uid: str, reason: str
) -> None:
    """Takes the part over. The same bytes are kept and told of once. `reason` is a catalogue key.

    Raises OutOfResources and Unavailable; nothing is kept then.
    """
    try:
        world.spool.make_durable([part])
        with world.unit_of_work() as uow:
            told = notify_institution(
                world,
                uow,
                "notice.object_unreadable",
                f"unreadable:{device.institution_id}:{part.file_sha256}",
                institution_id=device.institution_id,
                consortium_id=device.consortium_id,
                sop_instance_uid=sop_instance_uid,
                ae_title=device.ae_title,
                sha256=part.file_sha256,
            )
            if told:
                record(
                    world,
                    uow,
                    Kind.OBJECT_UNREADABLE,
                    institution_id=device.institution_id,
                    consortium_id=device.consortium_id,
                    device_id=device.id,
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

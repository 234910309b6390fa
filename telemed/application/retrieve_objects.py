"""C-GET and C-MOVE: which objects a machine may have, in the form the receiving side reads, and how it went."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from telemed.application.ports.dicom import Retrievable
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.errors import InvalidInput, NotFound
from telemed.domain.events import Kind
from telemed.domain.exchange import RemoteNode
from telemed.domain.matching import OneOf
from telemed.domain.people import Device
from telemed.domain.store_status import is_taken
from telemed.domain.study import StoredObject

# Counts of sub-operations are 16 bits wide.
MOST_OBJECTS = 65_535


def destination_of(world: World, *, device: Device, ae_title: str) -> RemoteNode:
    """Raises NotFound unless the title is registered for the asking machine's institution."""
    with world.unit_of_work(write=False) as uow:
        node = uow.remote_nodes.by_ae_title(device.institution_id, ae_title)
    if node is None:
        raise NotFound("error.destination_unknown")
    return node


def plan_retrieval(
    world: World, *, device: Device, keys: Mapping[str, OneOf], service: str, destination: str
) -> Sequence[Retrievable]:
    """What will be sent. Each study's opening is an event, written before the first byte leaves.

    Raises InvalidInput where the keys mean patients or studies of several institutions or issuers: nothing is mixed.
    """
    with world.unit_of_work() as uow:
        found = uow.index.retrievable(device, keys)
        _demand_one_meaning(found, keys)
        studies = {one.study.id: one.study for one in found}
        for study in studies.values():
            record(
                world,
                uow,
                Kind.OBJECT_READ,
                study=study,
                device_id=device.id,
                what=service,
                to=destination,
                objects=sum(1 for one in found if one.study.id == study.id),
            )
        uow.commit()
    return found


def _demand_one_meaning(found: Sequence[Retrievable], keys: Mapping[str, OneOf]) -> None:
    by_number = not any(name in keys for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"))
    # By what the keys mean: the patient number alone, else each study UID for itself.
    owners: dict[str, tuple[int, str]] = {}
    for one in found:
        meant = "" if by_number else one.study.study_instance_uid
        owner = (one.study.institution_id, one.issuer)
        if owners.setdefault(meant, owner) != owner:
            raise InvalidInput("error.retrieve_ambiguous")


@dataclass
class Tally:
    """The sub-operations of one retrieval (PS3.4 C.4.2.1.6)."""

    remaining: int
    completed: int = 0
    warned: int = 0
    failed: list[str] = field(default_factory=list)

    def count(self, sop_instance_uid: str, status: int | None) -> None:
        """`status` of the receiving side; None where nothing could be sent."""
        self.remaining -= 1
        if status is None or not is_taken(status):
            self.failed.append(sop_instance_uid)
        elif status == 0:
            self.completed += 1
        else:
            self.warned += 1


def readable_form(forms: Sequence[StoredObject], accepts: Callable[[str, str], bool]) -> StoredObject | None:
    """The form as it was received if the other side reads it, else an alternate that it reads."""
    return next((form for form in forms if accepts(form.sop_class_uid, form.transfer_syntax_uid)), None)


def record_outcome(world: World, *, device: Device, service: str, destination: str, tally: Tally) -> None:
    with world.unit_of_work() as uow:
        record(
            world,
            uow,
            Kind.OBJECT_SENT,
            device_id=device.id,
            institution_id=device.institution_id,
            consortium_id=device.consortium_id,
            what=service,
            to=destination,
            completed=tally.completed,
            warned=tally.warned,
            failed=len(tally.failed),
            not_sent=tally.remaining,
        )
        uow.commit()

"""C-FIND over what is held: the keys of a query, and rows of answers within what the asking machine may see."""

from collections.abc import Sequence

from telemed.application.ports.dicom import IndexRow, Level, ObjectQuery
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.errors import InvalidInput
from telemed.domain.events import Kind
from telemed.domain.people import Device

# More than a person reads; whoever wants them all asks by day.
MOST_ANSWERS = 2000

# Keys beneath which no table need be walked: one of them must be given for series and images.
_ANCHORS = {
    Level.SERIES: ("StudyInstanceUID", "SeriesInstanceUID"),
    Level.IMAGE: ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"),
}


def find_objects(world: World, *, device: Device, query: ObjectQuery) -> tuple[Sequence[IndexRow], bool]:
    """The rows, and whether there are more than are given. Raises InvalidInput where a UID above is missing."""
    anchors = _ANCHORS.get(query.level)
    if anchors and not any(key in query.keys for key in anchors):
        raise InvalidInput("error.query_needs_uid", level=query.level.value)
    # Finding is reading patient data: its event is written before anything leaves.
    with world.unit_of_work(write=False) as uow:
        rows = uow.index.find(device, query, MOST_ANSWERS + 1)
    limited = len(rows) > MOST_ANSWERS
    rows = rows[:MOST_ANSWERS]
    if rows:
        with world.unit_of_work(synced=False) as uow:
            record(
                world,
                uow,
                Kind.QUERY_ANSWERED,
                device_id=device.id,
                institution_id=device.institution_id,
                consortium_id=device.consortium_id,
                level=query.level.value,
                # Which keys, not what was sought: a name stands in no event.
                keys=sorted([*query.keys, *(["PatientName"] if query.name else [])]),
                answers=len(rows),
            )
            uow.commit()
    return rows, limited

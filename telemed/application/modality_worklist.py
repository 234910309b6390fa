"""The modality worklist: what stands open for a machine's institution, so that nobody types a name twice."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from threading import Lock
from zoneinfo import ZoneInfo

from telemed.application.ports import UnitOfWork
from telemed.application.ports.dicom import StepQuery, WorklistEntry
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.events import Kind
from telemed.domain.matching import Between, parse_date
from telemed.domain.order import Order, Procedure
from telemed.domain.people import Device
from telemed.domain.scheduling import ScheduledStep

# More open steps than one machine ever has to choose from.
MOST_STEPS = 500


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """When, where and as what a procedure is to be done; all of it may be left open."""

    # Without a zone: in the institution's own.
    at: datetime | None = None
    station_ae_title: str = ""
    # As which examination its machine is to list it; a scheme is the site's own where none is named.
    code_value: str = ""
    code_scheme: str = ""
    code_meaning: str = ""


# As soon as the patient stands there, on any machine of the institution.
ANY_TIME = Schedule()


def schedule_step(
    world: World, uow: UnitOfWork, order: Order, procedure: Procedure, schedule: Schedule
) -> ScheduledStep:
    """The study's UID is given here: the study comes back under it, whatever else a machine leaves out."""
    at = schedule.at
    if at is not None and at.tzinfo is None:
        at = at.replace(tzinfo=ZoneInfo(uow.institutions.get(procedure.institution_id).time_zone)).astimezone(
            UTC
        )
    step = ScheduledStep(
        uid=world.identifiers.uid(),
        procedure_id=procedure.id,
        institution_id=procedure.institution_id,
        consortium_id=procedure.consortium_id,
        study_instance_uid=new_dicom_uid(world),
        step_id=f"S{procedure.id}",
        modality=procedure.modality,
        scheduled_at=at or order.created_at,
        station_ae_title=schedule.station_ae_title.strip()[:16],
        code_value=schedule.code_value.strip(),
        code_scheme=schedule.code_scheme.strip(),
        code_meaning=schedule.code_meaning.strip(),
    )
    uow.steps.add(step)
    uow.flush()
    return step


def new_dicom_uid(world: World) -> str:
    """A random UUID as a UID (PS3.5 B.2): unique without a registered root."""
    return f"2.25.{int(world.identifiers.uid().replace('-', ''), 16)}"


class WorklistDesk:
    """Answers machines. They ask every few seconds: only what a machine sees for the first time is an event."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._shown: dict[int, set[str]] = defaultdict(set)
        self._lock = Lock()

    def open_steps(
        self, *, device: Device, query: StepQuery, dates: Between | None, times: Between | None
    ) -> Sequence[WorklistEntry]:
        """`dates` and `times` are one range of instants (PS3.4 K.2.2.1), in the zone of the institution."""
        world = self._world
        with world.unit_of_work(write=False) as uow:
            zone = ZoneInfo(uow.institutions.get(device.institution_id).time_zone)
            found = uow.steps.open_for(
                device, _dated(query, dates, times, zone), MOST_STEPS, world.clock.now()
            )
        if times is not None and dates is None:
            found = [e for e in found if times.fits(f"{e.step.scheduled_at.astimezone(zone):%H%M%S}")]
        self._record(device, found)
        return found

    def _record(self, device: Device, found: Sequence[WorklistEntry]) -> None:
        current = {entry.step.uid for entry in found}
        with self._lock:
            fresh = sorted(current - self._shown[device.id])
        if not fresh:
            return
        world = self._world
        with world.unit_of_work() as uow:
            record(
                world,
                uow,
                Kind.STEP_SHOWN,
                device_id=device.id,
                institution_id=device.institution_id,
                consortium_id=device.consortium_id,
                steps=fresh,
            )
            uow.commit()
        with self._lock:
            known = self._shown[device.id]
            # What was performed meanwhile is not shown again: it need not be remembered.
            self._shown[device.id] = (known | current) if len(known) < 10 * MOST_STEPS else current


def local_start(entry: WorklistEntry) -> datetime:
    return entry.step.scheduled_at.astimezone(ZoneInfo(entry.institution.time_zone))


def _dated(query: StepQuery, dates: Between | None, times: Between | None, zone: ZoneInfo) -> StepQuery:
    if dates is None:
        return query
    since = before = None
    first, last = parse_date(dates.low), parse_date(dates.high)
    if first is not None:
        start = _clock(times.low) if times and times.low else time.min
        since = datetime.combine(first, start, zone)
    if last is not None:
        end = _clock(times.high) if times and times.high else time.max
        before = datetime.combine(last, end, zone) + timedelta(microseconds=1)
    return replace(query, since=since, before=before)


def _clock(value: str) -> time:
    """Of HH up to HHMMSS.ffffff."""
    digits, _, fraction = value.partition(".")
    digits = digits.ljust(6, "0")
    return time(int(digits[:2]), int(digits[2:4]), int(digits[4:6]), int(fraction.ljust(6, "0") or 0))

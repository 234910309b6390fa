"""Storage commitment: a device asks whether it may delete. Each object is read and its digest computed anew; the
answer goes to the device on an association of our own, again and again until it has been heard."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from telemed.application.jobs import JobKind
from telemed.application.lost_objects import tell_lost
from telemed.application.notifying import notify_institution
from telemed.application.objects import is_lost, opened
from telemed.application.ports import UnitOfWork
from telemed.application.ports.dicom import CommitmentReport
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.errors import InvalidInput, Unavailable
from telemed.domain.events import Kind
from telemed.domain.exchange import CommitmentRequest, CommitmentState, RemoteNode
from telemed.domain.people import Device
from telemed.domain.study import StoredObject

# Failure reasons of PS3.3 C.14.1.1.
PROCESSING_FAILURE, NO_SUCH_OBJECT, CLASS_INSTANCE_CONFLICT = 0x0110, 0x0112, 0x0119
MOST_OBJECTS = 10_000
# A device that does not hear its report for this many attempts: somebody should look at its address.
_TELL_AFTER = 4


def ask_commitment(
    world: World, *, device: Device, transaction_uid: str, objects: Sequence[tuple[str, str]]
) -> CommitmentRequest:
    """Takes the request down; the report is a job. The same transaction again is reported again."""
    if not transaction_uid or not objects or len(objects) > MOST_OBJECTS:
        raise InvalidInput("error.commitment_invalid")
    now, asked = world.clock.now(), [list(pair) for pair in objects]
    with world.unit_of_work() as uow:
        request = uow.commitments.ensure(
            CommitmentRequest(
                uid=world.identifiers.uid(),
                institution_id=device.institution_id,
                consortium_id=device.consortium_id,
                device_id=device.id,
                transaction_uid=transaction_uid,
                objects=asked,
                created_at=now,
            )
        )
        if request.state is not CommitmentState.ASKED:
            request.state, request.failures, request.created_at = CommitmentState.ASKED, 0, now
            request.objects = asked
        elif request.objects != asked:
            # A device that gives two requests one number hears of all it asked for.
            request.objects = [*request.objects, *(pair for pair in asked if pair not in request.objects)]
        _event(world, uow, Kind.COMMITMENT_ASKED, request, objects=len(objects))
        uow.jobs.ask(JobKind.REPORT_COMMITMENT, request.id, now, now)
        uow.commit()
    world.waker.wake()
    return request


def report_commitment(world: World, *, request_id: int) -> None:
    """Idempotent: a request that was reported is left alone. A device that is away puts it off, row and job."""
    with world.unit_of_work(write=False) as uow:
        request = uow.commitments.get(request_id)
        device = uow.devices.get(request.device_id)
        node = uow.remote_nodes.by_ae_title(device.institution_id, device.ae_title)
    if request.state is not CommitmentState.ASKED:
        return
    report = check_objects(world, request)
    try:
        status = _send(world, device, node, report)
    except Unavailable as error:
        _put_off(world, request_id, device, str(error.params.get("error", error.code)))
        return
    if status != 0:
        _put_off(world, request_id, device, f"0x{status:04X}")
        return
    with world.unit_of_work() as uow:
        request = uow.commitments.get(request_id)
        request.state, request.reported_at = CommitmentState.REPORTED, world.clock.now()
        _event(
            world,
            uow,
            Kind.COMMITMENT_REPORTED,
            request,
            committed=len(report.committed),
            failed=[[uid, reason] for _, uid, reason in report.failed],
        )
        uow.commit()


def check_objects(world: World, request: CommitmentRequest) -> CommitmentReport:
    """One object at a time: what is held under its UID must be there, whole, to the last bit."""
    committed: list[tuple[str, str]] = []
    failed: list[tuple[str, str, int]] = []
    for sop_class, instance in request.objects:
        with world.unit_of_work(write=False) as uow:
            held = uow.studies.held_under(request.institution_id, instance)
        reason = _reason_against(world, sop_class, held)
        if reason is None:
            committed.append((sop_class, instance))
        else:
            failed.append((sop_class, instance, reason))
    return CommitmentReport(request.transaction_uid, committed, failed)


def _reason_against(world: World, sop_class: str, held: Sequence[StoredObject]) -> int | None:
    if not held:
        return NO_SUCH_OBJECT
    if all(stored.sop_class_uid != sop_class for stored in held):
        return CLASS_INSTANCE_CONFLICT
    # All that came under the UID: which of two contents the device still has, nobody here knows.
    return None if all(_is_whole(world, stored) for stored in held) else PROCESSING_FAILURE


def _is_whole(world: World, stored: StoredObject) -> bool:
    try:
        with opened(world, stored):
            return True
    except Unavailable as error:
        if not is_lost(error):
            raise
        tell_lost(world, stored, error.code)
        return False


def _send(world: World, device: Device, node: RemoteNode | None, report: CommitmentReport) -> int:
    if node is None:
        raise Unavailable("error.device_has_no_address", ae_title=device.ae_title)
    return world.peers.report_commitment(node, report)


def _put_off(world: World, request_id: int, device: Device, reason: str) -> None:
    now = world.clock.now()
    with world.unit_of_work() as uow:
        request = uow.commitments.get(request_id)
        days = uow.institutions.get(request.institution_id).commitment_days
        again: datetime | None = request.failed(now, timedelta(days=days))
        if again is None:
            _event(world, uow, Kind.COMMITMENT_GIVEN_UP, request, reason=reason)
        else:
            uow.jobs.ask(JobKind.REPORT_COMMITMENT, request.id, again, now)
        if again is None or request.failures == _TELL_AFTER:
            notify_institution(
                world,
                uow,
                "notice.commitment_unheard",
                f"commitment:{request.uid}:{request.failures}",
                institution_id=request.institution_id,
                consortium_id=request.consortium_id,
                ae_title=device.ae_title,
                error=reason,
            )
        uow.commit()


def _event(world: World, uow: UnitOfWork, kind: Kind, request: CommitmentRequest, **facts: Any) -> None:
    record(
        world,
        uow,
        kind,
        device_id=request.device_id,
        institution_id=request.institution_id,
        consortium_id=request.consortium_id,
        transaction_uid=request.transaction_uid,
        **facts,
    )

"""The signed report reaches everyone it belongs to: a row each, a document that can be printed."""

import hashlib
import logging
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from telemed.application.document import report_document
from telemed.application.key_images import KeyImage, printed_key_images
from telemed.application.objects import read_object
from telemed.application.picture_marks import marks_in_force
from telemed.application.ports import InboxRow, UnitOfWork
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand
from telemed.domain.case import Case
from telemed.domain.delivery import Delivery, Recipient, recipient_key, recipients
from telemed.domain.errors import NotFound, Unavailable
from telemed.domain.events import Kind
from telemed.domain.report import IN_FORCE, Report, ReportState
from telemed.domain.study import StoredObject
from telemed.imaging.pixels import PixelError, rendered
from telemed.imaging.pixels.marked import with_marks
from telemed.imaging.waveform import Waveform, WaveformError, read_waveform

log = logging.getLogger(__name__)

PICTURES_PRINTED = 2
PICTURE_PIXELS = 1400


def deliver_report(world: World, *, report_id: int) -> None:
    """Renders the document once, then one copy per recipient, all in one transaction; again changes nothing."""
    with world.unit_of_work(write=False) as uow:
        report = uow.reports.get(report_id)
        if report.state not in IN_FORCE:
            return
        case = uow.cases.get(report.case_id)
        case_id = case.id
        pdf = b"" if report.pdf_sha256 else _render(world, uow, case, report)
    if pdf:
        world.objects.put(hashlib.sha256(pdf).hexdigest(), pdf)
    with world.unit_of_work() as uow:
        # Whoever withdraws it locks the case first: what is read after the lock holds until the end.
        case = uow.cases.lock(case_id)
        report = uow.reports.get(report_id)
        if report.state not in IN_FORCE:
            return
        if pdf and not report.pdf_sha256:
            report.pdf_sha256 = hashlib.sha256(pdf).hexdigest()
        _hand_out(world, uow, case, report)
        uow.commit()


def _hand_out(world: World, uow: UnitOfWork, case: Case, report: Report) -> None:
    known = {delivery.recipient_key for delivery in uow.deliveries.of_report(report.id)}
    patient = uow.patients.get(case.patient_id)
    contracts = uow.residents.contracts(patient.resident_id) if patient.resident_id else []
    zone = ZoneInfo(uow.institutions.get(case.institution_id).time_zone)
    assert report.released_at is not None
    day = report.released_at.astimezone(zone).date()
    told = recipients(case.institution_id, contracts, day)
    if report.amends_report_id is not None:
        # Whoever had the version before is told of this one, even where the contract has ended since.
        earlier = uow.deliveries.of_report(report.amends_report_id)
        told += [Recipient(one.kind, one.institution_id, one.user_id) for one in earlier]
    for recipient in told:
        key = recipient_key(recipient)
        if key in known:
            continue
        known.add(key)
        uow.deliveries.ensure(
            Delivery(
                uid=world.identifiers.uid(),
                report_id=report.id,
                case_id=case.id,
                consortium_id=case.consortium_id,
                kind=recipient.kind,
                institution_id=recipient.institution_id,
                user_id=recipient.user_id,
                recipient_key=key,
                created_at=world.clock.now(),
            )
        )
        record(world, uow, Kind.REPORT_DELIVERED, case=case, report_id=report.id, recipient=key)


def _render(world: World, uow: UnitOfWork, case: Case, report: Report) -> bytes:
    document = report_document(world, uow, case, report, language="zh-CN")
    waveform: Waveform | None = None
    pictures: list[bytes] = []
    chosen = printed_key_images(uow, case)
    for stored in uow.studies.objects(case.study_id):
        if chosen and case.modality != "ECG":
            break
        data = read_object(world, stored)
        if waveform is None and case.modality == "ECG":
            waveform = _waveform(data)
        elif case.modality != "ECG" and len(pictures) < PICTURES_PRINTED:
            pictures += _picture(data, stored)
    if chosen:
        pictures = _key_pictures(world, uow, case, chosen)
    return world.renderer.render(document, waveform, pictures)


def _key_pictures(world: World, uow: UnitOfWork, case: Case, chosen: Sequence[KeyImage]) -> list[bytes]:
    """As they were shown when they were marked, with what was measured in them."""
    objects = {stored.sop_instance_uid: stored for stored in uow.studies.objects(case.study_id)}
    marks = marks_in_force(uow.events.of_study(case.study_id), case)
    found = []
    for one in chosen:
        stored = objects.get(one.sop_instance_uid)
        if stored is None:
            continue
        data = read_object(world, stored)
        try:
            picture = rendered(data, frame=one.frame, window=one.window, max_size=PICTURE_PIXELS)
        except PixelError as fault:
            log.warning("key image %s is not printed: %s", one.sop_instance_uid, fault.code)
            continue
        here = [
            mark for mark in marks if (mark.sop_instance_uid, mark.frame) == (one.sop_instance_uid, one.frame)
        ]
        found.append(with_marks(picture, here, stored.columns or 1))
    return found


def _waveform(data: bytes) -> Waveform | None:
    """A recording without a waveform (a PDF in its place) prints its report alone."""
    try:
        return read_waveform(data)
    except WaveformError:
        return None


def _picture(data: bytes, stored: StoredObject) -> list[bytes]:
    if not stored.rows:
        return []
    try:
        return [rendered(data, max_size=PICTURE_PIXELS)]
    except PixelError:
        return []


def report_pdf(world: World, *, actor: Actor, uid: str) -> tuple[bytes, Report]:
    """The document as it was released, or marked as withdrawn; the reading is recorded."""
    demand(actor, Action.SEE_CASE)
    with world.unit_of_work() as uow:
        report = uow.reports.visible(actor, uid)
        if report is None or report.released_at is None:
            raise NotFound("error.report_not_found")
        case = uow.cases.get(report.case_id)
        withdrawn = None
        if report.state is ReportState.WITHDRAWN:
            withdrawn = report_document(world, uow, case, report, language="zh-CN")
        elif not report.pdf_sha256:
            raise Unavailable("error.report_being_printed")
        record(world, uow, Kind.REPORT_READ, actor=actor, case=case, report_id=report.id)
        uow.commit()
    if withdrawn is not None:
        # Its words with the withdrawal over every page; the recording was another person's and is not shown.
        return world.renderer.render(withdrawn), report
    try:
        return world.objects.get(report.pdf_sha256), report
    except KeyError as fault:
        raise Unavailable("error.object_missing", sha256=report.pdf_sha256[:12]) from fault


def open_delivery(world: World, *, actor: Actor, uid: str) -> InboxRow:
    return _mark(world, actor, uid, acknowledge=False)


def acknowledge(world: World, *, actor: Actor, uid: str) -> InboxRow:
    return _mark(world, actor, uid, acknowledge=True)


def _mark(world: World, actor: Actor, uid: str, *, acknowledge: bool) -> InboxRow:
    demand(actor, Action.SEE_INBOX)
    now = world.clock.now()
    with world.unit_of_work() as uow:
        delivery = uow.deliveries.visible(actor, uid)
        if delivery is None:
            raise NotFound("error.delivery_not_found")
        case = uow.cases.get(delivery.case_id)
        if delivery.opened_at is None:
            delivery.opened_at = now
            record(world, uow, Kind.DELIVERY_OPENED, actor=actor, case=case, report_id=delivery.report_id)
        if acknowledge and delivery.acknowledged_at is None:
            delivery.acknowledged_at, delivery.acknowledged_by = now, actor.user_id
            record(
                world, uow, Kind.DELIVERY_ACKNOWLEDGED, actor=actor, case=case, report_id=delivery.report_id
            )
        uow.commit()
    with world.unit_of_work(write=False) as uow:
        row = uow.deliveries.row(actor, uid)
    if row is None:
        raise NotFound("error.delivery_not_found")
    return row


def verify_code(world: World, *, code: str) -> Report | None:
    """What a printed verification code stands for; for everyone who holds the paper, without a name."""
    with world.unit_of_work(write=False) as uow:
        return uow.reports.by_verification_code(code.strip().upper().replace("-", ""))

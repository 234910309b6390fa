"""The signed report reaches everyone it belongs to: a row each, a document that can be printed."""

import hashlib
from zoneinfo import ZoneInfo

from telemed.application.document import report_document
from telemed.application.ports import InboxRow, UnitOfWork
from telemed.application.printing import printed
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand
from telemed.domain.case import Case
from telemed.domain.delivery import Delivery, Recipient, recipient_key, recipients
from telemed.domain.errors import NotFound, Unavailable
from telemed.domain.events import Kind
from telemed.domain.report import IN_FORCE, Report, ReportState


def deliver_report(world: World, *, report_id: int) -> None:
    """Renders the document once, then one copy per recipient, all in one transaction; again changes nothing."""
    with world.unit_of_work(write=False) as uow:
        report = uow.reports.get(report_id)
        if report.state not in IN_FORCE:
            return
        case = uow.cases.get(report.case_id)
        case_id = case.id
        pdf = b"" if report.pdf_sha256 else printed(world, uow, case, report)
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
    known = {delivery.recipient_key: delivery for delivery in uow.deliveries.of_report(report.id)}
    patient = uow.patients.get(case.patient_id)
    contracts = uow.residents.contracts(patient.resident_id) if patient.resident_id else []
    zone = ZoneInfo(uow.institutions.get(case.institution_id).time_zone)
    assert report.released_at is not None
    day = report.released_at.astimezone(zone).date()
    told = recipients(case.institution_id, contracts, day)
    if report.amends_report_id is not None:
        # Whoever had the version before is told of this one, even where the contract has ended since.
        earlier = uow.deliveries.of_report(report.amends_report_id)
        told += [
            Recipient(one.kind, one.institution_id, one.user_id)
            for one in earlier
            if one.taken_back_at is None
        ]
    for recipient in told:
        key = recipient_key(recipient)
        if key in known and known[key].taken_back_at is None:
            continue
        if key in known:
            known[key].hand_out_again()
        else:
            known[key] = _copy_for(world, uow, report, case, recipient)
        record(world, uow, Kind.REPORT_DELIVERED, case=case, report_id=report.id, recipient=key)


def _copy_for(world: World, uow: UnitOfWork, report: Report, case: Case, recipient: Recipient) -> Delivery:
    return uow.deliveries.ensure(
        Delivery(
            uid=world.identifiers.uid(),
            report_id=report.id,
            case_id=case.id,
            consortium_id=case.consortium_id,
            kind=recipient.kind,
            institution_id=recipient.institution_id,
            user_id=recipient.user_id,
            recipient_key=recipient_key(recipient),
            created_at=world.clock.now(),
        )
    )


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

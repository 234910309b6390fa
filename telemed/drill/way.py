"""The way of one ECG, use case by use case, as its people and machines would walk it again after a crash.

Whoever saw no success tries again in the way of the field: the sender sends again, a person clicks again on what
the page now shows.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from pydicom import Dataset

from telemed.application.deliver import acknowledge, open_delivery, report_pdf
from telemed.application.handlers import HANDLERS
from telemed.application.orders import OrderRequest, place_order
from telemed.application.ports import InboxRow
from telemed.application.read import Draft, claim, open_case, save_draft, shown
from telemed.application.receive import Incoming, receive
from telemed.application.run_jobs import run_claimed
from telemed.application.seal import SETTLING, seal_events
from telemed.application.sign import review, sign
from telemed.application.worklist import inbox
from telemed.application.world import World
from telemed.domain.errors import NotFound
from telemed.domain.order import OrderSource
from telemed.drill import house
from telemed.drill.boundaries import Boundaries
from telemed.drill.clock import ShiftedClock
from telemed.drill.objects import PATIENT, ecg, to_file
from telemed.imaging.header import dataset_offset, read_header
from telemed.imaging.own_head import part10_prefix

ACCESSION = "DRILL-A-0001"


def the_object() -> Dataset:
    """One lead is off, so that the word about its quality is a commit of the way too."""
    return ecg("kill", accession=ACCESSION, lead_off=True)


@dataclass
class Walker:
    world: World
    boundaries: Boundaries

    def walk(self, start: int, passed: Callable[[int], None]) -> None:
        """From the step number `start`; tells of each step whose success somebody saw."""
        for number, (name, step) in enumerate(STEPS):
            if number < start:
                continue
            self.boundaries.step = name
            step(self)
            passed(number)

    def order(self) -> None:
        request = OrderRequest(
            patient_id=PATIENT.patient_id,
            name="演练",
            sex=PATIENT.sex,
            birth_date=date(1970, 1, 31),
            modality="ECG",
            accession_number=ACCESSION,
            id_card_number=house.CARD_NUMBER,
        )
        place_order(
            self.world,
            actor=house.actor(self.world, house.TECHNICIAN),
            request=request,
            source=OrderSource.API,
        )

    def send(self) -> None:
        receive(self.world, [incoming(self.world, to_file(self.the_object))])

    @property
    def the_object(self) -> Dataset:
        return the_object()

    def run_jobs(self) -> None:
        """Until nothing is due, most urgent first."""
        while True:
            now = self.world.clock.now()
            with self.world.unit_of_work(write=False) as uow:
                due = uow.jobs.due(now, 1)
                if not due:
                    return
                self.boundaries.step = uow.jobs.get(due[0].id).kind.value
            run_claimed(self.world, HANDLERS, job_id=due[0].id, token=self.world.identifiers.uid())

    def look(self) -> None:
        open_case(self.world, actor=house.actor(self.world, house.REPORTING), uid=self._case_uid())

    def claim(self) -> None:
        actor = house.actor(self.world, house.REPORTING)
        claim(self.world, actor=actor, uid=self._case_uid())

    def write(self) -> None:
        actor, uid = house.actor(self.world, house.REPORTING), self._case_uid()
        versions = shown(self.world, actor, uid).versions
        latest = versions[-1] if versions else None
        if latest is not None and latest.findings == _DRAFT.findings:
            # The page shows the words already: the save had come through.
            return
        draft = replace(_DRAFT, revision=latest.revision if latest else 0)
        save_draft(self.world, actor=actor, uid=uid, draft=draft)

    def sign(self) -> None:
        actor = house.actor(self.world, house.REPORTING)
        sign(self.world, actor=actor, uid=self._case_uid(), revision=1)

    def review(self) -> None:
        actor = house.actor(self.world, house.REVIEWING)
        review(self.world, actor=actor, uid=self._case_uid(), decision="approve", revision=1)

    def open_copy(self) -> None:
        actor = house.actor(self.world, house.TECHNICIAN)
        open_delivery(self.world, actor=actor, uid=self._copy(house.TECHNICIAN).delivery.uid)

    def read_document(self) -> None:
        actor = house.actor(self.world, house.FAMILY)
        report_pdf(self.world, actor=actor, uid=self._copy(house.FAMILY).report.uid)

    def acknowledge_institution(self) -> None:
        self._acknowledge(house.TECHNICIAN)

    def acknowledge_family_doctor(self) -> None:
        self._acknowledge(house.FAMILY)

    def seal(self) -> None:
        """Once the events have settled."""
        later = ShiftedClock(self.world.clock.now() - ShiftedClock().now() + SETTLING + timedelta(seconds=1))
        while seal_events(replace(self.world, clock=later)):
            pass

    def _acknowledge(self, username: str) -> None:
        actor = house.actor(self.world, username)
        acknowledge(self.world, actor=actor, uid=self._copy(username).delivery.uid)

    def _copy(self, username: str) -> InboxRow:
        rows = inbox(self.world, actor=house.actor(self.world, username))
        if not rows:
            raise NotFound("error.delivery_not_found")
        return rows[0]

    def _case_uid(self) -> str:
        with self.world.unit_of_work(write=False) as uow:
            study = uow.studies.by_instance_uid(
                house.actor(self.world, house.TECHNICIAN).institution_id, str(the_object().StudyInstanceUID)
            )
            cases = uow.cases.of_study(study.id) if study else []
            if not cases:
                raise NotFound("error.case_not_found")
            return cases[0].uid


_DRAFT = Draft(
    findings="演练:窦性心律,一导联脱落。",
    impression="演练:请复查。",
    recommendation="",
    critical=False,
    abnormal=True,
    revision=0,
)

STEPS: tuple[tuple[str, Callable[[Walker], None]], ...] = (
    ("place_order", Walker.order),
    ("receive", Walker.send),
    ("jobs", Walker.run_jobs),
    ("open_case", Walker.look),
    ("claim", Walker.claim),
    ("save_draft", Walker.write),
    ("sign", Walker.sign),
    ("review", Walker.review),
    ("jobs", Walker.run_jobs),
    ("open_delivery", Walker.open_copy),
    ("read_document", Walker.read_document),
    ("acknowledge_institution", Walker.acknowledge_institution),
    ("acknowledge_family_doctor", Walker.acknowledge_family_doctor),
    ("seal", Walker.seal),
)


def incoming(world: World, file: bytes) -> Incoming:
    """A finished part of the township's ECG machine, as the DICOM door hands it over."""
    header = read_header(file)
    offset = dataset_offset(file)
    technician = house.actor(world, house.TECHNICIAN)
    part = world.spool.open_part()
    head = part10_prefix(header.sop_class_uid, header.sop_instance_uid, header.transfer_syntax_uid)
    part.write_meta(head, of_the_object=True)
    part.write(file[offset:])
    part.finish()
    return Incoming(
        part=part,
        transfer_syntax_uid=header.transfer_syntax_uid,
        header=header,
        institution_id=technician.institution_id,
        consortium_id=technician.consortium_id,
    )

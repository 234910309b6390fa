"""An image after its study was whole: the same case hears of it; after the signature a follow-up case does."""

from dataclasses import dataclass

from pydicom import Dataset

from telemed.application.read import Draft, claim, save_draft
from telemed.application.sign import review, sign
from telemed.domain.case import AiState, Case, CaseState
from telemed.domain.report import Report, ReportState
from telemed.drill import house
from telemed.drill.invariants import Promised, faults
from telemed.drill.objects import dataset_sha256, film
from telemed.drill.row import Outcome
from telemed.drill.site import Site, site, wait_for

_DRAFT = Draft(
    findings="演练:体模影像。",
    impression="演练:无诊断。",
    recommendation="",
    critical=False,
    abnormal=False,
    revision=0,
)


def late_image(*, quick: bool = False) -> Outcome:  # noqa: ARG001 - it has no shorter form
    films = [film("late image", number) for number in (1, 2, 3)]
    sent = {(str(ds.SOPInstanceUID), dataset_sha256(ds)) for ds in films}
    found: list[str] = []
    with site() as here, here.processes("dicom", "worker"):
        saw = [str(here.send(films[0]))]
        first = wait_for("the case", lambda: _settled(here, films[0], 1))[0]
        saw.append(str(here.send(films[1])))
        cases = wait_for("the second generation", lambda: _settled(here, films[0], 2))
        if [(case.uid, case.generation) for case in cases] != [(first.uid, 2)]:
            found.append("the second image is not in the same case")
        signed = _sign(here, first)
        saw.append(str(here.send(films[2])))
        cases = wait_for("the follow-up", lambda: _settled(here, films[0], 3))
        found += _after_signature(here, cases, signed)
        here.settle()
        found += faults(here.application, Promised(sent))
        told = sorted(notice.code for notice in here.notices())
    if saw != ["0x0000"] * 3:
        found.append(f"the sender saw {saw}")
    if told != ["notice.late_after_report", "notice.late_objects"]:
        found.append(f"told: {told}")
    return Outcome(found, {"statuses": " ".join(saw), "cases": len(cases), "notices": len(told)})


@dataclass(frozen=True)
class _Signed:
    report: Report
    document: bytes


def _settled(here: Site, sent: Dataset, generation: int) -> list[Case] | None:
    """The study's cases, once the newest of them has seen this generation and its AI step is over."""
    study = here.study(sent)
    if study is None or study.generation != generation:
        return None
    with here.world.unit_of_work(write=False) as uow:
        cases = list(uow.cases.of_study(study.id))
    newest = cases[-1] if cases else None
    if newest is None or newest.generation != generation or newest.ai_state is AiState.PENDING:
        return None
    return cases


def _sign(here: Site, case: Case) -> _Signed:
    reporting, reviewing = (house.actor(here.world, name) for name in (house.REPORTING, house.REVIEWING))
    claim(here.world, actor=reporting, uid=case.uid)
    save_draft(here.world, actor=reporting, uid=case.uid, draft=_DRAFT)
    sign(here.world, actor=reporting, uid=case.uid, revision=1)
    review(here.world, actor=reviewing, uid=case.uid, decision="approve", revision=1)
    return wait_for("the document", lambda: _printed(here, case))


def _printed(here: Site, case: Case) -> _Signed | None:
    with here.world.unit_of_work(write=False) as uow:
        report = uow.reports.latest(case.id)
    if report is None or not report.pdf_sha256:
        return None
    return _Signed(report, here.world.objects.get(report.pdf_sha256))


def _after_signature(here: Site, cases: list[Case], signed: _Signed) -> list[str]:
    old, *others = cases
    if len(others) != 1:
        return [f"{len(others)} follow-ups"]
    found, follow_up = [], others[0]
    if follow_up.follows_case_id != old.id or follow_up.state is not CaseState.WAITING:
        found.append("the follow-up does not follow the signed case")
    if (follow_up.reading_group_id, follow_up.reporting_institution_id) != (
        old.reading_group_id,
        old.reporting_institution_id,
    ):
        found.append("the follow-up is not in the list of the signer's group")
    with here.world.unit_of_work(write=False) as uow:
        now = uow.reports.get(signed.report.id)
    unchanged = now.digest() == signed.report.content_sha256 == now.content_sha256
    if now.state is not ReportState.FINAL or not unchanged or old.state is not CaseState.FINAL:
        found.append("the signed report has changed")
    if here.world.objects.get(now.pdf_sha256) != signed.document:
        found.append("the signed document has changed")
    return found

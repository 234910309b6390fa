"""Cases, the list over them, reports and their copies."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, exists, inspect, or_, select
from sqlalchemy.orm import aliased

from telemed.adapters.db import tables as t
from telemed.adapters.db.direct import find, find_kept
from telemed.adapters.db.repeats import SqlRepeats
from telemed.adapters.db.repositories import Repository
from telemed.adapters.db.scope import visible_cases, visible_deliveries, visible_reports
from telemed.adapters.db.upsert import ensure
from telemed.adapters.db.worklist import SqlWorklist
from telemed.application.jobs import JobKind, JobState
from telemed.application.ports import InboxRow
from telemed.domain.access import Actor
from telemed.domain.case import AiState, Case, CaseState
from telemed.domain.delivery import Delivery
from telemed.domain.errors import NotFound
from telemed.domain.people import Institution, User
from telemed.domain.report import IN_FORCE, Report
from telemed.domain.resident import Patient
from telemed.domain.study import Study
from telemed.domain.worklist import OPEN

_C = t.reading_case.c


_INBOX: tuple[Any, ...] = (Delivery, Report, Case, Study, Patient)


class SqlCases(SqlWorklist, SqlRepeats):
    def get(self, case_id: int) -> Case:
        return self._get(Case, case_id)

    def lock(self, case_id: int) -> Case:
        found = find_kept(self._session, Case, _locking(), {"id": case_id}, afresh=True)
        if not found:
            raise NotFound("error.not_found")
        return found[0]

    def of_study(self, study_id: int) -> Sequence[Case]:
        return find(self._session, Case, study_id=study_id)

    def of_order(self, order_id: int) -> Sequence[Case]:
        procedures = select(t.procedure.c.id).where(t.procedure.c.order_id == order_id)
        return self._all(Case, _C.procedure_id.in_(procedures), order=_C.id)

    def visible(self, actor: Actor, uid: str) -> Case | None:
        return self._one(Case, _C.uid == uid, visible_cases(actor))

    def expired_leases(self, now: datetime, limit: int) -> Sequence[Case]:
        statement = select(Case).where(
            _C.claimed_by.is_not(None), _C.lease_until < now, _C.state == CaseState.READING
        )
        return self._session.execute(statement.order_by(_C.id).limit(limit)).scalars().all()

    def unrouted(self, consortium_id: int, limit: int) -> Sequence[Case]:
        statement = select(Case).where(
            _C.consortium_id == consortium_id, _C.reading_group_id.is_(None), _C.state.in_(OPEN)
        )
        return self._session.execute(statement.order_by(_C.id).limit(limit)).scalars().all()

    def open_without_ai(self, institution_id: int) -> Sequence[Case]:
        return self._all(
            Case,
            _C.institution_id == institution_id,
            _C.state.in_(OPEN),
            _C.ai_state == AiState.OFF,
            order=_C.id,
        )

    def lacking(
        self, consortium_id: int, modality: str, models: Sequence[str], before: int | None, limit: int
    ) -> Sequence[int]:
        approval, analysis, job = t.model_approval.c, t.analysis.c, t.job.c
        answered = exists().where(
            analysis.case_id == _C.id,
            analysis.generation == _C.generation,
            analysis.model_sha256 == approval.model_sha256,
        )
        missing = exists().where(
            approval.institution_id == _C.institution_id,
            approval.withdrawn_at.is_(None),
            approval.model_sha256.in_(models),
            or_(~answered, _C.ai_state == AiState.FAILED),
        )
        asked = exists().where(
            job.subject_id == _C.id,
            job.kind.in_((JobKind.INFER_CASE, JobKind.REINFER_CASE)),
            job.state == JobState.PENDING,
        )
        statement = select(_C.id).where(
            _C.consortium_id == consortium_id,
            _C.modality == modality,
            _C.state != CaseState.CLOSED,
            missing,
            ~asked,
        )
        if before is not None:
            statement = statement.where(_C.id < before)
        return self._session.execute(statement.order_by(_C.id.desc()).limit(limit)).scalars().all()

    def add(self, case: Case) -> None:
        self._session.insert_later(case)


@cache
def _locking() -> Select[Any]:
    return select(t.reading_case).where(_C.id == bindparam("id")).with_for_update()


class SqlReports(Repository):
    def get(self, report_id: int) -> Report:
        return self._get(Report, report_id)

    def of_case(self, case_id: int) -> Sequence[Report]:
        return self._all(Report, t.report.c.case_id == case_id, order=t.report.c.number)

    def latest(self, case_id: int) -> Report | None:
        versions = self.of_case(case_id)
        return versions[-1] if versions else None

    def final_of_patient(self, patient_id: int) -> Sequence[Report]:
        cases = select(_C.id).where(_C.patient_id == patient_id)
        return self._all(
            Report, t.report.c.case_id.in_(cases), t.report.c.state.in_(IN_FORCE), order=t.report.c.id
        )

    def visible(self, actor: Actor, uid: str) -> Report | None:
        statement = (
            select(Report)
            .join(t.reading_case, _C.id == t.report.c.case_id)
            .where(t.report.c.uid == uid, visible_reports(actor))
        )
        return self._session.execute(statement).scalar_one_or_none()

    def by_verification_code(self, code: str) -> Report | None:
        return self._one(Report, t.report.c.verification_code == code, t.report.c.verification_code != "")

    def add(self, report: Report) -> None:
        self._session.add(report)


class SqlDeliveries(Repository):
    def of_report(self, report_id: int) -> Sequence[Delivery]:
        return self._all(Delivery, t.delivery.c.report_id == report_id, order=t.delivery.c.id)

    def inbox(self, actor: Actor, limit: int, *, open_only: bool) -> Sequence[InboxRow]:
        statement = (
            self._inbox_rows(actor)
            .where(t.report.c.state.in_(IN_FORCE))
            .order_by(
                t.delivery.c.acknowledged_at.is_not(None),
                t.report.c.critical.desc(),
                t.report.c.abnormal.desc(),
                t.delivery.c.id.desc(),
            )
            .limit(limit)
        )
        if open_only:
            statement = statement.where(t.delivery.c.acknowledged_at.is_(None))
        return self._with_people(self._session.execute(statement).all())

    def row(self, actor: Actor, uid: str) -> InboxRow | None:
        rows = self._session.execute(self._inbox_rows(actor).where(t.delivery.c.uid == uid)).all()
        found = self._with_people(rows)
        return found[0] if found else None

    def _with_people(self, rows: Sequence[Any]) -> list[InboxRow]:
        ids = {
            i for row in rows for i in (row.Report.author_id, row.Report.signed_by, row.Report.reviewed_by)
        }
        people = {user.id: user for user in self._all(User, t.user_account.c.id.in_(ids - {None}))}
        return [_inbox_row(row, people) for row in rows]

    def _inbox_rows(self, actor: Actor) -> Select[Any]:
        reporting, applicant = aliased(Institution), aliased(Institution)
        reporting_id, applicant_id = (inspect(a).selectable.c.id for a in (reporting, applicant))
        return (
            select(*_INBOX, reporting, applicant, t.procedure.c.description, t.resident.c.id_card_last4)
            .join(t.report, t.report.c.id == t.delivery.c.report_id)
            .join(t.reading_case, _C.id == t.delivery.c.case_id)
            .join(t.study, t.study.c.id == _C.study_id)
            .join(t.patient, t.patient.c.id == _C.patient_id)
            .join(t.procedure, t.procedure.c.id == _C.procedure_id)
            .outerjoin(t.resident, t.resident.c.id == t.patient.c.resident_id)
            .join(applicant, applicant_id == _C.institution_id)
            .outerjoin(reporting, reporting_id == _C.reporting_institution_id)
            .where(visible_deliveries(actor))
        )

    def visible(self, actor: Actor, uid: str) -> Delivery | None:
        return self._one(Delivery, t.delivery.c.uid == uid, visible_deliveries(actor))

    def ensure(self, delivery: Delivery) -> Delivery:
        return ensure(self._session, delivery, "report_id", "recipient_key")[0]


def _inbox_row(row: Any, people: dict[int, User]) -> InboxRow:
    delivery, report, case, study, patient, reporting, applicant, exam, last4 = row
    signers = {i: people[i] for i in (report.author_id, report.signed_by, report.reviewed_by) if i in people}
    return InboxRow(
        delivery=delivery,
        report=report,
        case=case,
        study=study,
        patient=patient,
        reporting_institution=reporting,
        applicant_institution=applicant,
        people=signers,
        exam=exam,
        id_last4=last4 or "",
    )

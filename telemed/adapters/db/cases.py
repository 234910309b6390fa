"""Cases, the list over them, reports and their copies."""

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, inspect, or_, select
from sqlalchemy.orm import aliased

from telemed.adapters.db import tables as t
from telemed.adapters.db.repositories import Repository
from telemed.adapters.db.scope import visible_cases, visible_deliveries, visible_reports
from telemed.adapters.db.upsert import ensure
from telemed.application.jobs import JobKind, JobState
from telemed.application.ports import InboxRow, WorklistPage, WorklistRow
from telemed.domain.access import Actor
from telemed.domain.case import AiState, Case, CaseState
from telemed.domain.delivery import Delivery
from telemed.domain.errors import InvalidInput
from telemed.domain.order import Order, Priority
from telemed.domain.people import Institution, User
from telemed.domain.report import Report, ReportState
from telemed.domain.resident import Patient
from telemed.domain.study import Study

OPEN = (CaseState.WAITING, CaseState.READING)
_C = t.reading_case.c


def _cursor_of(case: Case) -> str:
    key = [int(case.effective_priority), case.deadline.isoformat(), case.arrived_at.isoformat(), case.id]
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode()


def _after(cursor: str) -> ColumnElement[bool]:
    try:
        rank, deadline, arrived, key = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        position = (
            Priority(rank),
            datetime.fromisoformat(deadline).astimezone(UTC),
            datetime.fromisoformat(arrived).astimezone(UTC),
            int(key),
        )
        # Beyond a database's integers the driver itself would fail.
        if not 0 <= position[3] < 1 << 63:
            raise ValueError(key)
    except (ValueError, TypeError, OverflowError) as fault:
        raise InvalidInput("error.bad_cursor", field="cursor") from fault
    # A row comparison walks the list's index; the values go through the columns' own types.
    columns = (_C.effective_priority, _C.deadline, _C.arrived_at, _C.id)
    alternatives = []
    for index, (column, value) in enumerate(zip(columns, position, strict=True)):
        equal = [c == v for c, v in zip(columns[:index], position[:index], strict=True)]
        alternatives.append(and_(*equal, column > value))
    return or_(*alternatives)


def _view(actor: Actor, view: str, now: datetime) -> ColumnElement[bool]:
    match view:
        case "waiting":
            return _C.state.in_(OPEN)
        case "mine":
            return and_(_C.state.in_(OPEN), _C.claimed_by == actor.user_id)
        case "review":
            return _C.state == CaseState.AWAITING_REVIEW
        case "overdue":
            return and_(_C.state.in_((*OPEN, CaseState.AWAITING_REVIEW)), _C.deadline < now)
        case "done":
            return _C.state.in_((CaseState.FINAL, CaseState.REPEAT_REQUESTED, CaseState.CLOSED))
        case "all":
            return _C.state.in_((*OPEN, CaseState.AWAITING_REVIEW))
        case _:
            raise InvalidInput("error.unknown_view", field="view")


_INBOX: tuple[Any, ...] = (Delivery, Report, Case, Study, Patient)
VIEWS = ("waiting", "mine", "review", "overdue", "all")


def _rows() -> Select[Any]:
    holder = aliased(t.user_account)
    return (
        select(
            Case,
            Patient,
            Study,
            Order,
            Institution,
            holder.c.display_name,
            t.resident.c.id_card_last4,
            t.procedure.c.description,
        )
        .join(t.patient, t.patient.c.id == _C.patient_id)
        .join(t.study, t.study.c.id == _C.study_id)
        .join(t.procedure, t.procedure.c.id == _C.procedure_id)
        .join(t.exam_order, t.exam_order.c.id == t.procedure.c.order_id)
        .join(t.institution, t.institution.c.id == _C.institution_id)
        .outerjoin(holder, holder.c.id == _C.claimed_by)
        .outerjoin(t.resident, t.resident.c.id == t.patient.c.resident_id)
    )


class SqlCases(Repository):
    def get(self, case_id: int) -> Case:
        return self._get(Case, case_id)

    def of_study(self, study_id: int) -> Sequence[Case]:
        return self._all(Case, _C.study_id == study_id, order=_C.id)

    def of_order(self, order_id: int) -> Sequence[Case]:
        procedures = select(t.procedure.c.id).where(t.procedure.c.order_id == order_id)
        return self._all(Case, _C.procedure_id.in_(procedures), order=_C.id)

    def visible(self, actor: Actor, uid: str) -> Case | None:
        return self._one(Case, _C.uid == uid, visible_cases(actor))

    def worklist(
        self, actor: Actor, view: str, cursor: str | None, limit: int, now: datetime
    ) -> WorklistPage:
        where = [visible_cases(actor), _view(actor, view, now)]
        if cursor:
            where.append(_after(cursor))
        order = (_C.effective_priority, _C.deadline, _C.arrived_at, _C.id)
        if view == "done":
            # What was finished last is looked for first; no cursor there, the newest suffice.
            order = (_C.id.desc(),)  # type: ignore[assignment]
        rows = self._worklist_rows(_rows().where(*where).order_by(*order).limit(limit + 1))
        more = len(rows) > limit and view != "done"
        rows = rows[:limit]
        return WorklistPage(rows=rows, next_cursor=_cursor_of(rows[-1].case) if more else None)

    def row(self, actor: Actor, uid: str) -> WorklistRow | None:
        rows = self._worklist_rows(_rows().where(visible_cases(actor), _C.uid == uid))
        return rows[0] if rows else None

    def rows_of(self, actor: Actor, case_ids: Sequence[int]) -> Sequence[WorklistRow]:
        return self._worklist_rows(_rows().where(visible_cases(actor), _C.id.in_(case_ids)))

    def _worklist_rows(self, statement: Select[Any]) -> list[WorklistRow]:
        rows = self._session.execute(statement).all()
        flags = self._flags([row.Case.id for row in rows])
        return [
            WorklistRow(
                case=case,
                patient=patient,
                study=study,
                order=order,
                institution=institution,
                holder_name=holder or "",
                id_last4=last4 or "",
                flags=flags.get(case.id, ()),
                exam=exam,
            )
            for case, patient, study, order, institution, holder, last4, exam in rows
        ]

    def _flags(self, case_ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
        if not case_ids:
            return {}
        found: dict[int, tuple[str, ...]] = {}
        statement = (
            select(t.analysis.c.case_id, t.analysis.c.answer)
            .where(t.analysis.c.case_id.in_(case_ids))
            .order_by(t.analysis.c.id)
        )
        for case_id, answer in self._session.execute(statement):
            names = [f["name"] for f in answer.get("findings", []) if f.get("flag")]
            found[case_id] = tuple(dict.fromkeys([*found.get(case_id, ()), *names]))
        return found

    def counts(self, actor: Actor, now: datetime) -> dict[str, int]:
        statement = select(
            *(func.count().filter(_view(actor, view, now)).label(view) for view in VIEWS)
        ).where(visible_cases(actor), _C.state.in_((*OPEN, CaseState.AWAITING_REVIEW)))
        row = self._session.execute(statement).one()
        return {view: int(getattr(row, view)) for view in VIEWS}

    def expired_leases(self, now: datetime, limit: int) -> Sequence[Case]:
        statement = select(Case).where(
            _C.claimed_by.is_not(None), _C.lease_until < now, _C.state == CaseState.READING
        )
        return self._session.execute(statement.order_by(_C.id).limit(limit)).scalars().all()

    def open_without_ai(self, institution_id: int) -> Sequence[Case]:
        return self._all(
            Case,
            _C.institution_id == institution_id,
            _C.state.in_((*OPEN, CaseState.AWAITING_REVIEW)),
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
            _C.consortium_id == consortium_id, _C.modality == modality, missing, ~asked
        )
        if before is not None:
            statement = statement.where(_C.id < before)
        return self._session.execute(statement.order_by(_C.id.desc()).limit(limit)).scalars().all()

    def add(self, case: Case) -> None:
        self._session.add(case)


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
            Report, t.report.c.case_id.in_(cases), t.report.c.state == ReportState.FINAL, order=t.report.c.id
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
            .where(t.report.c.state == ReportState.FINAL)
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

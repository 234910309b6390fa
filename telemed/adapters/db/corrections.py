"""Corrections of identity: mismatches with both sides, who may be meant, and what goes with a recording."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select, update

from telemed.adapters.db import tables as t
from telemed.adapters.db.criteria import like_pattern
from telemed.adapters.db.repositories import Repository
from telemed.adapters.db.scope import visible_notices
from telemed.application.ports.corrections import About, FoundOrder, FoundPatient, Mismatch
from telemed.domain.access import Actor
from telemed.domain.case import Case
from telemed.domain.correction import Reassignment
from telemed.domain.critical import CriticalAlert, CriticalState, CriticalValue
from telemed.domain.events import Kind
from telemed.domain.inference import AnalysisRecord
from telemed.domain.notice import Notice
from telemed.domain.order import Order, Procedure
from telemed.domain.resident import Patient
from telemed.domain.study import StoredObject, Study

_R, _P, _A = t.reassignment.c, t.patient.c, t.analysis.c


class SqlCorrections(Repository):
    def add(self, made: Reassignment) -> None:
        self._session.add(made)

    def of_study(self, study_id: int) -> Sequence[Reassignment]:
        where = or_(_R.study_id == study_id, _R.from_study_id == study_id)
        return self._all(Reassignment, where, order=_R.id)

    def corrected(self, study_ids: Collection[int]) -> frozenset[int]:
        statement = select(_R.study_id).where(_R.study_id.in_(study_ids)).distinct()
        return frozenset(self._session.execute(statement).scalars())

    def search(self, institution_id: int, text: str, limit: int) -> Sequence[FoundPatient]:
        wanted = text.strip().lower()
        statement = (
            select(Patient, t.resident.c.id_card_last4)
            .outerjoin(t.resident, t.resident.c.id == _P.resident_id)
            .where(_P.institution_id == institution_id, _fits(wanted))
            .order_by(case((func.lower(_P.patient_id) == wanted, 0), else_=1), _P.id.desc())
            .limit(limit)
        )
        rows = self._session.execute(statement).all()
        orders = self._orders([patient.id for patient, _ in rows])
        return [
            FoundPatient(patient=patient, id_last4=last4 or "", orders=orders.get(patient.id, ()))
            for patient, last4 in rows
        ]

    def _orders(self, patient_ids: Sequence[int]) -> dict[int, list[FoundOrder]]:
        performed = exists(select(1).where(t.study.c.procedure_id == t.procedure.c.id).correlate(t.procedure))
        statement = (
            select(Order, Procedure, performed)
            .join(t.procedure, t.procedure.c.order_id == t.exam_order.c.id)
            .where(t.exam_order.c.patient_id.in_(patient_ids))
            .order_by(t.exam_order.c.id.desc())
        )
        found: dict[int, list[FoundOrder]] = defaultdict(list)
        for order, procedure, done in self._session.execute(statement):
            found[order.patient_id].append(FoundOrder(order=order, procedure=procedure, performed=bool(done)))
        return found

    def mismatches(self, actor: Actor, codes: Collection[str], limit: int) -> Sequence[Mismatch]:
        statement = (
            _mismatches(actor, codes).where(t.notice.c.resolved_at.is_(None)).order_by(t.notice.c.id.desc())
        )
        return _grouped(self._session.execute(statement).all())[:limit]

    def mismatch(self, actor: Actor, codes: Collection[str], uid: str) -> Mismatch | None:
        asked = self._one(Notice, t.notice.c.uid == uid, visible_notices(actor))
        if asked is None:
            return None
        rows = self._session.execute(
            _mismatches(actor, codes)
            .where(t.notice.c.study_id == asked.study_id, t.notice.c.code == asked.code)
            .order_by(t.notice.c.id)
        ).all()
        # An open one brings its fellows; one that was decided stands for itself.
        kept = [row for row in rows if row.Notice is asked or row.Notice.resolved_at is None]
        if asked.resolved_at is not None:
            kept = [row for row in rows if row.Notice is asked]
        return next((group for group in _grouped(kept) if asked in group.notices), None)

    def objects_of(self, study_id: int) -> Sequence[StoredObject]:
        column = t.stored_object.c
        statement = (
            select(StoredObject)
            .where(column.study_id == study_id)
            .order_by(column.series_id, column.instance_number, column.id)
        )
        return self._session.execute(statement).scalars().all()

    def openers(self, case_ids: Collection[int], study_id: int) -> frozenset[int]:
        event, of_study = t.event.c, t.event.c.study_id == study_id
        moved = select(func.coalesce(func.max(event.id), 0)).where(
            of_study, event.kind == Kind.STUDY_REASSIGNED
        )
        # A viewer knows studies alone: what it opened names no case.
        looked = and_(of_study, event.kind == Kind.OBJECT_READ, event.id > moved.scalar_subquery())
        opened = and_(event.case_id.in_(case_ids), event.kind != Kind.CASE_FETCHED)
        statement = select(event.actor_user_id).where(or_(opened, looked), event.actor_user_id.is_not(None))
        return frozenset(self._session.execute(statement.distinct()).scalars())

    def studies_on(self, procedure_id: int) -> int:
        statement = select(func.count()).where(t.study.c.procedure_id == procedure_id)
        return int(self._session.execute(statement).scalar_one())

    def count_analyses(self, case_id: int) -> int:
        return int(self._session.execute(select(func.count()).where(_A.case_id == case_id)).scalar_one())

    def carry_analyses(
        self, old: Case, new: Case, uids: Sequence[str], *, sop_instance_uids: Collection[str], keep: bool
    ) -> int:
        # A follow-up read the same objects as the case before it: their answers are there once.
        held = select(_A.result_key).where(_A.case_id == new.id)
        there = set(self._session.execute(held).scalars())
        of_these = (
            _A.case_id == old.id,
            _A.sop_instance_uid.in_(sop_instance_uids),
            _A.result_key.not_in(there),
        )
        if not keep:
            moved = update(t.analysis).where(*of_these)
            values = {"case_id": new.id, "study_id": new.study_id, "generation": new.generation}
            return int(self._session.connection().execute(moved.values(**values)).rowcount)
        rows = self._all(AnalysisRecord, *of_these, order=_A.id)
        for uid, row in zip(uids, rows, strict=False):
            self._session.add(_copy(row, uid, new))
        return len(rows)

    def critical_said(self, case_id: int) -> Sequence[CriticalValue]:
        value = t.critical_value.c
        stands = value.state != CriticalState.WITHDRAWN
        return self._all(CriticalValue, value.case_id == case_id, stands, order=value.id)

    def alerts_of(self, critical_value_id: int) -> Sequence[CriticalAlert]:
        alert = t.critical_alert.c
        return self._all(CriticalAlert, alert.critical_value_id == critical_value_id, order=alert.id)

    def about(self, notices: Sequence[Notice]) -> dict[int, About]:
        statement = (
            select(t.notice.c.id, Patient, t.reading_case.c.uid)
            .join(t.reading_case, t.reading_case.c.id == t.notice.c.case_id)
            .join(t.patient, _P.id == t.reading_case.c.patient_id)
            .where(t.notice.c.id.in_([one.id for one in notices]))
        )
        rows = self._session.execute(statement)
        return {key: About(patient=patient, case_uid=uid) for key, patient, uid in rows}


def _fits(wanted: str) -> ColumnElement[bool]:
    """Within the number or the name; pinyin with or without its spaces; initials from their first letter."""
    plain = like_pattern(wanted.replace("*", "").replace("?", ""))
    joined = like_pattern(wanted.replace(" ", "").replace("·", "").replace("*", "").replace("?", ""))
    name = func.lower(_P.name)
    for separator in ("·", "・", " "):
        name = func.replace(name, separator, "")
    return or_(
        func.lower(_P.patient_id).like(f"%{plain}%", escape="\\"),
        name.like(f"%{joined}%", escape="\\"),
        func.replace(func.lower(_P.name_pinyin), " ", "").like(f"%{joined}%", escape="\\"),
        func.lower(_P.name_initials).like(f"{joined}%", escape="\\"),
    )


def _mismatches(actor: Actor, codes: Collection[str]) -> Select[Any]:
    return (
        select(Notice, Study, Patient, Order, t.resident.c.id_card_last4, t.procedure.c.description)
        .join(t.study, t.study.c.id == t.notice.c.study_id)
        .join(t.patient, _P.id == t.study.c.patient_id)
        .outerjoin(t.resident, t.resident.c.id == _P.resident_id)
        .outerjoin(t.procedure, t.procedure.c.id == t.study.c.procedure_id)
        .outerjoin(t.exam_order, t.exam_order.c.id == t.procedure.c.order_id)
        .where(visible_notices(actor), t.notice.c.code.in_(codes))
    )


def _grouped(rows: Sequence[Any]) -> list[Mismatch]:
    """A hundred slices under a foreign number are one question, not a hundred."""
    groups: dict[tuple[int, str, str], list[Any]] = defaultdict(list)
    for row in rows:
        groups[row.Study.id, row.Notice.code, str(row.Notice.facts.get("claims", ""))].append(row)
    return [
        Mismatch(
            notices=[row.Notice for row in group],
            study=group[0].Study,
            patient=group[0].Patient,
            id_last4=group[0].id_card_last4 or "",
            order=group[0].Order,
            exam=group[0].description or "",
        )
        for group in groups.values()
    ]


def _copy(row: AnalysisRecord, uid: str, new: Case) -> AnalysisRecord:
    return AnalysisRecord(
        uid=uid,
        case_id=new.id,
        study_id=new.study_id,
        institution_id=new.institution_id,
        consortium_id=new.consortium_id,
        result_key=row.result_key,
        model_name=row.model_name,
        model_version=row.model_version,
        model_sha256=row.model_sha256,
        in_domain=row.in_domain,
        reason=row.reason,
        created_at=row.created_at,
        answer=row.answer,
        flags=row.flags,
        sop_instance_uid=row.sop_instance_uid,
        generation=new.generation,
    )

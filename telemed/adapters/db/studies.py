"""Studies, series and objects; the overview lines of the township page."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, func, or_, select, text
from sqlalchemy.orm import aliased

from telemed.adapters.db import tables as t
from telemed.adapters.db.direct import find, find_kept
from telemed.adapters.db.repositories import Repository, T
from telemed.adapters.db.scope import visible_cases, visible_studies
from telemed.adapters.db.upsert import ensure, ensure_all
from telemed.application.ports import StudyOverview
from telemed.domain.access import Actor
from telemed.domain.case import Case, CaseState
from telemed.domain.errors import Conflict
from telemed.domain.order import Order
from telemed.domain.report import IN_FORCE, Report
from telemed.domain.resident import Patient
from telemed.domain.study import SHOWN, ObjectRole, Series, StoredObject, Study


class SqlStudies(Repository):
    def get(self, study_id: int) -> Study:
        return self._get(Study, study_id)

    def by_instance_uid(self, institution_id: int, study_instance_uid: str) -> Study | None:
        return self._one(
            Study,
            t.study.c.institution_id == institution_id,
            t.study.c.study_instance_uid == study_instance_uid,
        )

    def by_instance_uids(self, institution_id: int, study_instance_uids: Sequence[str]) -> Sequence[Study]:
        where = {"institution_id": institution_id, "study_instance_uid": study_instance_uids}
        return find(self._session, Study, ("study_instance_uid",), **where)

    def ensure(self, study: Study) -> Study:
        return ensure(self._session, study, "institution_id", "study_instance_uid")[0]

    def ensure_all(self, studies: Sequence[Study]) -> Sequence[Study]:
        return ensure_all(self._session, studies, ("institution_id",), "study_instance_uid")

    def ensure_series(self, series: Series) -> Series:
        return ensure(self._session, series, "study_id", "series_instance_uid")[0]

    def series_among(self, study_ids: Sequence[int], series_instance_uids: Sequence[str]) -> Sequence[Series]:
        where = {"study_id": study_ids, "series_instance_uid": series_instance_uids}
        return find(self._session, Series, ("study_id", "series_instance_uid"), **where)

    def ensure_series_all(self, series: Sequence[Series]) -> Sequence[Series]:
        return ensure_all(self._session, series, ("study_id",), "series_instance_uid")

    def series(self, study_id: int) -> Sequence[Series]:
        return self._all(Series, t.series.c.study_id == study_id, order=t.series.c.id)

    def objects(self, study_id: int, *, made: bool = False) -> Sequence[StoredObject]:
        # A study is asked for its objects at every step of its way.
        roles = SHOWN if made else (ObjectRole.PRIMARY,)
        values = {"study_id": study_id, **{f"role{at}": role for at, role in enumerate(roles)}}
        return find_kept(self._session, StoredObject, _objects(len(roles)), values)

    def made_of(self, study_id: int, sop_instance_uids: Sequence[str]) -> Sequence[StoredObject]:
        return self._all(
            StoredObject,
            t.stored_object.c.study_id == study_id,
            t.stored_object.c.role == ObjectRole.DERIVED,
            t.stored_object.c.source_uid.in_(sop_instance_uids),
            order=t.stored_object.c.id,
        )

    def held_under(self, institution_id: int, sop_instance_uid: str) -> Sequence[StoredObject]:
        return self._all(
            StoredObject,
            t.stored_object.c.institution_id == institution_id,
            t.stored_object.c.sop_instance_uid == sop_instance_uid,
            order=t.stored_object.c.id,
        )

    def held_under_any(self, institution_id: int, sop_instance_uids: Sequence[str]) -> Sequence[StoredObject]:
        where = {"institution_id": institution_id, "sop_instance_uid": sop_instance_uids}
        return find(self._session, StoredObject, ("sop_instance_uid",), **where)

    def object(self, object_id: int) -> StoredObject:
        return self._get(StoredObject, object_id)

    def add_object(self, stored: StoredObject) -> None:
        self._session.insert_later(stored)

    def all_objects(self, after_id: int, limit: int) -> Sequence[StoredObject]:
        statement = (
            select(StoredObject)
            .where(t.stored_object.c.id > after_id)
            .order_by(t.stored_object.c.id)
            .limit(limit)
        )
        return self._session.execute(statement).scalars().all()

    def unplaced(self) -> int:
        statement = select(func.count()).select_from(t.stored_object).where(~t.stored_object.c.placed)
        return int(self._session.execute(statement).scalar_one())

    def visible_object(
        self, actor: Actor, sop_instance_uid: str, study_id: int | None = None
    ) -> StoredObject | None:
        statement = (
            select(StoredObject)
            .join(t.study, t.study.c.id == t.stored_object.c.study_id)
            .where(
                t.stored_object.c.sop_instance_uid == sop_instance_uid,
                t.stored_object.c.role.in_(SHOWN),
                visible_studies(actor),
            )
            .limit(2)
        )
        if study_id is not None:
            statement = statement.where(t.stored_object.c.study_id == study_id)
        return _the_only_one(self._session.execute(statement).scalars().all())

    def visible_study(self, actor: Actor, study_instance_uid: str) -> Study | None:
        statement = (
            select(Study)
            .where(t.study.c.study_instance_uid == study_instance_uid, visible_studies(actor))
            .limit(2)
        )
        return _the_only_one(self._session.execute(statement).scalars().all())

    def exams(self, actor: Actor, since: datetime, limit: int) -> Sequence[StudyOverview]:
        statement = (
            _overview()
            .where(visible_studies(actor), t.study.c.last_object_at >= since)
            .order_by(t.study.c.last_object_at.desc(), t.study.c.id.desc())
            .limit(limit)
        )
        return self._overviews(statement)

    def repeats(self, actor: Actor, since: datetime, limit: int) -> Sequence[StudyOverview]:
        asked = t.reading_case.c
        picked = (
            select(asked.study_id)
            .where(
                text(f"({t.IS_TO_REPEAT})"),
                visible_cases(actor),
                or_(asked.repeat_closed_at.is_(None), asked.repeat_closed_at >= since),
            )
            .order_by(asked.repeat_closed_at.is_not(None), asked.repeat_asked_at, asked.id)
            .limit(limit)
        )
        study_ids = list(dict.fromkeys(self._session.execute(picked).scalars()))
        if not study_ids:
            return []
        lines = self._overviews(_overview().where(t.study.c.id.in_(study_ids), visible_studies(actor)))
        return sorted(lines, key=lambda line: study_ids.index(line.study.id))

    def overview(self, actor: Actor, study_instance_uid: str) -> StudyOverview | None:
        statement = _overview().where(
            visible_studies(actor), t.study.c.study_instance_uid == study_instance_uid
        )
        found = self._overviews(statement.limit(1))
        return found[0] if found else None

    def _overviews(self, statement: Select[Any]) -> Sequence[StudyOverview]:
        rows = self._session.execute(statement).all()
        tallies = self._tallies([row.Study.id for row in rows])
        lines = []
        for study, patient, case, reader_name, report, order, exam, last4, repeat, answer in rows:
            objects, placed, conflicts, quality = tallies.get(study.id, (0, 0, 0, ()))
            lines.append(
                StudyOverview(
                    study=study,
                    patient=patient,
                    objects=objects,
                    placed=placed,
                    conflicts=conflicts,
                    case=case,
                    reader_name=reader_name or "",
                    report=report,
                    quality=quality,
                    order=order,
                    exam=exam or "",
                    id_last4=last4 or "",
                    repeat=repeat,
                    answer=answer,
                )
            )
        return lines

    def _tallies(self, study_ids: Sequence[int]) -> dict[int, tuple[int, int, int, tuple[str, ...]]]:
        table = t.stored_object
        statement = select(table.c.study_id, table.c.role, table.c.placed, table.c.quality).where(
            table.c.study_id.in_(study_ids)
        )
        counted: dict[int, tuple[int, int, int, tuple[str, ...]]] = {}
        for study_id, role, placed, quality in self._session.execute(statement):
            objects, done, conflicts, codes = counted.get(study_id, (0, 0, 0, ()))
            counted[study_id] = (
                objects + (role is ObjectRole.PRIMARY),
                done + (role is ObjectRole.PRIMARY and placed),
                conflicts + (role is ObjectRole.CONFLICT),
                tuple(dict.fromkeys([*codes, *quality.split()])),
            )
        return counted


def _the_only_one(found: Sequence[T]) -> T | None:
    """A UID is unique within an institution only: between two, whoever asks must say which one is meant."""
    if len(found) > 1:
        raise Conflict("error.uid_of_several_sites")
    return found[0] if found else None


def _overview() -> Select[Any]:
    """A study with its order, its latest case, the report that is in force, and what it is to be made again for."""
    latest_case = (
        select(func.max(t.reading_case.c.id))
        .where(t.reading_case.c.study_id == t.study.c.id)
        .correlate(t.study)
        .scalar_subquery()
    )
    # Of any case of the study: while a follow-up is read or an amendment written, the signed one stays in force.
    any_case = t.reading_case.alias()
    any_report = t.report.alias()
    latest_report = (
        select(func.max(any_report.c.id))
        .join(any_case, any_case.c.id == any_report.c.case_id)
        .where(any_case.c.study_id == t.study.c.id, any_report.c.state.in_(IN_FORCE))
        .correlate(t.study)
        .scalar_subquery()
    )
    asked = t.reading_case.alias()
    latest_repeat = (
        select(func.max(asked.c.id))
        .where(asked.c.study_id == t.study.c.id, asked.c.state == CaseState.REPEAT_REQUESTED)
        .correlate(t.study)
        .scalar_subquery()
    )
    repeat, answer = t.reading_case.alias(), t.study.alias()
    return (
        select(
            Study,
            Patient,
            Case,
            t.user_account.c.display_name,
            Report,
            Order,
            t.procedure.c.description,
            t.resident.c.id_card_last4,
            aliased(Case, repeat),
            aliased(Study, answer),
        )
        .join(t.patient, t.patient.c.id == t.study.c.patient_id)
        .outerjoin(t.reading_case, t.reading_case.c.id == latest_case)
        .outerjoin(t.user_account, t.user_account.c.id == t.reading_case.c.claimed_by)
        .outerjoin(t.report, t.report.c.id == latest_report)
        .outerjoin(t.procedure, t.procedure.c.id == t.study.c.procedure_id)
        .outerjoin(t.exam_order, t.exam_order.c.id == t.procedure.c.order_id)
        .outerjoin(t.resident, t.resident.c.id == t.patient.c.resident_id)
        .outerjoin(repeat, repeat.c.id == latest_repeat)
        .outerjoin(answer, answer.c.id == repeat.c.repeat_answer_id)
    )


@cache
def _objects(roles: int) -> Select[Any]:
    stored = t.stored_object.c
    shown = or_(*(stored.role == bindparam(f"role{at}") for at in range(roles)))
    statement = select(t.stored_object).where(stored.study_id == bindparam("study_id"), shown)
    return statement.order_by(stored.series_id, stored.instance_number, stored.id)

"""Critical values, the lists and ladders they follow, and who was told."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, func, inspect, select
from sqlalchemy.orm import aliased

from telemed.adapters.db import tables as t
from telemed.adapters.db.direct import find
from telemed.adapters.db.repositories import Repository
from telemed.adapters.db.scope import visible_critical_values
from telemed.adapters.db.upsert import ensure
from telemed.application.ports import CriticalRow
from telemed.domain.access import Actor
from telemed.domain.case import Case
from telemed.domain.critical import (
    CriticalAction,
    CriticalAlert,
    CriticalPolicy,
    CriticalRule,
    CriticalValue,
    EscalationStep,
    Tier,
)
from telemed.domain.people import Institution, User
from telemed.domain.resident import Patient
from telemed.domain.study import Study

_V = t.critical_value.c


class SqlCriticalValues(Repository):
    def rules(self, consortium_id: int, *, ended: bool = False) -> Sequence[CriticalRule]:
        found = find(self._session, CriticalRule, consortium_id=consortium_id)
        return [rule for rule in found if ended or rule.ended_at is None]

    def policies(self, consortium_id: int) -> Sequence[CriticalPolicy]:
        return self._all(
            CriticalPolicy,
            t.critical_policy.c.consortium_id == consortium_id,
            order=t.critical_policy.c.id,
        )

    def steps(self, consortium_id: int) -> Sequence[EscalationStep]:
        return self._all(
            EscalationStep,
            t.escalation_step.c.consortium_id == consortium_id,
            order=t.escalation_step.c.rank,
        )

    def get(self, value_id: int) -> CriticalValue:
        return self._get(CriticalValue, value_id)

    def open_of(self, case_id: int, code: str) -> CriticalValue | None:
        return self._one(CriticalValue, _V.case_id == case_id, _V.code == code, _V.closed_at.is_(None))

    def most_urgent_open(self, case_id: int) -> Tier | None:
        statement = select(func.min(_V.tier)).where(_V.case_id == case_id, _V.closed_at.is_(None))
        found = self._session.execute(statement).scalar()
        return None if found is None else Tier(found)

    def visible(self, actor: Actor, uid: str) -> CriticalValue | None:
        return self._one(CriticalValue, _V.uid == uid, visible_critical_values(actor))

    def row(self, actor: Actor, uid: str) -> CriticalRow | None:
        found = self._rows(actor, _V.uid == uid)
        return found[0] if found else None

    def rows(self, actor: Actor, limit: int, *, open_only: bool = True) -> Sequence[CriticalRow]:
        where = [_V.closed_at.is_(None)] if open_only else []
        return self._rows(actor, *where, limit=limit)

    def rows_of_case(self, actor: Actor, case_id: int) -> Sequence[CriticalRow]:
        return self._rows(actor, _V.case_id == case_id)

    def _rows(self, actor: Actor, *where: ColumnElement[bool], limit: int | None = None) -> list[CriticalRow]:
        statement = _statement(actor).where(*where).limit(limit)
        found = self._session.execute(statement).all()
        ids = [row.CriticalValue.id for row in found]
        actions: dict[int, list[CriticalAction]] = {}
        for action in self._all(
            CriticalAction,
            t.critical_action.c.critical_value_id.in_(ids),
            order=t.critical_action.c.id,
        ):
            actions.setdefault(action.critical_value_id, []).append(action)
        alerts: dict[int, list[CriticalAlert]] = {}
        for alert in self._all(
            CriticalAlert, t.critical_alert.c.critical_value_id.in_(ids), order=t.critical_alert.c.id
        ):
            alerts.setdefault(alert.critical_value_id, []).append(alert)
        people = self._people(found, actions, alerts)
        return [
            CriticalRow(
                value=value,
                case=case,
                study=study,
                patient=patient,
                applicant_institution=applicant,
                reporting_institution=reporting,
                actions=actions.get(value.id, []),
                alerts=alerts.get(value.id, []),
                people=people,
                exam=exam,
                id_last4=last4 or "",
            )
            for value, case, study, patient, applicant, reporting, exam, last4 in found
        ]

    def _people(
        self,
        found: Sequence[Any],
        actions: dict[int, list[CriticalAction]],
        alerts: dict[int, list[CriticalAlert]],
    ) -> dict[int, User]:
        ids: set[int | None] = {action.taken_by for some in actions.values() for action in some}
        ids |= {alert.user_id for some in alerts.values() for alert in some}
        for row in found:
            value = row.CriticalValue
            ids |= {value.raised_by, value.checked_by, value.acknowledged_by, value.closed_by}
        return {user.id: user for user in self._all(User, t.user_account.c.id.in_(ids - {None}))}

    def actions(self, value_id: int) -> Sequence[CriticalAction]:
        return self._all(
            CriticalAction,
            t.critical_action.c.critical_value_id == value_id,
            order=t.critical_action.c.id,
        )

    def remove_step(self, step: EscalationStep) -> None:
        self._session.delete(step)

    def tell(self, alert: CriticalAlert) -> bool:
        held, fresh = ensure(self._session, alert, "critical_value_id", "recipient_key")
        if held.taken_back_at is None:
            return fresh
        held.taken_back_at = None
        return True

    def add(
        self, row: CriticalValue | CriticalRule | CriticalPolicy | EscalationStep | CriticalAction
    ) -> None:
        self._session.add(row)


def _statement(actor: Actor) -> Select[Any]:
    applicant, reporting = aliased(Institution), aliased(Institution)
    applicant_id, reporting_id = (inspect(a).selectable.c.id for a in (applicant, reporting))
    case = t.reading_case.c
    return (
        select(
            CriticalValue,
            Case,
            Study,
            Patient,
            applicant,
            reporting,
            t.procedure.c.description,
            t.resident.c.id_card_last4,
        )
        .join(t.reading_case, case.id == _V.case_id)
        .join(t.study, t.study.c.id == case.study_id)
        .join(t.patient, t.patient.c.id == case.patient_id)
        .join(t.procedure, t.procedure.c.id == case.procedure_id)
        .outerjoin(t.resident, t.resident.c.id == t.patient.c.resident_id)
        .join(applicant, applicant_id == _V.institution_id)
        .outerjoin(reporting, reporting_id == _V.reporting_institution_id)
        .where(visible_critical_values(actor))
        # "critical" stands before "warning" in the alphabet too: the tier needs no rank of its own.
        .order_by(_V.closed_at.is_not(None), _V.tier, _V.raised_at, _V.id)
    )

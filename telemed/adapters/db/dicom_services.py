"""Rows of the worklist, of remote nodes and of storage commitment."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select

from telemed.adapters.db import tables as t
from telemed.adapters.db.criteria import matches, matches_name
from telemed.adapters.db.direct import find
from telemed.adapters.db.repositories import Repository
from telemed.adapters.db.upsert import ensure
from telemed.application.ports.dicom import StepQuery, WorklistEntry
from telemed.domain.exchange import CommitmentRequest, ForwardRule, RemoteNode
from telemed.domain.order import Order, Procedure
from telemed.domain.people import Device, Institution
from telemed.domain.resident import Patient
from telemed.domain.scheduling import PerformedStep, ScheduledStep, StepState
from telemed.domain.study import Study

_S = t.scheduled_step.c


class SqlSteps(Repository):
    def add(self, step: ScheduledStep) -> None:
        self._session.add(step)

    def get(self, step_id: int) -> ScheduledStep:
        return self._get(ScheduledStep, step_id)

    def of_procedure(self, procedure_id: int) -> ScheduledStep | None:
        return self._one(ScheduledStep, _S.procedure_id == procedure_id)

    def by_step_id(self, institution_id: int, step_id: str) -> ScheduledStep | None:
        return self._one(ScheduledStep, _S.institution_id == institution_id, _S.step_id == step_id)

    def by_study_uid(self, institution_id: int, study_instance_uid: str) -> ScheduledStep | None:
        found = find(
            self._session, ScheduledStep, institution_id=institution_id, study_instance_uid=study_instance_uid
        )
        return found[0] if found else None

    def open_for(
        self, device: Device, query: StepQuery, limit: int, now: datetime
    ) -> Sequence[WorklistEntry]:
        # From now towards both sides, so that the limit cuts off what is farthest.
        waiting = self._waiting(device, query, now)
        past = waiting.where(_S.scheduled_at <= now).order_by(_S.scheduled_at.desc(), _S.id.desc())
        future = waiting.where(_S.scheduled_at > now).order_by(_S.scheduled_at, _S.id)
        found = [*self._fitting(past, query, limit), *self._fitting(future, query, limit)]
        nearest = sorted(found, key=lambda entry: abs(entry.step.scheduled_at - now))[:limit]
        return sorted(nearest, key=lambda entry: (entry.step.scheduled_at, entry.step.id))

    def _waiting(self, device: Device, query: StepQuery, now: datetime) -> Select[Any]:
        site = self._get(Institution, device.institution_id)
        return (
            select(ScheduledStep, Procedure, Order, Patient, Institution, t.user_account.c.display_name)
            .join(t.procedure, t.procedure.c.id == _S.procedure_id)
            .join(t.exam_order, t.exam_order.c.id == t.procedure.c.order_id)
            .join(t.patient, t.patient.c.id == t.exam_order.c.patient_id)
            .join(t.institution, t.institution.c.id == _S.institution_id)
            .outerjoin(t.user_account, t.user_account.c.id == t.exam_order.c.created_by)
            .where(
                *_waiting_at(site, now), *_conditions(device, query, now - timedelta(days=site.worklist_days))
            )
        )

    def _fitting(self, statement: Select[Any], query: StepQuery, limit: int) -> list[WorklistEntry]:
        """Where a name is sought the statement finds a few too many: the limit counts those that fit."""
        name = query.name
        every = self._session.execute(
            statement.limit(limit) if name is None else statement.execution_options(yield_per=500)
        )
        entries = (
            WorklistEntry(
                step=step,
                procedure=procedure,
                order=order,
                patient=patient,
                institution=institution,
                requested_by=requested_by or "",
            )
            for step, procedure, order, patient, institution, requested_by in every
            if name is None or name.fits(patient.name, patient.name_pinyin)
        )
        found = list(islice(entries, limit))
        every.close()
        return found

    def performed(self, institution_id: int, sop_instance_uid: str) -> PerformedStep | None:
        table = t.performed_step.c
        return self._one(
            PerformedStep,
            table.institution_id == institution_id,
            table.sop_instance_uid == sop_instance_uid,
        )

    def performed_of_studies(
        self, institution_id: int, study_instance_uids: Sequence[str]
    ) -> Sequence[PerformedStep]:
        where = {"institution_id": institution_id, "study_instance_uid": study_instance_uids}
        return find(self._session, PerformedStep, ("study_instance_uid",), **where)

    def ensure_performed(self, performed: PerformedStep) -> bool:
        return ensure(self._session, performed, "institution_id", "sop_instance_uid")[1]


def _waiting_at(site: Institution, now: datetime) -> list[ColumnElement[bool]]:
    """Of this institution alone; a step whose study has come is done, MPPS or not."""
    study = t.study.c
    return [
        _S.institution_id == site.id,
        or_(
            _S.state == StepState.SCHEDULED,
            and_(
                _S.state == StepState.IN_PROGRESS,
                func.coalesce(_S.begun_at, _S.scheduled_at) < now - timedelta(hours=site.step_hours),
            ),
        ),
        ~exists(select(1).where(study.procedure_id == _S.procedure_id)),
        ~exists(
            select(1).where(
                study.institution_id == _S.institution_id, study.study_instance_uid == _S.study_instance_uid
            )
        ),
    ]


def _conditions(device: Device, query: StepQuery, listed_since: datetime) -> list[ColumnElement[bool]]:
    keyed: list[tuple[ColumnElement[Any], Any]] = [
        (t.patient.c.patient_id, query.patient_id),
        (t.exam_order.c.accession_number, query.accession_number),
        (_S.study_instance_uid, query.study_instance_uid),
        (_S.step_id, query.step_id),
        (_S.step_id, query.procedure_id),
        (_S.modality, query.modality),
    ]
    found = [matches(column, criterion) for column, criterion in keyed if criterion is not None]
    if query.station is not None:
        # What no station was named for, every machine of the institution may do.
        found.append(or_(matches(_S.station_ae_title, query.station), _S.station_ae_title == ""))
    else:
        others = select(t.device.c.ae_title).where(
            t.device.c.institution_id == device.institution_id,
            t.device.c.active,
            t.device.c.ae_title != device.ae_title,
        )
        found.append(_S.station_ae_title.not_in(others))
    if query.is_broad:
        found.append(_S.scheduled_at >= listed_since)
    if query.since is not None:
        found.append(_S.scheduled_at >= query.since)
    if query.before is not None:
        found.append(_S.scheduled_at < query.before)
    if query.name is not None:
        found.append(matches_name(t.patient.c.name, t.patient.c.name_pinyin, query.name))
    return found


class SqlRemoteNodes(Repository):
    def get(self, node_id: int) -> RemoteNode:
        return self._get(RemoteNode, node_id)

    def by_ae_title(self, institution_id: int, ae_title: str) -> RemoteNode | None:
        node = t.remote_node.c
        return self._one(
            RemoteNode, node.institution_id == institution_id, node.ae_title == ae_title, node.active
        )

    def titled(self, institution_id: int, ae_title: str) -> RemoteNode | None:
        node = t.remote_node.c
        return self._one(RemoteNode, node.institution_id == institution_id, node.ae_title == ae_title)

    def by_uid(self, uid: str) -> RemoteNode | None:
        return self._one(RemoteNode, t.remote_node.c.uid == uid)

    def of_consortium(self, consortium_id: int) -> Sequence[RemoteNode]:
        return self._all(RemoteNode, t.remote_node.c.consortium_id == consortium_id, order=t.remote_node.c.id)

    def add(self, node: RemoteNode) -> None:
        self._session.add(node)

    def add_rule(self, rule: ForwardRule) -> None:
        self._session.add(rule)

    def rules(self, consortium_id: int) -> Sequence[ForwardRule]:
        rule = t.forward_rule.c
        return self._all(ForwardRule, rule.consortium_id == consortium_id, order=rule.id)

    def rules_for(self, study: Study) -> Sequence[ForwardRule]:
        if not find(self._session, ForwardRule, institution_id=study.institution_id):
            return []
        rule, node = t.forward_rule.c, t.remote_node.c
        statement = (
            select(ForwardRule)
            .join(t.remote_node, node.id == rule.remote_node_id)
            .where(
                rule.institution_id == study.institution_id,
                rule.active,
                rule.modality.in_(("", study.modality)),
                node.active,
                # The policy: patient data stay within the consortium, whatever a rule's row says.
                node.consortium_id == study.consortium_id,
            )
            .order_by(rule.id)
        )
        return self._session.execute(statement).scalars().all()


class SqlCommitments(Repository):
    def get(self, request_id: int) -> CommitmentRequest:
        return self._get(CommitmentRequest, request_id)

    def ensure(self, request: CommitmentRequest) -> CommitmentRequest:
        return ensure(self._session, request, "device_id", "transaction_uid")[0]

"""Rows of institutions, people, patients, orders, rules: the small repositories."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import delete, or_, select

from telemed.adapters.db import tables as t
from telemed.adapters.db.direct import find, get, value
from telemed.adapters.db.holding import HoldingSession
from telemed.adapters.db.scope import visible_notices
from telemed.adapters.db.upsert import ensure, ensure_all
from telemed.domain.access import Actor
from telemed.domain.errors import NotFound
from telemed.domain.events import Event
from telemed.domain.inference import AnalysisRecord, ModelApproval
from telemed.domain.notice import Notice
from telemed.domain.order import Order, Procedure
from telemed.domain.people import Device, Institution, Session, User
from telemed.domain.resident import Contract, Patient, Resident
from telemed.domain.routing import Duty, ReadingGroup, RoutingRule
from telemed.domain.triage import TriageRule

T = TypeVar("T")


class Repository:
    def __init__(self, session: HoldingSession) -> None:
        self._session = session

    def _get(self, kind: type[T], key: int) -> T:
        row = get(self._session, kind, key)
        if row is None:
            raise NotFound("error.not_found")
        return row

    def _one(self, kind: type[T], *where: Any) -> T | None:
        return self._session.execute(select(kind).where(*where)).scalar_one_or_none()

    def _all(self, kind: type[T], *where: Any, order: Any = None) -> Sequence[T]:
        statement = select(kind).where(*where)
        if order is not None:
            statement = statement.order_by(order)
        return self._session.execute(statement).scalars().all()


class SqlInstitutions(Repository):
    def get(self, institution_id: int) -> Institution:
        return self._get(Institution, institution_id)

    def quiet_seconds(self, institution_id: int) -> int:
        found = value(self._session, Institution, "quiet_seconds", institution_id)
        if found is None:
            raise NotFound("error.not_found")
        return int(found)

    def by_code(self, code: str) -> Institution | None:
        return self._one(Institution, t.institution.c.code == code)

    def by_uid(self, uid: str) -> Institution | None:
        return self._one(Institution, t.institution.c.uid == uid)

    def all(self, consortium_id: int | None = None) -> Sequence[Institution]:
        where = [] if consortium_id is None else [t.institution.c.consortium_id == consortium_id]
        return self._all(Institution, *where, order=t.institution.c.id)

    def certificate_authorities(self) -> Sequence[str]:
        pem = t.institution.c.certificate_authority
        return self._session.scalars(select(pem).where(pem != "").order_by(t.institution.c.id)).all()

    def add(self, institution: Institution) -> None:
        self._session.add(institution)


class SqlUsers(Repository):
    def get(self, user_id: int) -> User:
        return self._get(User, user_id)

    def by_username(self, username: str) -> User | None:
        return self._one(User, t.user_account.c.username == username)

    def by_uid(self, uid: str) -> User | None:
        return self._one(User, t.user_account.c.uid == uid)

    def of_institution(self, institution_id: int) -> Sequence[User]:
        return self._all(User, t.user_account.c.institution_id == institution_id, order=t.user_account.c.id)

    def of_consortium(self, consortium_id: int) -> Sequence[User]:
        return self._all(User, t.user_account.c.consortium_id == consortium_id, order=t.user_account.c.id)

    def any(self) -> bool:
        return self._session.execute(select(t.user_account.c.id).limit(1)).first() is not None

    def add(self, user: User) -> None:
        self._session.add(user)


class SqlSessions(Repository):
    def by_digest(self, token_digest: str) -> Session | None:
        return self._one(Session, t.web_session.c.token_digest == token_digest)

    def add(self, session: Session) -> None:
        self._session.add(session)

    def remove(self, session: Session) -> None:
        self._session.delete(session)

    def remove_of(self, user_id: int, kind: str | None = None) -> None:
        ended = delete(t.web_session).where(t.web_session.c.user_id == user_id)
        if kind is not None:
            ended = ended.where(t.web_session.c.kind == kind)
        self._session.connection().execute(ended)

    def remove_others(self, session: Session) -> None:
        sessions = t.web_session.c
        of_person = sessions.user_id == session.user_id
        others = delete(t.web_session).where(of_person, sessions.token_digest != session.token_digest)
        self._session.connection().execute(others)

    def remove_expired(self, now: datetime) -> int:
        statement = delete(t.web_session).where(t.web_session.c.expires_at < now)
        return self._session.connection().execute(statement).rowcount


class SqlDevices(Repository):
    def by_ae_title(self, ae_title: str) -> Sequence[Device]:
        return self._all(Device, t.device.c.ae_title == ae_title, t.device.c.active, order=t.device.c.id)

    def by_uid(self, uid: str) -> Device | None:
        return self._one(Device, t.device.c.uid == uid)

    def of_consortium(self, consortium_id: int) -> Sequence[Device]:
        return self._all(Device, t.device.c.consortium_id == consortium_id, order=t.device.c.id)

    def get(self, device_id: int) -> Device:
        return self._get(Device, device_id)

    def add(self, device: Device) -> None:
        self._session.add(device)


class SqlResidents(Repository):
    def get(self, resident_id: int) -> Resident:
        return self._get(Resident, resident_id)

    def by_card_hash(self, consortium_id: int, keyed_hash: str) -> Resident | None:
        return self._one(
            Resident,
            t.resident.c.consortium_id == consortium_id,
            t.resident.c.id_card_keyed_hash == keyed_hash,
        )

    def contracts(self, resident_id: int) -> Sequence[Contract]:
        return self._all(Contract, t.contract.c.resident_id == resident_id, order=t.contract.c.id)

    def contract_by_uid(self, uid: str) -> Contract | None:
        return self._one(Contract, t.contract.c.uid == uid)

    def latest_contracts(self, consortium_id: int, doctor_id: int | None, limit: int) -> Sequence[Contract]:
        statement = select(Contract).where(t.contract.c.consortium_id == consortium_id)
        if doctor_id is not None:
            statement = statement.where(t.contract.c.family_doctor_id == doctor_id)
        return self._session.execute(statement.order_by(t.contract.c.id.desc()).limit(limit)).scalars().all()

    def add(self, resident: Resident) -> None:
        self._session.add(resident)

    def add_contract(self, contract: Contract) -> None:
        self._session.add(contract)


class SqlPatients(Repository):
    def get(self, patient_id: int) -> Patient:
        return self._get(Patient, patient_id)

    def by_local_id(self, institution_id: int, patient_id: str) -> Patient | None:
        found = self.by_local_ids(institution_id, [patient_id])
        return found[0] if found else None

    def among(self, patient_ids: Sequence[int]) -> Sequence[Patient]:
        return find(self._session, Patient, ("id",), id=patient_ids)

    def by_local_ids(
        self, institution_id: int, patient_ids: Sequence[str], issuer: str = ""
    ) -> Sequence[Patient]:
        where = {"institution_id": institution_id, "issuer": issuer, "patient_id": patient_ids}
        return find(self._session, Patient, ("patient_id",), **where)

    def ensure(self, patient: Patient) -> Patient:
        return ensure(self._session, patient, "institution_id", "issuer", "patient_id")[0]

    def ensure_all(self, patients: Sequence[Patient]) -> Sequence[Patient]:
        return ensure_all(self._session, patients, ("institution_id", "issuer"), "patient_id")


class SqlOrders(Repository):
    def get(self, order_id: int) -> Order:
        return self._get(Order, order_id)

    def by_accession(self, institution_id: int, accession_number: str) -> Order | None:
        found = find(self._session, Order, institution_id=institution_id, accession_number=accession_number)
        return found[0] if found else None

    def procedures(self, order_id: int) -> Sequence[Procedure]:
        return find(self._session, Procedure, order_id=order_id)

    def procedure(self, procedure_id: int) -> Procedure:
        return self._get(Procedure, procedure_id)

    def add(self, order: Order) -> None:
        self._session.add(order)

    def add_procedure(self, procedure: Procedure) -> None:
        self._session.add(procedure)


class SqlAnalyses(Repository):
    def of_case(self, case_id: int) -> Sequence[AnalysisRecord]:
        return self._all(AnalysisRecord, t.analysis.c.case_id == case_id, order=t.analysis.c.id)

    def ensure(self, record: AnalysisRecord) -> bool:
        return ensure(self._session, record, "case_id", "result_key")[1]

    def approvals(self, institution_id: int) -> Sequence[ModelApproval]:
        found = find(self._session, ModelApproval, institution_id=institution_id)
        return [approval for approval in found if approval.withdrawn_at is None]

    def add_approval(self, approval: ModelApproval) -> None:
        self._session.add(approval)


class SqlRules(Repository):
    def routing(self, consortium_id: int) -> Sequence[RoutingRule]:
        found = find(self._session, RoutingRule, consortium_id=consortium_id)
        return sorted(found, key=lambda rule: rule.rank)

    def triage(self, consortium_id: int) -> Sequence[TriageRule]:
        return find(self._session, TriageRule, consortium_id=consortium_id)

    def group(self, group_id: int) -> ReadingGroup:
        return self._get(ReadingGroup, group_id)

    def groups(self, consortium_id: int) -> Sequence[ReadingGroup]:
        return find(self._session, ReadingGroup, consortium_id=consortium_id)

    def roster(self, consortium_id: int) -> Sequence[Duty]:
        groups = [group.id for group in self.groups(consortium_id)]
        duties = find(self._session, Duty, ("reading_group_id",), reading_group_id=groups)
        # Whoever is locked out reads nothing: a group they alone stand for is not manned.
        people = find(self._session, User, ("id",), id=list({duty.user_id for duty in duties}))
        let_in = {user.id for user in people if user.active}
        return [duty for duty in duties if duty.user_id in let_in]

    def add(self, row: RoutingRule | TriageRule | ReadingGroup | Duty) -> None:
        self._session.add(row)


class SqlNotices(Repository):
    def raise_once(self, notice: Notice) -> bool:
        return ensure(self._session, notice, "cause_key")[1]

    def open_for(self, actor: Actor, limit: int) -> Sequence[Notice]:
        statement = (
            select(Notice)
            .where(visible_notices(actor), t.notice.c.resolved_at.is_(None))
            .order_by(t.notice.c.id.desc())
            .limit(limit)
        )
        return self._session.execute(statement).scalars().all()

    def visible(self, actor: Actor, uid: str) -> Notice | None:
        return self._one(Notice, t.notice.c.uid == uid, visible_notices(actor))

    def of_study(self, study_id: int) -> Sequence[Notice]:
        return self._all(Notice, t.notice.c.study_id == study_id, order=t.notice.c.id)

    def open_of(self, code: str) -> Sequence[Notice]:
        return self._all(Notice, t.notice.c.code == code, t.notice.c.resolved_at.is_(None))


class SqlEvents(Repository):
    def append(self, event: Event) -> None:
        self._session.insert_later(event)

    def after(self, event_id: int, limit: int) -> Sequence[Event]:
        statement = select(Event).where(t.event.c.id > event_id).order_by(t.event.c.id).limit(limit)
        return self._session.execute(statement).scalars().all()

    def last_id(self) -> int:
        statement = select(t.event.c.id).order_by(t.event.c.id.desc()).limit(1)
        return int(self._session.execute(statement).scalar() or 0)

    def unsealed(self, limit: int) -> Sequence[Event]:
        statement = select(Event).where(t.event.c.sequence.is_(None)).order_by(t.event.c.id).limit(limit)
        return self._session.execute(statement).scalars().all()

    def last_sealed(self) -> Event | None:
        statement = (
            select(Event).where(t.event.c.sequence.is_not(None)).order_by(t.event.c.sequence.desc()).limit(1)
        )
        return self._session.execute(statement).scalar_one_or_none()

    def sealed_after(self, sequence: int, limit: int) -> Sequence[Event]:
        statement = (
            select(Event).where(t.event.c.sequence > sequence).order_by(t.event.c.sequence).limit(limit)
        )
        return self._session.execute(statement).scalars().all()

    def of_study(self, study_id: int) -> Sequence[Event]:
        cases = select(t.reading_case.c.id).where(t.reading_case.c.study_id == study_id)
        return self._all(
            Event, or_(t.event.c.study_id == study_id, t.event.c.case_id.in_(cases)), order=t.event.c.id
        )

"""Cases, reports, what was delivered, critical values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from telemed.application.ports.worklist import WorklistRow as WorklistRow
from telemed.application.ports.worklist import Worklists
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
from telemed.domain.delivery import Delivery
from telemed.domain.people import Institution, User
from telemed.domain.report import Report
from telemed.domain.resident import Patient
from telemed.domain.study import Study


class Cases(Worklists, Protocol):
    def get(self, case_id: int) -> Case: ...
    def lock(self, case_id: int) -> Case:
        """As it now stands; no other transaction changes it until this one ends."""

    def of_study(self, study_id: int) -> Sequence[Case]: ...
    def of_order(self, order_id: int) -> Sequence[Case]: ...
    def visible(self, actor: Actor, uid: str) -> Case | None: ...
    def expired_leases(self, now: datetime, limit: int) -> Sequence[Case]: ...
    def unrouted(self, consortium_id: int, limit: int) -> Sequence[Case]:
        """Cases still to be read that no rule has given to a group; the oldest first."""

    def open_without_ai(self, institution_id: int) -> Sequence[Case]:
        """Cases still to be read whose site had no approved model when they came."""

    def lacking(
        self, consortium_id: int, modality: str, models: Sequence[str], before: int | None, limit: int
    ) -> Sequence[int]:
        """Ids of cases of a modality, the newest first, that lack an answer of one of the models (sha256) which
        their site approved, or whose last attempt failed, and that no open job is going to read; only ids
        smaller than `before`."""

    def add(self, case: Case) -> None: ...


class Reports(Protocol):
    def get(self, report_id: int) -> Report: ...
    def of_case(self, case_id: int) -> Sequence[Report]:
        """All versions, oldest first."""

    def latest(self, case_id: int) -> Report | None: ...
    def final_of_patient(self, patient_id: int) -> Sequence[Report]: ...
    def visible(self, actor: Actor, uid: str) -> Report | None: ...
    def by_verification_code(self, code: str) -> Report | None: ...
    def add(self, report: Report) -> None: ...


@dataclass(frozen=True, kw_only=True)
class InboxRow:
    delivery: Delivery
    report: Report
    case: Case
    study: Study
    patient: Patient
    reporting_institution: Institution | None
    applicant_institution: Institution
    # Who wrote and signed, by id.
    people: Mapping[int, User]
    exam: str = ""
    id_last4: str = ""


class Deliveries(Protocol):
    def of_report(self, report_id: int) -> Sequence[Delivery]: ...
    def inbox(self, actor: Actor, limit: int, *, open_only: bool) -> Sequence[InboxRow]:
        """Abnormal first, then newest."""

    def row(self, actor: Actor, uid: str) -> InboxRow | None: ...
    def visible(self, actor: Actor, uid: str) -> Delivery | None: ...
    def ensure(self, delivery: Delivery) -> Delivery: ...


@dataclass(frozen=True, kw_only=True)
class CriticalRow:
    """One critical value as a card shows it, with everything that names the patient."""

    value: CriticalValue
    case: Case
    study: Study
    patient: Patient
    applicant_institution: Institution
    reporting_institution: Institution | None
    actions: Sequence[CriticalAction]
    alerts: Sequence[CriticalAlert]
    people: Mapping[int, User]
    exam: str = ""
    id_last4: str = ""


class CriticalValues(Protocol):
    def rules(self, consortium_id: int, *, ended: bool = False) -> Sequence[CriticalRule]:
        """Those in force, or every edition."""

    def policies(self, consortium_id: int) -> Sequence[CriticalPolicy]: ...
    def steps(self, consortium_id: int) -> Sequence[EscalationStep]: ...
    def get(self, value_id: int) -> CriticalValue: ...
    def open_of(self, case_id: int, code: str) -> CriticalValue | None: ...
    def most_urgent_open(self, case_id: int) -> Tier | None: ...
    def visible(self, actor: Actor, uid: str) -> CriticalValue | None: ...
    def row(self, actor: Actor, uid: str) -> CriticalRow | None: ...
    def rows(self, actor: Actor, limit: int, *, open_only: bool = True) -> Sequence[CriticalRow]:
        """Critical before warning; of these the one whose clock ends first."""

    def rows_of_case(self, actor: Actor, case_id: int) -> Sequence[CriticalRow]: ...
    def actions(self, value_id: int) -> Sequence[CriticalAction]: ...
    def remove_step(self, step: EscalationStep) -> None: ...
    def tell(self, alert: CriticalAlert) -> bool:
        """True if this recipient was not told before, or what was told had been taken back."""

    def add(
        self, row: CriticalValue | CriticalRule | CriticalPolicy | EscalationStep | CriticalAction
    ) -> None: ...

"""The fixed cast of these tests: one consortium, all its people fictional."""

import itertools
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from telemed.application.ports import UnitOfWork
from telemed.application.world import World
from telemed.domain.access import Actor
from telemed.domain.case import Case
from telemed.domain.delivery import Delivery, RecipientKind
from telemed.domain.order import Order, OrderSource, Priority, Procedure
from telemed.domain.people import Institution, InstitutionKind, Role, User
from telemed.domain.report import Report
from telemed.domain.resident import Patient
from telemed.domain.study import Study
from tests.contract.world import NOON

_numbers = itertools.count(1)


def uid() -> str:
    return str(uuid.uuid4())


@dataclass(frozen=True, kw_only=True)
class Cast:
    consortium: Institution
    township: Institution
    other_township: Institution
    hospital: Institution
    other_hospital: Institution
    technician: User
    other_technician: User
    doctor: User
    other_doctor: User
    family_doctor: User
    other_family_doctor: User
    administrator: User
    patient: Patient

    def actor(self, user: User) -> Actor:
        return Actor(
            user_id=user.id,
            user_uid=user.uid,
            username=user.username,
            display_name=user.display_name,
            role=user.role,
            institution_id=user.institution_id,
            consortium_id=user.consortium_id,
            license_number=user.license_number,
            language=user.language,
            authenticated_at=NOON,
        )


def seed(world: World) -> Cast:
    with world.unit_of_work() as uow:
        consortium = _institution(uow, InstitutionKind.CONSORTIUM, "C", None)
        places = {
            name: _institution(uow, kind, name, consortium.id)
            for name, kind in (
                ("township", InstitutionKind.TOWNSHIP),
                ("other_township", InstitutionKind.TOWNSHIP),
                ("hospital", InstitutionKind.HOSPITAL),
                ("other_hospital", InstitutionKind.HOSPITAL),
            )
        }
        people = {
            name: _user(uow, name, role, places[place].id, consortium.id)
            for name, role, place in (
                ("technician", Role.TECHNICIAN, "township"),
                ("other_technician", Role.TECHNICIAN, "other_township"),
                ("doctor", Role.REPORTING_DOCTOR, "hospital"),
                ("other_doctor", Role.REPORTING_DOCTOR, "other_hospital"),
                ("family_doctor", Role.FAMILY_DOCTOR, "township"),
                ("other_family_doctor", Role.FAMILY_DOCTOR, "township"),
                ("administrator", Role.ADMINISTRATOR, "hospital"),
            )
        }
        patient = uow.patients.ensure(a_patient(places["township"]))
        uow.commit()
    return Cast(consortium=consortium, patient=patient, **places, **people)


def a_patient(institution: Institution, patient_id: str = "P-0001") -> Patient:
    return Patient(
        uid=uid(),
        institution_id=institution.id,
        consortium_id=institution.consortium_id or institution.id,
        patient_id=patient_id,
        name="测试甲",
        name_pinyin="ce shi jia",
        name_initials="csj",
        sex="F",
        birth_date=None,
    )


def a_study(cast: Cast, patient: Patient | None = None, **changes: Any) -> Study:
    values: dict[str, Any] = {
        "uid": uid(),
        "institution_id": cast.township.id,
        "consortium_id": cast.consortium.id,
        "study_instance_uid": f"2.25.{uuid.uuid4().int}",
        "patient_id": (patient or cast.patient).id,
        "modality": "ECG",
        "first_object_at": NOON,
        "last_object_at": NOON,
        "whole_at": NOON,
    }
    return Study(**{**values, **changes})


def add_case(uow: UnitOfWork, cast: Cast, **changes: Any) -> Case:
    """A routed case with all that stands behind it, read by the hospital."""
    number = next(_numbers)
    place = {"institution_id": cast.township.id, "consortium_id": cast.consortium.id}
    study = uow.studies.ensure(a_study(cast))
    order = Order(
        uid=uid(),
        **place,
        accession_number=f"A{number:05}",
        patient_id=cast.patient.id,
        source=OrderSource.FORM,
        priority=Priority.ROUTINE,
        clinical_history="",
        created_at=NOON,
    )
    uow.orders.add(order)
    uow.flush()
    procedure = Procedure(uid=uid(), order_id=order.id, **place, modality="ECG", description="十二导联心电图")
    uow.orders.add_procedure(procedure)
    uow.flush()
    values: dict[str, Any] = {
        "uid": uid(),
        **place,
        "reporting_institution_id": cast.hospital.id,
        "reading_group_id": None,
        "study_id": study.id,
        "procedure_id": procedure.id,
        "patient_id": cast.patient.id,
        "modality": "ECG",
        "priority": Priority.ROUTINE,
        "effective_priority": Priority.ROUTINE,
        "deadline": NOON + timedelta(minutes=30),
        "arrived_at": NOON,
    }
    case = Case(**{**values, **changes})
    uow.cases.add(case)
    uow.flush()
    return case


def add_delivered_report(uow: UnitOfWork, cast: Cast, case: Case, to: User) -> tuple[Report, Delivery]:
    report = Report(
        uid=uid(),
        case_id=case.id,
        institution_id=case.institution_id,
        consortium_id=case.consortium_id,
        number=1,
        author_id=cast.doctor.id,
        created_at=NOON,
        updated_at=NOON,
    )
    uow.reports.add(report)
    uow.flush()
    report.write(
        findings="窦性心律", impression="正常", recommendation="", critical=False, abnormal=False, now=NOON
    )
    report.sign(cast.doctor.id, 1, NOON, needs_review=False)
    delivery = uow.deliveries.ensure(
        Delivery(
            uid=uid(),
            report_id=report.id,
            case_id=case.id,
            consortium_id=case.consortium_id,
            kind=RecipientKind.FAMILY_DOCTOR,
            institution_id=to.institution_id,
            user_id=to.id,
            recipient_key=f"user:{to.id}",
            created_at=NOON,
        )
    )
    return report, delivery


def instant(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def _institution(uow: UnitOfWork, kind: InstitutionKind, code: str, parent: int | None) -> Institution:
    row = Institution(
        uid=uid(), kind=kind, code=code, name=f"虚构机构 {code}", parent_id=parent, consortium_id=parent
    )
    uow.institutions.add(row)
    uow.flush()
    return row


def _user(uow: UnitOfWork, name: str, role: Role, institution_id: int, consortium_id: int) -> User:
    row = User(
        uid=uid(),
        username=name,
        display_name=f"虚构 {name}",
        role=role,
        institution_id=institution_id,
        consortium_id=consortium_id,
        password_hash="",
    )
    uow.users.add(row)
    uow.flush()
    return row

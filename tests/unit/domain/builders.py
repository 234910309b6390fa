"""Small fixed things for the tests of the domain: one instant, one case, one report."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from telemed.domain.access import Actor
from telemed.domain.case import Case
from telemed.domain.order import Priority
from telemed.domain.people import Role
from telemed.domain.report import Report
from telemed.domain.resident import Contract
from telemed.domain.routing import Duty, Routable, RoutingRule
from telemed.domain.study import ObjectRole, Series, StoredObject, Study

NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
TODAY = date(2026, 11, 21)
MINUTE = timedelta(minutes=1)
DR_REPORTING, DR_REVIEWING = 11, 12


def case(**changes: Any) -> Case:
    values: dict[str, Any] = {
        "uid": "case",
        "institution_id": 1,
        "consortium_id": 9,
        "reporting_institution_id": 2,
        "reading_group_id": 3,
        "study_id": 4,
        "procedure_id": 5,
        "patient_id": 6,
        "modality": "ECG",
        "priority": Priority.ROUTINE,
        "effective_priority": Priority.ROUTINE,
        "deadline": NOON + 30 * MINUTE,
        "arrived_at": NOON,
    }
    return Case(**{**values, **changes})


def report(**changes: Any) -> Report:
    values: dict[str, Any] = {
        "uid": "report",
        "case_id": 7,
        "institution_id": 1,
        "consortium_id": 9,
        "number": 1,
        "author_id": DR_REPORTING,
        "created_at": NOON,
        "updated_at": NOON,
        "findings": "窦性心律。",
        "impression": "正常心电图。",
    }
    return Report(**{**values, **changes})


def study(**changes: Any) -> Study:
    values: dict[str, Any] = {
        "uid": "study",
        "institution_id": 1,
        "consortium_id": 9,
        "study_instance_uid": "2.25.1",
        "patient_id": 6,
        "modality": "DX",
        "first_object_at": NOON,
        "last_object_at": NOON,
        "whole_at": NOON,
    }
    return Study(**{**values, **changes})


def contract(doctor: int, valid_from: date, valid_to: date | None, *, institution: int = 1) -> Contract:
    return Contract(
        uid=f"contract of {doctor}",
        resident_id=8,
        family_doctor_id=doctor,
        institution_id=institution,
        consortium_id=9,
        valid_from=valid_from,
        valid_to=valid_to,
    )


def rule(rank: int, group: int, *, key: int | None = None, **changes: Any) -> RoutingRule:
    values: dict[str, Any] = {
        "uid": f"rule {rank}-{group}",
        "consortium_id": 9,
        "rank": rank,
        "reading_group_id": group,
        "limit_minutes": 30,
    }
    made = RoutingRule(**{**values, **changes})
    made.id = rank if key is None else key
    return made


def duty(group: int, starts_at: datetime = NOON - 60 * MINUTE, ends_at: datetime | None = None) -> Duty:
    return Duty(reading_group_id=group, user_id=DR_REPORTING, starts_at=starts_at, ends_at=ends_at)


def routable(**changes: Any) -> Routable:
    values: dict[str, Any] = {
        "institution_id": 1,
        "modality": "ECG",
        "priority": Priority.ROUTINE,
        "arrived_at": NOON,
    }
    return Routable(**{**values, **changes})


def actor(role: Role) -> Actor:
    return Actor(
        user_id=DR_REPORTING,
        user_uid="user",
        username="somebody",
        display_name="测试人员",
        role=role,
        institution_id=1,
        consortium_id=9,
        license_number="",
        language="zh-CN",
        authenticated_at=NOON,
    )


def series(number_in_table: int, number: int | None) -> Series:
    made = Series(
        uid=f"series-{number_in_table}",
        study_id=4,
        institution_id=1,
        consortium_id=9,
        series_instance_uid=f"2.25.{number_in_table}",
        modality="CT",
        number=number,
    )
    made.id = number_in_table
    return made


def stored(number_in_table: int, series_id: int, number: int | None) -> StoredObject:
    made = StoredObject(
        uid=f"object-{number_in_table}",
        institution_id=1,
        consortium_id=9,
        study_id=4,
        series_id=series_id,
        sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
        sop_instance_uid=f"2.25.9{number_in_table}",
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        role=ObjectRole.PRIMARY,
        dataset_sha256="",
        file_sha256="",
        size=1,
        received_at=NOON,
        instance_number=number,
    )
    made.id = number_in_table
    return made

"""Statements that are put together once answer as those that SQLAlchemy makes anew each time."""

from typing import Any, cast

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from telemed.adapters.db import tables as t
from telemed.application.ports import UnitOfWork
from telemed.application.world import World
from telemed.domain.case import Case, CaseState
from telemed.domain.errors import NotFound
from telemed.domain.study import SHOWN, ObjectRole, Series, StoredObject
from tests.contract.cast import Cast, a_patient, a_study, add_case, uid
from tests.contract.world import NOON


def session_of(uow: UnitOfWork) -> Session:
    return cast(Session, cast(Any, uow)._session)


def test_objects_of_a_study_come_as_by_a_plain_query(world: World, cast: Cast) -> None:
    place = {"institution_id": cast.township.id, "consortium_id": cast.consortium.id}
    with world.unit_of_work() as uow:
        study = uow.studies.ensure(a_study(cast))
        for series_number in (2, 1):
            series = uow.studies.ensure_series(
                Series(
                    uid=uid(), study_id=study.id, **place, series_instance_uid=uid(), modality="ECG",
                    number=series_number,
                )
            )  # fmt: skip
            for role, number in (
                (ObjectRole.PRIMARY, 3),
                (ObjectRole.PRIMARY, None),
                (ObjectRole.DERIVED, 1),
                (ObjectRole.PRIMARY, 1),
                (ObjectRole.ALTERNATE, 2),
            ):
                uow.studies.add_object(
                    StoredObject(
                        uid=uid(), **place, study_id=study.id, series_id=series.id, sop_class_uid="1.2",
                        sop_instance_uid=uid(), transfer_syntax_uid="1.2.840.10008.1.2.1", role=role,
                        dataset_sha256=uid(), file_sha256=uid(), size=1, received_at=NOON, instance_number=number,
                    )
                )  # fmt: skip
        uow.commit()
    stored = t.stored_object.c
    for made, roles in ((False, (ObjectRole.PRIMARY,)), (True, SHOWN)):
        plain = (
            select(StoredObject)
            .where(stored.study_id == study.id, stored.role.in_(roles))
            .order_by(stored.series_id, stored.instance_number, stored.id)
        )
        with world.unit_of_work(write=False) as uow:
            found = uow.studies.objects(study.id, made=made)
            assert len(found) == 2 * (4 if made else 3)
            assert found == session_of(uow).execute(plain).scalars().all()


def test_a_locked_case_is_as_it_stands_now(world: World, cast: Cast) -> None:
    with world.unit_of_work() as uow:
        case = add_case(uow, cast)
        uow.commit()
    with world.unit_of_work() as uow:
        seen = uow.cases.get(case.id)
        behind_its_back = update(t.reading_case).where(t.reading_case.c.id == case.id)
        session_of(uow).connection().execute(behind_its_back.values(raised_because="by another", version=7))
        locked = uow.cases.lock(case.id)
        assert locked is seen
        assert (locked.raised_because, locked.version) == ("by another", 7)
        # What is changed in it now is written under the version that was read.
        locked.raised_because = "by us"
        uow.commit()
    with world.unit_of_work(write=False) as uow:
        found = uow.cases.get(case.id)
        assert (found.raised_because, found.version) == ("by us", 8)


def test_what_was_changed_before_the_lock_is_not_lost(world: World, cast: Cast) -> None:
    with world.unit_of_work() as uow:
        case = add_case(uow, cast)
        case.raised_because = "before"
        assert uow.cases.lock(case.id).raised_because == "before"
        with pytest.raises(NotFound):
            uow.cases.lock(case.id + 1)


def test_a_case_given_to_another_patient_is_found_under_the_other_name(world: World, cast: Cast) -> None:
    with world.unit_of_work() as uow:
        case = add_case(uow, cast)
        other = a_patient(cast.township, "P-0002")
        other.name = "虚构戊"
        other = uow.patients.ensure(other)
        case.patient_id = other.id
        uow.commit()
    with world.unit_of_work(write=False) as uow:
        names = select(t.person_name.c.name).join(
            t.reading_case, t.reading_case.c.name_id == t.person_name.c.id
        )
        under = session_of(uow).execute(names.where(t.reading_case.c.id == case.id)).scalar_one()
    assert under == "虚构戊"


def test_only_what_is_still_to_be_repeated_of_this_patient_is_open(world: World, cast: Cast) -> None:
    with world.unit_of_work() as uow:
        asked = add_case(uow, cast, state=CaseState.REPEAT_REQUESTED)
        add_case(uow, cast, state=CaseState.REPEAT_REQUESTED, repeat_closed_at=NOON)
        add_case(uow, cast)
        uow.commit()
    key = (cast.township.id, cast.patient.id, "ECG")
    with world.unit_of_work(write=False) as uow:
        found: list[Case] = list(uow.cases.open_repeats(*key))
        assert [case.id for case in found] == [asked.id]
        assert uow.cases.open_repeats(cast.hospital.id, *key[1:]) == []
        assert uow.cases.open_repeats(*key[:2], "DX") == []

"""Whom a reader finds by what, and what stands beside it from before."""

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest

from telemed.adapters.db import name_search
from telemed.adapters.identity.here import PinyinReadings
from telemed.application.ports import UnitOfWork
from telemed.application.ports.worklist import Sought
from telemed.application.world import World
from telemed.domain.case import Case, CaseState
from telemed.domain.name_keys import search_text
from telemed.domain.people import Institution
from telemed.domain.resident import Patient, Resident
from tests.contract.cast import Cast, add_case, instant, uid

READINGS = PinyinReadings()


def named(
    uow: UnitOfWork, cast: Cast, name: str, place: Institution | None = None, **changes: object
) -> Patient:
    site = place or cast.township
    patient = Patient(
        uid=uid(),
        institution_id=site.id,
        consortium_id=cast.consortium.id,
        patient_id=f"P{uuid.uuid4().hex[:10].upper()}",
        name=name,
        name_pinyin=READINGS.pinyin(name),
        name_initials=READINGS.initials(name),
        sex="F",
        birth_date=None,
    )
    for key, value in changes.items():
        setattr(patient, key, value)
    return uow.patients.ensure(patient)


def found(world: World, cast: Cast, typed: str, **more: str) -> list[int]:
    sought = Sought(name=search_text(typed)) if typed else Sought(**more)
    with world.unit_of_work(write=False) as uow:
        page = uow.cases.search(cast.actor(cast.doctor), sought, None, 50)
    return [row.case.id for row in page.rows]


# Fictional, and each hard in its own way: several readings of a family name, a minority name with its dot, a
# character outside the basic plane, ü, a compound family name, Latin letters.
FORMS = {
    "单测试": ["单测试", "单测", "shanceshi", "Shan Ce Shi", "danceshi", "shanc", "scs", "dcs", "单　测试"],
    "曾虚构": ["曾虚构", "zengxugou", "cengxugou", "zxg"],
    "仇示例": ["qiushili", "choushili", "qsl"],
    "示阿依·虚构买提": ["示阿依虚构买提", "示阿依·虚构", "示阿依•虚构买提", "示阿依"],
    "虚𬭼": ["虚𬭼", "xu"],
    "吕虚拟": ["lvxuni", "lüxuni", "luxuni", "lxn"],
    "欧阳虚构": ["欧阳", "ouyangxugou", "oyxg"],
    "Fictional Person": ["fictional", "FICTIONAL^PERSON", "person", "fp", "fictionalp"],
}


def test_a_name_is_found_by_every_form_of_it(world: World, cast: Cast) -> None:
    with world.unit_of_work() as uow:
        cases = {}
        for name in FORMS:
            patient = named(uow, cast, name)
            cases[name] = add_case(uow, cast, patient_id=patient.id).id
        uow.commit()
    for name, forms in FORMS.items():
        for form in forms:
            assert cases[name] in found(world, cast, form), (name, form)
        others = {case_id for other, case_id in cases.items() if other != name}
        assert not others & set(found(world, cast, forms[0])), name
    assert found(world, cast, "无此人") == []


def test_a_name_is_matched_from_its_beginning_and_never_in_its_middle(world: World, cast: Cast) -> None:
    with world.unit_of_work() as uow:
        case = add_case(uow, cast, patient_id=named(uow, cast, "虚构甲").id)
        uow.commit()
    assert found(world, cast, "虚构") == [case.id]
    assert found(world, cast, "构甲") == []


def test_what_is_typed_is_no_pattern(world: World, cast: Cast) -> None:
    with world.unit_of_work() as uow:
        add_case(uow, cast, patient_id=named(uow, cast, "虚构甲").id)
        uow.commit()
    for typed in ("%", "_", "虚%", "*", "虚*", "'; --"):
        assert found(world, cast, typed) == [], typed


def test_numbers_find_whose_they_are(world: World, cast: Cast) -> None:
    with world.unit_of_work() as uow:
        resident = Resident(
            uid=uid(),
            consortium_id=cast.consortium.id,
            name="虚构甲",
            sex="F",
            birth_date=None,
            id_card_keyed_hash="ab" * 32,
            id_card_last4="301X",
        )
        uow.residents.add(resident)
        uow.flush()
        patient = named(uow, cast, "虚构甲", resident_id=resident.id)
        elsewhere = named(uow, cast, "虚构甲", cast.other_township, resident_id=resident.id)
        first = add_case(uow, cast, patient_id=patient.id)
        second = add_case(uow, cast, patient_id=elsewhere.id, institution_id=cast.other_township.id)
        other = add_case(uow, cast)
        accession = uow.orders.get(uow.orders.procedure(other.procedure_id).order_id).accession_number
        uow.commit()
    both = [second.id, first.id]
    assert found(world, cast, "", number="301x") == both
    assert found(world, cast, "", card_hash="ab" * 32) == both
    assert found(world, cast, "", number=patient.patient_id.lower()) == [first.id]
    assert found(world, cast, "", number=accession.lower()) == [other.id]
    assert found(world, cast, "", number="301") == []


def test_a_search_shows_no_case_of_another_scope(world: World, cast: Cast) -> None:
    with world.unit_of_work() as uow:
        patient = named(uow, cast, "虚构甲")
        own = add_case(uow, cast, patient_id=patient.id)
        other = add_case(uow, cast, patient_id=patient.id, reporting_institution_id=cast.other_hospital.id)
        uow.commit()
    sought = Sought(name=search_text("虚构甲")), Sought(number=patient.patient_id)
    with world.unit_of_work(write=False) as uow:
        for one in sought:
            page = uow.cases.search(cast.actor(cast.doctor), one, None, 50)
            assert [row.case.id for row in page.rows] == [own.id]
            both = replace(cast.actor(cast.doctor), reads_for=(cast.other_hospital.id,))
            assert {row.case.id for row in uow.cases.search(both, one, None, 50).rows} == {own.id, other.id}
            assert uow.cases.search(cast.actor(cast.administrator), one, None, 50).rows == []


def test_a_search_is_paged_from_the_newest_to_the_oldest(world: World, cast: Cast) -> None:
    with world.unit_of_work() as uow:
        patient = named(uow, cast, "虚构甲")
        namesake = named(uow, cast, "虚构甲")
        cases = [
            add_case(uow, cast, patient_id=one.id, state=state).id
            for state in (CaseState.FINAL, CaseState.WAITING, CaseState.REPEAT_REQUESTED)
            for one in (patient, namesake, patient)
        ]
        uow.commit()
    shown: list[int] = []
    cursor = None
    while True:
        with world.unit_of_work(write=False) as uow:
            page = uow.cases.search(cast.actor(cast.doctor), Sought(name="虚构甲"), cursor, 4)
        shown += [row.case.id for row in page.rows]
        assert not page.partial
        cursor = page.next_cursor
        if cursor is None:
            break
    assert shown == cases[::-1]


def test_a_text_that_fits_too_many_names_says_that_it_followed_some(
    world: World, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(name_search, "NAMES_FOLLOWED", 2)
    with world.unit_of_work() as uow:
        cases = {
            name: add_case(uow, cast, patient_id=named(uow, cast, name).id, state=state).id
            for name, state in (
                ("虚构", CaseState.FINAL),
                ("虚构甲", CaseState.WAITING),
                ("虚构乙", CaseState.FINAL),
                ("虚构丙", CaseState.AWAITING_REVIEW),
            )
        }
        uow.commit()
    with world.unit_of_work(write=False) as uow:
        # The name itself is followed, whatever else begins like it.
        whole = uow.cases.search(cast.actor(cast.doctor), Sought(name="虚构"), None, 50)
        newest = uow.cases.search(cast.actor(cast.doctor), Sought(name="虚"), None, 50)
        one = uow.cases.search(cast.actor(cast.doctor), Sought(name="虚构乙"), None, 50)
    assert ([row.case.id for row in whole.rows], whole.partial) == ([cases["虚构"]], True)
    assert ([row.case.id for row in newest.rows], newest.partial) == (sorted(cases.values())[::-1], True)
    assert ([row.case.id for row in one.rows], one.partial) == ([cases["虚构乙"]], False)


def test_the_search_follows_a_corrected_name_and_a_case_that_was_another_persons(
    world: World, cast: Cast
) -> None:
    with world.unit_of_work() as uow:
        patient, other = named(uow, cast, "虚构甲"), named(uow, cast, "虚构乙")
        case = add_case(uow, cast, patient_id=patient.id)
        uow.commit()
    with world.unit_of_work() as uow:
        moved = uow.cases.get(case.id)
        moved.patient_id = other.id
        uow.commit()
    assert (found(world, cast, "虚构甲"), found(world, cast, "虚构乙")) == ([], [case.id])
    with world.unit_of_work() as uow:
        renamed = uow.patients.get(other.id)
        renamed.name, renamed.name_pinyin, renamed.name_initials = "虚构丁", "xugouding", "xgd"
        uow.commit()
    assert (found(world, cast, "虚构乙"), found(world, cast, "xgd")) == ([], [case.id])


def priors_of(world: World, cast: Cast, case: Case) -> list[int]:
    with world.unit_of_work(write=False) as uow:
        return [one.case.id for one in uow.cases.priors(cast.actor(cast.doctor), case, 50)]


def test_priors_are_the_same_persons_wherever_they_were_made_and_never_a_namesakes(
    world: World, cast: Cast
) -> None:
    with world.unit_of_work() as uow:
        resident = Resident(
            uid=uid(),
            consortium_id=cast.consortium.id,
            name="虚构甲",
            sex="F",
            birth_date=None,
            id_card_keyed_hash="cd" * 32,
            id_card_last4="3011",
        )
        uow.residents.add(resident)
        uow.flush()
        here = named(uow, cast, "虚构甲", resident_id=resident.id)
        there = named(uow, cast, "虚构甲", cast.other_township, resident_id=resident.id)
        namesake = named(uow, cast, "虚构甲")

        def made(patient: Patient, days: float, **changes: object) -> Case:
            arrived = instant(0) - timedelta(days=days)
            return add_case(uow, cast, patient_id=patient.id, arrived_at=arrived, **changes)

        oldest = made(there, 30, state=CaseState.FINAL)
        film = made(here, 20, modality="DX")
        hidden = made(here, 10, reporting_institution_id=cast.other_hospital.id)
        anothers = made(here, 5, state=CaseState.CLOSED)
        stranger = made(namesake, 3)
        now = made(here, 0)
        later = made(here, -1)
        strangers_next = made(namesake, 1)
        uow.commit()
    assert priors_of(world, cast, now) == [later.id, film.id, oldest.id]
    assert priors_of(world, cast, stranger) == [strangers_next.id]
    with world.unit_of_work(write=False) as uow:
        asked = [now.id, oldest.id, strangers_next.id]
        rows = {row.case.id: row for row in uow.cases.rows_of(cast.actor(cast.doctor), asked)}
    # In the list: earlier ones of the same modality.
    assert (rows[now.id].priors, rows[now.id].prior_at) == (1, oldest.arrived_at)
    assert (rows[oldest.id].priors, rows[oldest.id].prior_at) == (0, None)
    # Known by a number alone.
    assert (rows[strangers_next.id].priors, rows[strangers_next.id].prior_at) == (1, stranger.arrived_at)
    # What is listed is looked at: a change of it would reach no table, and is refused.
    with pytest.raises(AttributeError):
        rows[now.id].case.state = CaseState.FINAL
    assert not {hidden.id, anothers.id} & set(priors_of(world, cast, now))

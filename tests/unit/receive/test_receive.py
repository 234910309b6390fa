"""What becomes of an object: new, repeat, alternate or conflict; and what everybody is told."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from telemed.application.objects import read_object
from telemed.application.receive import Incoming, Received, file_durable, receive
from telemed.domain.errors import Conflict, Unavailable
from telemed.domain.study import ObjectRole, Reception, StoredObject
from telemed.imaging.header import dataset_offset
from tests.factories.dicom import dr_bytes, ecg_bytes, uid
from tests.receiving import NOON, Site, dataset_digest, sent

IMPLICIT = "1.2.840.10008.1.2"


def take(town: Site, file: bytes, **changes: Any) -> Received:
    return receive(town.world, [town.incoming(file, **changes)])[0]


def row(town: Site, object_id: int) -> StoredObject:
    with town.world.unit_of_work(write=False) as uow:
        return uow.studies.object(object_id)


def test_a_new_ecg_has_its_rows_its_jobs_and_its_bytes(town: Site) -> None:
    file = ecg_bytes()
    received = take(town, file, device_id=town.device_id)

    assert received.reception is Reception.NEW
    assert received.dataset_sha256 == dataset_digest(file)
    stored = row(town, received.object_id)
    assert read_object(town.world, stored) == file
    assert (stored.size, stored.device_id, stored.placed) == (len(file), town.device_id, False)
    assert town.column("study", "modality") == ["ECG"]
    assert town.column("patient", "patient_id") == ["TEST-0001"]
    assert sorted(town.column("job", "kind")) == ["complete_study", "place_object"]
    assert town.column("event", "kind") == ["object.received"]
    assert town.waker.woken == 1
    assert town.half_written() == []


def test_an_ecg_is_whole_at_once_and_a_picture_after_the_quiet_period(town: Site) -> None:
    with_ecg, with_picture = take(town, ecg_bytes()), take(town, dr_bytes())
    with town.world.unit_of_work(write=False) as uow:
        assert uow.studies.get(with_ecg.study_id).whole_at == NOON
        assert uow.studies.get(with_picture.study_id).whole_at == NOON + timedelta(seconds=30)


def test_a_later_object_moves_the_end_of_the_quiet_period(town: Site) -> None:
    study = uid("study of two")
    first = take(town, dr_bytes(study_uid=study, seed=1))
    town.clock.instant += timedelta(seconds=20)
    take(town, dr_bytes(study_uid=study, seed=2))
    with town.world.unit_of_work(write=False) as uow:
        found = uow.studies.get(first.study_id)
        assert (found.object_count, found.whole_at) == (2, NOON + timedelta(seconds=50))
    assert town.column("job", "kind").count("complete_study") == 1


def test_several_objects_of_one_study_in_one_batch(town: Site) -> None:
    study = uid("batch")
    files = [dr_bytes(study_uid=study, series_uid=uid("series"), seed=n) for n in range(5)]
    received = receive(town.world, [town.incoming(file) for file in [*files, files[0]]])
    assert [r.reception for r in received] == [Reception.NEW] * 5 + [Reception.REPEAT]
    assert town.column("study", "object_count") == [5]
    assert (town.count("series"), town.count("stored_object"), len(town.spool_files())) == (1, 5, 5)


def test_the_same_object_again_changes_nothing_and_is_a_success(town: Site) -> None:
    file = ecg_bytes()
    first = take(town, file)
    again = take(town, file)
    assert again.reception is Reception.REPEAT
    assert again.object_id == first.object_id
    assert (town.count("stored_object"), len(town.spool_files())) == (1, 1)
    assert town.column("study", "object_count") == [1]
    assert town.column("event", "kind") == ["object.received", "object.repeated"]
    assert read_object(town.world, row(town, first.object_id)) == file


def test_the_same_object_by_another_way_is_a_repeat_whose_bytes_may_take_the_place_of_lost_ones(
    town: Site,
) -> None:
    """By C-STORE the file's digest stands for the data set's too, so that digests alone do not tell."""
    files = [ecg_bytes(), ecg_bytes(SOPInstanceUID=uid("second"))]
    uploaded = take(town, files[0])
    (by_line,) = receive(town.world, [sent(town.world, town.incoming(files[1]))])
    assert row(town, by_line.object_id).dataset_sha256 == row(town, by_line.object_id).file_sha256
    (repeated,) = receive(town.world, [sent(town.world, town.incoming(files[0]))])
    again = take(town, files[1])
    assert [one.reception for one in (repeated, again)] == [Reception.REPEAT] * 2
    assert [one.object_id for one in (repeated, again)] == [uploaded.object_id, by_line.object_id]
    assert len(town.spool_files()) == 2
    town.world.spool.remove(uploaded.file_sha256)
    (healed,) = receive(town.world, [sent(town.world, town.incoming(files[0]))])
    assert healed.reception is Reception.REPEAT
    content = read_object(town.world, row(town, uploaded.object_id))
    assert content[dataset_offset(content) :] == files[0][dataset_offset(files[0]) :]
    other = town.incoming(ecg_bytes(AcquisitionDateTime="20261121150000", StudyTime="150000"))
    assert receive(town.world, [sent(town.world, other)])[0].reception is Reception.CONFLICT


def test_a_repeat_of_one_institution_never_takes_the_copy_of_another(town: Site) -> None:
    """Both hold the very same file; only one of them has it in the spool alone."""
    file = ecg_bytes()
    take(town, file)
    elsewhere = take(town, file, institution_id=town.other_institution_id)
    assert elsewhere.reception is Reception.NEW
    assert take(town, file).reception is Reception.REPEAT
    assert read_object(town.world, row(town, elsewhere.object_id)) == file
    assert len(town.spool_files()) == 2


def test_the_same_data_set_in_another_transfer_syntax_is_kept_beside(town: Site) -> None:
    original, other = dr_bytes(), dr_bytes(transfer_syntax=IMPLICIT)
    first, second = take(town, original), take(town, other)
    assert second.reception is Reception.ALTERNATE
    assert row(town, second.object_id).role is ObjectRole.ALTERNATE
    assert read_object(town.world, row(town, first.object_id)) == original
    assert read_object(town.world, row(town, second.object_id)) == other
    assert town.column("study", "object_count") == [1]
    assert take(town, other).reception is Reception.REPEAT
    assert town.count("notice") == 0


def test_other_content_under_the_same_uid_is_kept_apart_and_a_person_is_told(town: Site) -> None:
    original, other = ecg_bytes(), ecg_bytes(AcquisitionDateTime="20261121150000", StudyTime="150000")
    first, second = take(town, original), take(town, other)
    assert second.reception is Reception.CONFLICT
    assert row(town, second.object_id).role is ObjectRole.CONFLICT
    assert read_object(town.world, row(town, first.object_id)) == original
    assert read_object(town.world, row(town, second.object_id)) == other
    assert town.column("notice", "code") == ["notice.object_conflict"]
    assert town.column("study", "object_count") == [1]
    assert take(town, other).reception is Reception.REPEAT
    assert town.count("notice") == 1


def test_three_forms_of_one_uid_in_one_batch_are_told_apart(town: Site) -> None:
    """Nothing of them has a row yet when they are compared with each other."""
    files = [ecg_bytes(), *(ecg_bytes(StudyTime=time) for time in ("150000", "160000"))]
    files.append(ecg_bytes(transfer_syntax=IMPLICIT, StudyTime="160000"))
    found = [one.reception for one in receive(town.world, [town.incoming(file) for file in files])]
    assert found[:3] == [Reception.NEW, Reception.CONFLICT, Reception.CONFLICT]
    assert town.column("stored_object", "role") == ["primary", "conflict", "conflict", "conflict"]


def test_a_conflict_that_names_another_study_opens_none(town: Site) -> None:
    sop = uid("one instance")
    take(town, ecg_bytes(sop_uid=sop))
    second = take(town, ecg_bytes(sop_uid=sop, study_uid=uid("another study"), seed="other"))
    assert second.reception is Reception.CONFLICT
    assert town.count("study") == 1


def test_an_object_of_another_patient_in_a_known_study_is_quarantined(town: Site) -> None:
    study = uid("one study")
    take(town, dr_bytes(study_uid=study, patient_id="TEST-0001"))
    wrong = take(town, dr_bytes(study_uid=study, patient_id="TEST-0002"))
    assert wrong.reception is Reception.CONFLICT
    assert row(town, wrong.object_id).role is ObjectRole.CONFLICT
    assert town.column("notice", "code") == ["notice.patient_conflict"]
    assert town.column("patient", "patient_id") == ["TEST-0001"]
    assert town.column("study", "object_count") == [1]


def test_studies_without_a_patient_id_do_not_share_a_patient(town: Site) -> None:
    take(town, ecg_bytes(patient_id="", seed=1))
    take(town, ecg_bytes(patient_id="", seed=2))
    assert len(set(town.column("patient", "patient_id"))) == 2
    assert town.column("notice", "code") == ["notice.patient_id_missing"] * 2


def test_a_number_used_for_another_person_is_told(town: Site) -> None:
    take(town, ecg_bytes(seed=1))
    take(town, ecg_bytes(seed=2, patient_name="虚^构二", PatientBirthDate="19710101"))
    assert town.column("notice", "code") == ["notice.patient_differs"]
    assert town.column("notice", "facts") == ['{"fields": "name birth_date"}']


def test_no_notice_and_no_event_holds_a_name(town: Site) -> None:
    take(town, ecg_bytes())
    take(town, ecg_bytes(patient_name="虚^构二"))
    told = [*town.column("notice", "facts"), *town.column("event", "facts")]
    assert len(told) == 4
    assert not [entry for entry in told if "试" in entry or "构" in entry or "\\u" in entry]


@pytest.mark.parametrize("same_object", [True, False])
def test_sixteen_racing_senders_leave_one_patient_one_study_and_exact_counts(
    town: Site, same_object: bool
) -> None:
    study, series = uid("racing"), uid("racing series")
    files = [ecg_bytes(study_uid=study, series_uid=series, seed=0 if same_object else n) for n in range(16)]
    items = [town.incoming(file) for file in files]
    barrier = threading.Barrier(16)

    def send(item: Incoming) -> list[Received]:
        barrier.wait()
        return receive(town.world, [item])

    with ThreadPoolExecutor(16) as senders:
        results = [received for batch in senders.map(send, items) for received in batch]

    expected = 1 if same_object else 16
    assert [r.reception for r in results].count(Reception.NEW) == expected
    assert (town.count("patient"), town.count("study"), town.count("series")) == (1, 1, 1)
    assert town.count("stored_object") == expected
    assert town.column("study", "object_count") == [expected]
    assert len(town.spool_files()) == expected
    assert town.column("job", "kind").count("complete_study") == 1
    assert town.count("event") == 16


class Failing:
    """The real units of work, whose commit fails after it happened, or before."""

    def __init__(self, town: Site, *, happened: bool) -> None:
        self._real, self._happened = town.world.unit_of_work, happened

    @contextmanager
    def __call__(self, *, write: bool = True, synced: bool = True) -> Iterator[Any]:
        with self._real(write=write, synced=synced) as uow:
            commit = uow.commit

            def fail() -> None:
                if self._happened:
                    commit()
                raise RuntimeError("the line to the database broke")

            uow.commit = fail  # type: ignore[method-assign]
            yield uow


@pytest.mark.parametrize("happened", [True, False])
def test_bytes_of_an_uncertain_commit_stay_and_a_repeat_finds_them(town: Site, happened: bool) -> None:
    files = [ecg_bytes(seed=number) for number in range(3)]
    batch = [town.incoming(file) for file in files]
    town.world.spool.make_durable([item.part for item in batch])
    outcomes = file_durable(replace(town.world, unit_of_work=Failing(town, happened=happened)), batch)
    assert [type(outcome).__mro__[1] for outcome in outcomes] == [Unavailable] * 3
    assert len(town.spool_files()) == 3
    assert town.count("stored_object") == (3 if happened else 0)
    for file in files:
        again = take(town, file)
        assert again.reception is (Reception.REPEAT if happened else Reception.NEW)
        assert read_object(town.world, row(town, again.object_id)) == file


def test_one_that_cannot_be_filed_leaves_the_others_of_its_batch_and_nothing_of_itself(town: Site) -> None:
    bad = town.incoming(ecg_bytes(seed="bad"))
    # No institution of this number: the database refuses the row.
    bad = replace(bad, institution_id=town.institution_id, consortium_id=999_999)
    good = [town.incoming(ecg_bytes(seed=number)) for number in range(2)]
    batch = [good[0], bad, good[1]]
    town.world.spool.make_durable([item.part for item in batch])
    outcomes = file_durable(town.world, batch)
    assert isinstance(outcomes[0], Received)
    assert isinstance(outcomes[1], Conflict)
    assert isinstance(outcomes[2], Received)
    assert (town.count("stored_object"), len(town.spool_files())) == (2, 2)

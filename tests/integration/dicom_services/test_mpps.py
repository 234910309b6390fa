"""Performed procedure steps, sent by pynetdicom: the order moves, and the study is whole when they say so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pydicom import Dataset
from pynetdicom import AE

from dicom_node.services import MPPS
from telemed.application.ports.dicom import StepQuery
from telemed.application.sites import MachineRules, set_machine_rules
from telemed.domain.study import StudyState
from tests.cast import TOWNSHIP_A1
from tests.factories.dicom import dr_bytes, uid
from tests.integration.dicom_services.conftest import AE_TITLE, OpenNode

STEP = str(uid("mpps"))
STUDY = str(uid("mpps", "study"))
DX = "1.2.840.10008.5.1.4.1.1.1.1"


@contextmanager
def modality(door: OpenNode, calling: str = "A1_DR") -> Iterator[Any]:
    node = AE(ae_title=calling)
    node.add_requested_context(MPPS)
    association = node.associate("127.0.0.1", door.port, ae_title=AE_TITLE)
    assert association.is_established
    yield association
    association.release()


def beginning(study: str = STUDY, step_id: str = "", status: str = "IN PROGRESS") -> Dataset:
    ds, scheduled = Dataset(), Dataset()
    scheduled.StudyInstanceUID, scheduled.ScheduledProcedureStepID = study, step_id
    scheduled.AccessionNumber, scheduled.ReferencedStudySequence = "", []
    ds.SpecificCharacterSet = "GB18030"
    ds.ScheduledStepAttributesSequence = [scheduled]
    ds.PatientName, ds.PatientID = "Zhang^San=张^三", "M-1"
    ds.PerformedProcedureStepID, ds.PerformedStationAETitle = "PPS1", "A1_DR"
    ds.PerformedProcedureStepStartDate, ds.PerformedProcedureStepStartTime = "20261121", "120000"
    ds.PerformedProcedureStepStatus = status
    ds.Modality, ds.PerformedSeriesSequence = "DX", []
    return ds


def ending(instances: Sequence[str], status: str = "COMPLETED") -> Dataset:
    ds, series = Dataset(), Dataset()
    ds.PerformedProcedureStepStatus = status
    ds.PerformedProcedureStepEndDate, ds.PerformedProcedureStepEndTime = "20261121", "121000"
    series.SeriesInstanceUID, series.ReferencedNonImageCompositeSOPInstanceSequence = "1.2.3", []
    series.ReferencedImageSequence = []
    for instance in instances:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = DX, instance
        series.ReferencedImageSequence.append(item)
    ds.PerformedSeriesSequence = [series]
    return ds


def begin(door: OpenNode, ds: Dataset, instance: str | None = STEP, **options: Any) -> Dataset:
    with modality(door, **options) as association:
        status, _ = association.send_n_create(ds, MPPS, instance)
        return status  # type: ignore[no-any-return]


def change(door: OpenNode, ds: Dataset, instance: str = STEP, **options: Any) -> Dataset:
    with modality(door, **options) as association:
        status, _ = association.send_n_set(ds, MPPS, instance)
        return status  # type: ignore[no-any-return]


def film(number: int, study: str = STUDY) -> tuple[str, bytes]:
    instance = str(uid("mpps", "film", number))
    return instance, dr_bytes(
        patient_id="M-1", study_uid=study, sop_uid=instance, seed=number, InstanceNumber=number
    )


def study_state(door: OpenNode, study: str = STUDY) -> StudyState:
    door.cast.run_jobs()
    with door.cast.world.unit_of_work(write=False) as uow:
        found = uow.studies.by_instance_uid(door.device.institution_id, study)
    assert found is not None
    return found.state


def test_the_order_follows_the_machine(door: OpenNode) -> None:
    door.order("M-1", "张三", modality="DX")
    (study,) = map(str, door.column("scheduled_step", "study_instance_uid"))
    (step_id,) = map(str, door.column("scheduled_step", "step_id"))
    assert int(begin(door, beginning(study, step_id)).Status) == 0
    assert door.column("scheduled_step", "state") == ["in_progress"]
    assert int(change(door, ending([])).Status) == 0
    assert door.column("scheduled_step", "state") == ["completed"]
    assert door.column("performed_step", "state") == ["COMPLETED"]
    assert [facts["state"] for facts in door.events("step.performed")] == ["IN PROGRESS", "COMPLETED"]
    assert "张" not in str(door.column("performed_step", "attributes"))


def listed(door: OpenNode) -> list[str]:
    with door.cast.world.unit_of_work(write=False) as uow:
        found = uow.steps.open_for(door.device, StepQuery(), 10, door.cast.world.clock.now())
    return [entry.patient.patient_id for entry in found]


def test_a_step_broken_off_before_anything_came_is_on_the_worklist_again(door: OpenNode) -> None:
    door.order("M-1", "张三", modality="DX", accession="BROKEN")
    (study,) = map(str, door.column("scheduled_step", "study_instance_uid"))
    begin(door, beginning(study))
    assert listed(door) == []
    change(door, ending([], "DISCONTINUED"))
    assert listed(door) == ["M-1"]
    assert door.column("notice", "code") == ["notice.step_broken_off"]
    # The second attempt leaves a film and is broken off: what came is read, a person orders the rest.
    begin(door, beginning(study), str(uid("mpps", "again")))
    door.put(film(1, study)[1])
    change(door, ending([], "DISCONTINUED"), str(uid("mpps", "again")))
    assert listed(door) == []
    assert door.column("notice", "code")[-1] == "notice.step_broken_off_with_objects"
    assert door.column("scheduled_step", "state") == ["discontinued"]


def test_a_step_that_its_machine_never_ended_is_listed_again(door: OpenNode) -> None:
    door.order("M-1", "张三", modality="DX")
    (study,) = map(str, door.column("scheduled_step", "study_instance_uid"))
    begin(door, beginning(study))
    door.cast.clock.move(minutes=11 * 60)
    assert listed(door) == []
    door.cast.clock.move(minutes=2 * 60)
    assert listed(door) == ["M-1"]
    # How long is the site's own figure.
    rules(door, step_hours=14)
    assert listed(door) == []
    door.cast.clock.move(hours=1, minutes=1)
    assert listed(door) == ["M-1"]
    door.cast.clock.move(days=7)
    assert listed(door) == []
    rules(door, worklist_days=8)
    assert listed(door) == ["M-1"]


def rules(door: OpenNode, **changed: int) -> None:
    usual = {"worklist_days": 7, "step_hours": 12, "commitment_days": 7}
    set_machine_rules(
        door.cast.world,
        actor=door.actor("admin"),
        institution_uid=door.cast.sites[TOWNSHIP_A1].uid,
        rules=MachineRules(issuer_names="", **{**usual, **changed}),
    )


def test_one_performed_step_ends_every_order_it_was_made_for(door: OpenNode) -> None:
    for number in (1, 2):
        door.order(f"M-{number}", "张三", modality="DX")
    first, second = map(str, door.column("scheduled_step", "study_instance_uid"))
    ds, other = beginning(first), Dataset()
    other.StudyInstanceUID, other.ScheduledProcedureStepID = second, ""
    ds.ScheduledStepAttributesSequence.append(other)
    begin(door, ds)
    assert door.column("scheduled_step", "state") == ["in_progress"] * 2
    change(door, ending([]))
    assert door.column("scheduled_step", "state") == ["completed"] * 2


def test_completed_with_everything_here_makes_the_study_whole_at_once(door: OpenNode) -> None:
    films = [film(number) for number in (1, 2)]
    begin(door, beginning())
    door.put(*(data for _, data in films))
    assert study_state(door) is StudyState.RECEIVING
    change(door, ending([instance for instance, _ in films]))
    # The clock stands still: no quiet period has passed.
    assert study_state(door) is StudyState.COMPLETE
    assert door.column("reading_case", "state") == ["waiting"]


def test_what_was_promised_and_is_missing_keeps_the_study_open_until_it_comes(door: OpenNode) -> None:
    films = [film(number) for number in (1, 2, 3)]
    begin(door, beginning())
    door.put(films[0][1])
    change(door, ending([instance for instance, _ in films]))
    assert study_state(door) is StudyState.RECEIVING
    door.put(films[1][1])
    assert study_state(door) is StudyState.RECEIVING
    door.put(films[2][1])
    assert study_state(door) is StudyState.COMPLETE


def told(door: OpenNode) -> list[tuple[dict[str, int], bool]]:
    """What was told of missing objects, and whether it still stands."""
    with door.cast.world.unit_of_work(write=False) as uow:
        found = uow.studies.by_instance_uid(door.device.institution_id, STUDY)
        assert found is not None
        (case,) = uow.cases.of_study(found.id)
        notices = [one for one in uow.notices.of_study(found.id) if one.code == "notice.objects_missing"]
    assert all(one.case_id == case.id for one in notices)
    return [(one.facts, one.resolved_at is None) for one in notices]


def test_a_part_is_not_read_for_the_whole_unwarned(door: OpenNode) -> None:
    films = [film(number) for number in (1, 2, 3)]
    begin(door, beginning())
    door.put(films[0][1])
    change(door, ending([instance for instance, _ in films]))
    door.cast.clock.move(minutes=5)
    assert study_state(door) is StudyState.COMPLETE
    one_of_three = {"promised": 3, "here": 1}
    assert told(door) == [(one_of_three, True)]
    door.put(films[1][1])
    door.cast.clock.move(minutes=5)
    assert study_state(door) is StudyState.COMPLETE
    assert told(door) == [(one_of_three, False), ({"promised": 3, "here": 2}, True)]
    door.put(films[2][1])
    assert study_state(door) is StudyState.COMPLETE
    assert [stands for _, stands in told(door)] == [False, False]


def test_what_the_machine_says_too_late_is_told_too(door: OpenNode) -> None:
    films = [film(number) for number in (1, 2)]
    begin(door, beginning())
    door.put(films[0][1])
    door.cast.clock.move(minutes=5)
    assert study_state(door) is StudyState.COMPLETE
    assert told(door) == []
    change(door, ending([instance for instance, _ in films]))
    assert told(door) == [({"promised": 2, "here": 1}, True)]


def test_a_second_step_still_in_progress_keeps_the_study_open(door: OpenNode) -> None:
    instance, data = film(1)
    begin(door, beginning())
    begin(door, beginning(), str(uid("mpps", "second")))
    door.put(data)
    change(door, ending([instance]))
    assert study_state(door) is StudyState.RECEIVING
    change(door, ending([instance]), str(uid("mpps", "second")))
    assert study_state(door) is StudyState.COMPLETE


def test_another_machine_promises_nothing_for_this_institution(door: OpenNode) -> None:
    instance, data = film(1)
    begin(door, beginning(), calling="A2_DR")
    door.put(data)
    assert int(change(door, ending([instance])).Status) == 0x0112
    change(door, ending([instance]), calling="A2_DR")
    assert study_state(door) is StudyState.RECEIVING


def test_statuses(door: OpenNode) -> None:
    assert int(begin(door, beginning(status="COMPLETED")).Status) == 0x0106
    assert int(begin(door, beginning(status="HALFWAY")).Status) == 0x0106
    assert int(change(door, ending([])).Status) == 0x0112
    assert int(begin(door, beginning()).Status) == 0
    assert int(begin(door, beginning()).Status) == 0x0111
    assert int(change(door, ending([])).Status) == 0
    ended = change(door, ending([]))
    assert (int(ended.Status), int(ended.ErrorID)) == (0x0110, 0xA506)
    assert "may no longer be updated" in ended.ErrorComment


def test_a_step_without_a_uid_gets_one(door: OpenNode) -> None:
    with modality(door) as association:
        status, answered = association.send_n_create(beginning(), MPPS, None)
    assert int(status.Status) == 0
    (given,) = door.column("performed_step", "sop_instance_uid")
    assert str(given).startswith("2.25.")
    assert answered is None or "PatientName" not in answered

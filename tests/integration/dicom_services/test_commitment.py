"""Storage commitment: asked by pynetdicom, reported to it on a new association, again and again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydicom import Dataset
from pynetdicom import AE, evt
from pynetdicom.events import Event

from dicom_node.services import STORAGE_COMMITMENT
from telemed.application.jobs import JobKind
from tests.factories.dicom import ecg_bytes, uid
from tests.integration.dicom_services.conftest import AE_TITLE, OpenNode
from tests.integration.dicom_services.test_retrieve import free_port, register

ECG = "1.2.840.10008.5.1.4.1.1.9.1.1"
INSTANCE = "1.2.840.10008.1.20.1.1"


class Modality:
    """The device's own listening side: N-EVENT-REPORTs, as it hears them."""

    def __init__(self, *, status: int = 0) -> None:
        self.heard: list[tuple[int, Dataset]] = []
        self.status = status

    def on_report(self, event: Event) -> tuple[int, None]:
        request: Any = event.request
        self.heard.append((int(request.EventTypeID), event.event_information))
        return self.status, None

    @contextmanager
    def listening(self, port: int = 0) -> Iterator[int]:
        node = AE(ae_title="A1_DR")
        node.add_supported_context(STORAGE_COMMITMENT, scu_role=True, scp_role=True)
        server = node.start_server(
            ("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_N_EVENT_REPORT, self.on_report)]
        )
        assert server is not None
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()


def ask(door: OpenNode, *pairs: tuple[str, str], transaction: str = "1.2.3.4", action: int = 1) -> int:
    information = Dataset()
    information.TransactionUID = transaction
    information.ReferencedSOPSequence = []
    for sop_class, instance in pairs:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, instance
        information.ReferencedSOPSequence.append(item)
    node = AE(ae_title="A1_DR")
    node.add_requested_context(STORAGE_COMMITMENT)
    association = node.associate("127.0.0.1", door.port, ae_title=AE_TITLE)
    assert association.is_established
    status, _ = association.send_n_action(information, action, STORAGE_COMMITMENT, INSTANCE)
    association.release()
    return int(status.Status)


def stored(door: OpenNode, count: int = 2) -> list[tuple[str, str]]:
    received = door.put(*(ecg_bytes(patient_id="C-1", seed=("commit", n)) for n in range(count)))
    return [(ECG, one.sop_instance_uid) for one in received]


def named(information: Dataset, keyword: str) -> set[str]:
    return {str(item.ReferencedSOPInstanceUID) for item in information.get(keyword) or ()}


def test_what_is_here_and_whole_is_committed(door: OpenNode) -> None:
    pairs = stored(door)
    door.cast.run_jobs()
    modality = Modality()
    with modality.listening() as port:
        register(door, "A1_DR", port)
        assert ask(door, *pairs) == 0x0000
        assert modality.heard == []
        door.cast.run_jobs()
    ((kind, information),) = modality.heard
    assert (kind, information.TransactionUID) == (1, "1.2.3.4")
    assert named(information, "ReferencedSOPSequence") == {uid for _, uid in pairs}
    assert "FailedSOPSequence" not in information
    assert door.column("commitment_request", "state") == ["reported"]
    assert [facts["committed"] for facts in door.events("commitment.reported")] == [2]


def test_what_is_missing_damaged_or_another_class_fails_with_its_reason(door: OpenNode) -> None:
    (good, _), (_, damaged), (_, lost) = pairs = [
        (sop_class, instance) for sop_class, instance in stored(door, 3)
    ]
    door.cast.run_jobs()
    world = door.cast.world
    with world.unit_of_work(write=False) as uow:
        files = {o.sop_instance_uid: o.file_sha256 for o in uow.studies.all_objects(0, 10)}
    for path in (door.cast.root / "objects").rglob("*"):
        if path.is_file() and path.name.startswith(files[damaged]):
            content = bytearray(path.read_bytes())
            content[-1] ^= 1
            path.chmod(0o600)
            path.write_bytes(bytes(content))
        if path.is_file() and path.name.startswith(files[lost]):
            path.unlink()
    unknown, whole = str(uid("never sent")), pairs[0][1]
    modality = Modality()
    with modality.listening() as port:
        register(door, "A1_DR", port)
        ask(door, (good, whole), (ECG, damaged), (ECG, lost), (ECG, unknown))
        ask(door, ("1.2.840.10008.5.1.4.1.1.1.1", whole), transaction="1.2.3.5")
        door.cast.run_jobs()
    (first_kind, first), (second_kind, second) = modality.heard
    assert (first_kind, second_kind) == (2, 2)
    assert named(first, "ReferencedSOPSequence") == {whole}
    reasons = {str(i.ReferencedSOPInstanceUID): int(i.FailureReason) for i in first.FailedSOPSequence}
    assert reasons == {damaged: 0x0110, lost: 0x0110, unknown: 0x0112}
    assert [int(i.FailureReason) for i in second.FailedSOPSequence] == [0x0119]


def test_another_institutions_objects_are_not_vouched_for(door: OpenNode) -> None:
    received = door.put(ecg_bytes(patient_id="C-2"), device=door.other)
    modality = Modality()
    with modality.listening() as port:
        register(door, "A1_DR", port)
        ask(door, (ECG, received[0].sop_instance_uid))
        door.cast.run_jobs()
    assert [int(i.FailureReason) for i in modality.heard[0][1].FailedSOPSequence] == [0x0112]


def test_a_device_that_is_away_is_told_later_even_after_a_restart(door: OpenNode) -> None:
    pairs = stored(door, 1)
    port = free_port()
    register(door, "A1_DR", port)
    ask(door, *pairs)
    door.cast.run_jobs()
    assert door.column("commitment_request", "state") == ["asked"]
    modality = Modality()
    with modality.listening(port):
        # Not before its time: a pause lies between two attempts.
        door.cast.run_jobs()
        assert modality.heard == []
        door.cast.clock.move(seconds=6)
        # Whatever process takes it up knows all of it from the row.
        door.cast.run_jobs()
    assert len(modality.heard) == 1
    assert door.column("commitment_request", "state") == ["reported"]
    door.cast.clock.move(hours=1)
    assert door.cast.run_jobs() == 0


def test_a_device_that_answers_with_a_failure_is_told_again(door: OpenNode) -> None:
    pairs = stored(door, 1)
    with Modality(status=0x0110).listening() as port:
        register(door, "A1_DR", port)
        ask(door, *pairs)
        door.cast.run_jobs()
    assert door.column("commitment_request", "state") == ["asked"]
    assert door.column("commitment_request", "failures") == [1]


def test_a_device_without_an_address_becomes_a_notice_and_is_given_up_in_the_end(door: OpenNode) -> None:
    with door.cast.world.unit_of_work() as uow:
        uow.institutions.get(door.device.institution_id).commitment_days = 9
        uow.commit()
    ask(door, *stored(door, 1))
    for _ in range(5):
        door.cast.run_jobs()
        door.cast.clock.move(minutes=16)
    assert door.column("notice", "code").count("notice.commitment_unheard") == 1
    for days, state in ((8, "asked"), (2, "given_up")):
        door.cast.clock.move(days=days)
        door.cast.run_jobs()
        assert door.column("commitment_request", "state") == [state]
    assert len(door.events("commitment.given_up")) == 1
    with door.cast.world.unit_of_work(write=False) as uow:
        assert not [job for job in uow.jobs.failed() if job.kind is JobKind.REPORT_COMMITMENT]


def test_the_same_transaction_again_is_reported_again(door: OpenNode) -> None:
    pairs = stored(door, 1)
    modality = Modality()
    with modality.listening() as port:
        register(door, "A1_DR", port)
        for _ in range(2):
            ask(door, *pairs)
            door.cast.run_jobs()
    assert len(modality.heard) == 2
    assert len(door.column("commitment_request", "id")) == 1


def test_a_number_used_for_other_objects_is_not_answered_with_the_first(door: OpenNode) -> None:
    first, second = stored(door, 2)
    modality = Modality()
    with modality.listening() as port:
        register(door, "A1_DR", port)
        for pairs in ([first], [second]):
            ask(door, *pairs)
            door.cast.run_jobs()
        ask(door, first)
        ask(door, second)
        door.cast.run_jobs()
    heard = [named(information, "ReferencedSOPSequence") for _, information in modality.heard]
    assert heard == [{first[1]}, {second[1]}, {first[1], second[1]}]


def test_what_cannot_be_asked_is_refused(door: OpenNode) -> None:
    assert ask(door, (ECG, "1.2.3"), action=2) == 0x0123
    assert ask(door) == 0x0115
    assert door.column("commitment_request", "id") == []

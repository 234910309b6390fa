"""C-GET and C-MOVE: bytes as stored, counts, unknown destinations, other forms, and being called off."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset, dcmread
from pynetdicom import AE, build_role, evt
from pynetdicom.events import Event

from dicom_node import services as s
from telemed.application.ports.dicom import Level, ObjectQuery
from telemed.application.retrieve_objects import plan_retrieval
from telemed.domain.errors import InvalidInput
from telemed.domain.exchange import RemoteNode
from telemed.domain.matching import OneOf
from telemed.imaging.header import dataset_offset, read_header
from tests.factories.dicom import dr_bytes, ecg_bytes, uid
from tests.integration.dicom_services.conftest import AE_TITLE, OpenNode, dcmtk
from tests.programs import require

ECG, DX = "1.2.840.10008.5.1.4.1.1.9.1.1", "1.2.840.10008.5.1.4.1.1.1.1"
EXPLICIT, IMPLICIT, RLE = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.5"


def register(door: OpenNode, ae_title: str, port: int, *, institution_id: int | None = None) -> None:
    world = door.cast.world
    with world.unit_of_work() as uow:
        uow.remote_nodes.add(
            RemoteNode(
                uid=world.identifiers.uid(),
                institution_id=institution_id or door.device.institution_id,
                consortium_id=door.device.consortium_id,
                ae_title=ae_title,
                host="127.0.0.1",
                port=port,
            )
        )
        uow.commit()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Destination:
    """A storage provider of pynetdicom: keeps the bytes it got, and answers what it is told to."""

    def __init__(self, *syntaxes: str, statuses: tuple[int, ...] = (), pause: float = 0) -> None:
        self.got: dict[str, bytes] = {}
        self.originators: list[tuple[Any, Any]] = []
        self.syntaxes, self.statuses, self.pause = syntaxes, list(statuses), pause

    def on_store(self, event: Event) -> int:
        time.sleep(self.pause)
        request: Any = event.request
        self.got[str(request.AffectedSOPInstanceUID)] = request.DataSet.getvalue()
        self.originators.append(
            (request.MoveOriginatorApplicationEntityTitle, request.MoveOriginatorMessageID)
        )
        return self.statuses.pop(0) if self.statuses else 0

    @contextmanager
    def listening(self) -> Iterator[int]:
        node = AE(ae_title="DEST")
        for sop_class in (ECG, DX):
            node.add_supported_context(sop_class, list(self.syntaxes or (EXPLICIT,)))
        server = node.start_server(
            ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, self.on_store)]
        )
        assert server is not None
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()


def move(
    door: OpenNode,
    destination: str = "DEST",
    *,
    calling: str = "A1_DR",
    cancel_after: int | None = None,
    **keys: Any,
) -> list[Dataset]:
    """The responses of a C-MOVE, each with its counts."""
    node = AE(ae_title=calling)
    node.add_requested_context(s.STUDY_ROOT_MOVE)
    association = node.associate("127.0.0.1", door.port, ae_title=AE_TITLE)
    assert association.is_established
    found = []
    for status, answer in association.send_c_move(
        identifier(**keys), destination, s.STUDY_ROOT_MOVE, msg_id=5
    ):
        status.failed = [] if answer is None else answer.get("FailedSOPInstanceUIDList") or []
        found.append(status)
        if cancel_after == len(found):
            association.send_c_cancel(5, query_model=s.STUDY_ROOT_MOVE)
    association.release()
    return found


def identifier(**keys: Any) -> Dataset:
    asked = Dataset()
    asked.QueryRetrieveLevel = "STUDY"
    for keyword, value in keys.items():
        setattr(asked, keyword, value)
    return asked


def counts(status: Dataset) -> tuple[int, ...]:
    names = ("Completed", "Failed", "Warning")
    return tuple(int(status.get(f"NumberOf{name}Suboperations") or 0) for name in names)


def data_set(file: bytes) -> bytes:
    return file[dataset_offset(file) :]


STUDY = str(uid("retrieved"))


def films(count: int, **attributes: Any) -> list[bytes]:
    return [
        dr_bytes(patient_id="R-1", study_uid=STUDY, seed=n, InstanceNumber=n + 1, **attributes)
        for n in range(count)
    ]


# What is asked for, by either root: the whole way down is told, and each leads to all of these objects or to one.
WAYS = [
    ("-S", ["QueryRetrieveLevel=STUDY", f"StudyInstanceUID={STUDY}"], True),
    ("-P", ["QueryRetrieveLevel=PATIENT", "PatientID=R-1"], True),
    ("-P", ["QueryRetrieveLevel=STUDY", "PatientID=R-1", f"StudyInstanceUID={STUDY}"], True),
    (
        "-P",
        [
            "QueryRetrieveLevel=IMAGE",
            "PatientID=R-1",
            f"StudyInstanceUID={STUDY}",
            f"SeriesInstanceUID={read_header(films(1)[0]).series_instance_uid}",
            f"SOPInstanceUID={read_header(films(1)[0]).sop_instance_uid}",
        ],
        False,
    ),
]


def fetch(door: OpenNode, program: str, out: Path, way: tuple[str, list[str], bool], *options: object) -> Any:
    """The data sets that one of DCMTK's clients wrote down, sorted."""
    root, keys, _ = way
    out.mkdir()
    dcmtk(
        program, root, *options, "-od", out, "-aet", "A1_DR", "-aec", AE_TITLE,
        *(word for key in keys for word in ("-k", key)), "127.0.0.1", door.port,
    )  # fmt: skip
    return sorted(data_set(path.read_bytes()) for path in out.iterdir())


def test_getscu_receives_what_was_stored(door: OpenNode, tmp_path: Path) -> None:
    files = [*films(3), ecg_bytes(patient_id="R-1", study_uid=STUDY, patient_name="张^三", charset="GB18030")]
    door.put(*files, ecg_bytes(patient_id="R-2", seed=2))
    for number, way in enumerate(WAYS):
        got = fetch(door, "getscu", tmp_path / f"out{number}", way, "+B")
        assert got == sorted(map(data_set, files if way[2] else files[:1])), way
    for facts, (_, _, all_of_them) in zip(door.events("object.sent"), WAYS, strict=True):
        assert (facts["completed"], facts["failed"]) == (4 if all_of_them else 1, 0)
        assert facts["what"] == "c-get"
    assert [f["what"] for f in door.events("object.read")] == ["c-get"] * len(WAYS)


def test_movescu_receives_what_was_stored(door: OpenNode, tmp_path: Path) -> None:
    files = films(3)
    door.put(*files, ecg_bytes(patient_id="R-2", seed=2))
    port = free_port()
    register(door, "A1_DR", port)
    # By either root; the levels are those of C-GET.
    for number, way in enumerate(WAYS[:2]):
        got = fetch(door, "movescu", tmp_path / f"out{number}", way, "-B", "--port", port, "-aem", "A1_DR")
        assert got == sorted(map(data_set, files if way[2] else files[:1])), way


def test_counts_and_the_originator_of_a_move(door: OpenNode) -> None:
    files = films(3)
    door.put(*files)
    there = Destination()
    with there.listening() as port:
        register(door, "DEST", port)
        answers = move(door, StudyInstanceUID=STUDY)
    assert [int(a.Status) for a in answers] == [0xFF00, 0xFF00, 0x0000]
    assert [counts(a) for a in answers] == [(1, 0, 0), (2, 0, 0), (3, 0, 0)]
    assert [a.get("NumberOfRemainingSuboperations") for a in answers] == [2, 1, None]
    assert sorted(there.got.values()) == sorted(map(data_set, files))
    assert set(there.originators) == {("A1_DR", 5)}


@pytest.mark.parametrize(
    ("statuses", "final", "counted"),
    [
        ((0xA700, 0, 0), 0xB000, (2, 1, 0)),
        ((0xB000, 0, 0), 0xB000, (2, 0, 1)),
        ((0xA900, 0xC000, 0x0110), 0xA702, (0, 3, 0)),
    ],
)
def test_failures_and_warnings_are_counted(
    door: OpenNode, statuses: tuple[int, ...], final: int, counted: tuple[int, ...]
) -> None:
    door.put(*films(3))
    with Destination(statuses=statuses).listening() as port:
        register(door, "DEST", port)
        last = move(door, StudyInstanceUID=STUDY)[-1]
    assert (int(last.Status), counts(last)) == (final, counted)
    failed = [last.failed] if isinstance(last.failed, str) else list(last.failed)
    assert len(failed) == counted[1]


def test_an_unknown_destination_is_a801_and_reads_nothing(door: OpenNode) -> None:
    door.put(*films(1))
    # Registered, but for another institution.
    register(door, "ELSEWHERE", 1, institution_id=door.other.institution_id)
    for title in ("NOBODY", "ELSEWHERE"):
        assert [int(a.Status) for a in move(door, title, StudyInstanceUID=STUDY)] == [0xA801]
    assert door.events("object.read") == []


def test_a_destination_that_is_away_fails_every_sub_operation(door: OpenNode) -> None:
    door.put(*films(2))
    register(door, "DEST", free_port())
    (last,) = move(door, StudyInstanceUID=STUDY)
    assert (int(last.Status), counts(last), len(last.failed)) == (0xA702, (0, 2, 0), 2)


@contextmanager
def storescp(folder: Path, *options: str) -> Iterator[int]:
    """DCMTK's provider, which takes just the transfer syntaxes it is told to, and writes what it gets."""
    port = free_port()
    folder.mkdir(exist_ok=True)
    program = require("storescp", package="dcmtk")
    process = subprocess.Popen([program, "-B", *options, "-od", str(folder), "-aet", "DEST", str(port)])
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=10)


def redirect(door: OpenNode, port: int) -> None:
    with door.cast.world.unit_of_work() as uow:
        node = uow.remote_nodes.by_ae_title(door.device.institution_id, "DEST")
        assert node is not None
        node.port = port
        uow.commit()


def test_an_alternate_is_sent_where_the_primary_is_not_read(door: OpenNode, tmp_path: Path) -> None:
    plain, rle = tmp_path / "plain.dcm", tmp_path / "rle.dcm"
    plain.write_bytes(films(1)[0])
    subprocess.run([require("dcmcrle", package="dcmtk"), plain, rle], check=True, timeout=60)
    door.put(rle.read_bytes())
    register(door, "DEST", 1)
    explicit_only, rle_too = tmp_path / "explicit", tmp_path / "rle"
    with storescp(explicit_only, "+x=") as port:
        redirect(door, port)
        (refused,) = move(door, StudyInstanceUID=STUDY)
        assert (int(refused.Status), counts(refused)) == (0xA702, (0, 1, 0))
        door.put(plain.read_bytes())
        assert door.column("stored_object", "role") == ["primary", "alternate"]
        (done,) = move(door, StudyInstanceUID=STUDY)
        assert (int(done.Status), counts(done)) == (0x0000, (1, 0, 0))
    (written,) = explicit_only.iterdir()
    assert data_set(written.read_bytes()) == data_set(plain.read_bytes())
    with storescp(rle_too, "+xr") as port:
        redirect(door, port)
        move(door, StudyInstanceUID=STUDY)
    (written,) = rle_too.iterdir()
    assert data_set(written.read_bytes()) == data_set(rle.read_bytes())


def test_a_cancelled_move_says_what_was_done_and_what_remains(door: OpenNode) -> None:
    door.put(*films(6))
    there = Destination(pause=0.15)
    with there.listening() as port:
        register(door, "DEST", port)
        answers = move(door, StudyInstanceUID=STUDY, cancel_after=1)
        last = answers[-1]
    assert int(last.Status) == 0xFE00
    done = counts(last)[0]
    assert 1 <= done < 6
    assert int(last.NumberOfRemainingSuboperations) == 6 - done == 6 - len(there.got)


def get(
    door: OpenNode, *, sop_classes: tuple[str, ...] = (DX,), syntaxes: tuple[str, ...] = (EXPLICIT,),
    statuses: tuple[int, ...] = (), role: bool = True, cancel_after: int | None = None, pause: float = 0,
    calling: str = "A1_DR", **keys: Any,
) -> tuple[list[Dataset], Destination]:  # fmt: skip
    there = Destination(statuses=statuses, pause=pause)
    node = AE(ae_title=calling)
    node.add_requested_context(s.STUDY_ROOT_GET)
    for sop_class in sop_classes:
        for syntax in syntaxes:
            node.add_requested_context(sop_class, syntax)
    roles: list[Any] = [build_role(sop_class, scp_role=True) for sop_class in sop_classes] if role else []
    association = node.associate(
        "127.0.0.1",
        door.port,
        ae_title=AE_TITLE,
        ext_neg=roles,
        evt_handlers=[(evt.EVT_C_STORE, there.on_store)],
    )
    assert association.is_established
    found = []
    for status, _ in association.send_c_get(identifier(**keys), s.STUDY_ROOT_GET, msg_id=9):
        found.append(status)
        if cancel_after == len(found):
            association.send_c_cancel(9, query_model=s.STUDY_ROOT_GET)
    association.release()
    return found, there


def test_counts_of_a_get(door: OpenNode) -> None:
    files = films(3)
    door.put(*files)
    answers, there = get(door, StudyInstanceUID=STUDY, statuses=(0, 0xB000, 0xA700))
    assert (int(answers[-1].Status), counts(answers[-1])) == (0xB000, (1, 1, 1))
    assert sorted(there.got.values()) == sorted(map(data_set, files))


def test_a_get_without_the_providers_role_sends_nothing(door: OpenNode) -> None:
    door.put(*films(2))
    answers, there = get(door, StudyInstanceUID=STUDY, role=False)
    assert (int(answers[-1].Status), counts(answers[-1]), there.got) == (0xA702, (0, 2, 0), {})


def test_a_cancelled_get(door: OpenNode) -> None:
    door.put(*films(6))
    answers, there = get(door, StudyInstanceUID=STUDY, cancel_after=1, pause=0.1)
    last = answers[-1]
    assert int(last.Status) == 0xFE00
    assert counts(last)[0] == len(there.got) < 6
    assert int(last.NumberOfRemainingSuboperations) == 6 - len(there.got)


def test_one_image_one_series_and_what_is_missing(door: OpenNode) -> None:
    door.put(*films(3))
    with door.cast.world.unit_of_work(write=False) as uow:
        first = uow.studies.all_objects(0, 1)[0]
    answers, there = get(
        door, QueryRetrieveLevel="IMAGE", StudyInstanceUID=STUDY, SOPInstanceUID=first.sop_instance_uid
    )
    assert (int(answers[-1].Status), list(there.got)) == (0x0000, [first.sop_instance_uid])
    (none,), _ = get(door, StudyInstanceUID="1.2.3.4")
    assert (int(none.Status), counts(none)) == (0x0000, (0, 0, 0))
    (wrong,), _ = get(door, QueryRetrieveLevel="SERIES", StudyInstanceUID=STUDY)
    assert int(wrong.Status) == 0xA900


def test_nobody_fetches_what_they_may_not_see(door: OpenNode) -> None:
    door.put(*films(2))
    for calling in ("A2_DR", "B_DR", "A_PACS"):
        (answer,), there = get(door, calling=calling, StudyInstanceUID=STUDY)
        assert (int(answer.Status), there.got) == (0x0000, {}), calling
    door.cast.clock.move(seconds=60)
    door.cast.run_jobs()
    _, there = get(door, calling="A_PACS", StudyInstanceUID=STUDY)
    assert len(there.got) == 2
    _, there = get(door, calling="B_DR", StudyInstanceUID=STUDY)
    assert there.got == {}


def test_a_conflicting_object_is_never_sent(door: OpenNode) -> None:
    instance = str(uid("same"))
    door.put(*films(1, sop_uid=instance))
    door.put(*films(1, sop_uid=instance, StudyTime="150000"))
    assert door.column("stored_object", "role") == ["primary", "conflict"]
    answers, there = get(door, StudyInstanceUID=STUDY)
    assert counts(answers[-1]) == (1, 0, 0)
    assert list(there.got.values()) == [data_set(films(1, sop_uid=instance)[0])]


def test_a_number_or_a_study_uid_of_two_institutions_is_never_mixed(door: OpenNode) -> None:
    """Patient numbers are each institution's own: one meaning is answered, two are refused."""
    world, shared = door.cast.world, str(uid("shared"))
    mine = dr_bytes(patient_id="1001", patient_name="张^甲", study_uid=shared, seed="a")
    theirs = dr_bytes(patient_id="1001", patient_name="李^乙", study_uid=shared, seed="b")
    door.put(mine)
    door.put(theirs, device=door.other)
    door.cast.clock.move(minutes=2)
    door.cast.run_jobs()
    with world.unit_of_work(write=False) as uow:
        code = uow.institutions.get(door.device.institution_id).code

    def found(**keys: str) -> list[str]:
        asked = {name: OneOf((value,)) for name, value in keys.items()}
        planned = plan_retrieval(world, device=door.reader, keys=asked, service="c-move", destination="X")
        return [one.sop_instance_uid for one in planned]

    sop = str(dcmread(BytesIO(mine)).SOPInstanceUID)
    assert found(PatientID="1001", IssuerOfPatientID=code) == [sop]
    assert found(StudyInstanceUID=shared, IssuerOfPatientID=code) == [sop]
    with pytest.raises(InvalidInput):
        found(PatientID="1001")
    there = Destination()
    with there.listening() as port:
        register(door, "DEST", port, institution_id=door.reader.institution_id)
        (refused,) = move(door, calling="A_PACS", StudyInstanceUID=shared)
        assert (int(refused.Status), there.got) == (0xA900, {})
        (*_, last) = move(door, calling="A_PACS", StudyInstanceUID=shared, IssuerOfPatientID=code)
    assert (int(last.Status), list(there.got)) == (0, [sop])

    # Nor are those of two issuers at one of them.
    foreign = dr_bytes(patient_id="1001", patient_name="王^丙", seed="c", IssuerOfPatientID="CITY")
    door.put(foreign)
    door.cast.clock.move(minutes=2)
    door.cast.run_jobs()
    asked = {"PatientID": OneOf(("1001",))}
    with pytest.raises(InvalidInput):
        plan_retrieval(world, device=door.device, keys=asked, service="c-move", destination="X")
    assert found(PatientID="1001", IssuerOfPatientID="CITY") == [
        str(dcmread(BytesIO(foreign)).SOPInstanceUID)
    ]
    assert found(PatientID="1001", IssuerOfPatientID=code) == [sop]
    query = ObjectQuery(
        level=Level.PATIENT, keys=asked, wanted=frozenset({"PatientName", "IssuerOfPatientID"})
    )
    with world.unit_of_work(write=False) as uow:
        rows = uow.index.find(door.device, query, 10)
    assert {row["IssuerOfPatientID"]: row["PatientName"] for row in rows} == {code: "张甲", "CITY": "王丙"}

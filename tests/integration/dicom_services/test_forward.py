"""Forwarding by rule, to DCMTK's storescp and to Orthanc."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from telemed.application.reassign import Wish, reassign
from telemed.application.remote_nodes import NewNode, add_forward_rule, add_remote_node
from telemed.application.retrieve_objects import plan_retrieval
from telemed.domain.errors import Forbidden, InvalidInput, NotFound, Unavailable
from telemed.domain.exchange import ForwardRule, RemoteNode
from telemed.domain.matching import OneOf
from tests.cast import TOWNSHIP_A1
from tests.factories.dicom import dr_bytes, ecg_bytes, uid
from tests.integration.dicom_services.conftest import AE_TITLE, OpenNode, dcmtk
from tests.integration.dicom_services.test_retrieve import Destination, data_set, free_port, register
from tests.programs import require

STUDY = str(uid("forwarded"))


def forward_to(door: OpenNode, port: int, *, modality: str = "") -> RemoteNode:
    admin, site = door.actor("admin"), door.cast.sites[TOWNSHIP_A1]
    new = NewNode(ae_title="DEST", host="127.0.0.1", port=port)
    node = add_remote_node(door.cast.world, actor=admin, new=new, institution_uid=site.uid)
    add_forward_rule(
        door.cast.world, actor=admin, node_uid=node.uid, modality=modality, institution_uid=site.uid
    )
    return node


def whole(door: OpenNode) -> None:
    door.cast.clock.move(seconds=40)
    door.cast.run_jobs()


def states(door: OpenNode) -> list[object]:
    return door.column("forward_item", "state")


def files(count: int) -> list[bytes]:
    return [
        dr_bytes(patient_id="F-1", study_uid=STUDY, seed=number, InstanceNumber=number + 1)
        for number in range(count)
    ]


def test_a_whole_study_goes_to_the_destination_once(door: OpenNode) -> None:
    there, sent = Destination(), files(3)
    with there.listening() as port:
        forward_to(door, port)
        door.put(*sent)
        door.cast.run_jobs()
        assert there.got == {}
        whole(door)
        assert sorted(there.got.values()) == sorted(map(data_set, sent))
        there.got.clear()
        # A late object alone goes after them; nothing goes twice.
        (late,) = [dr_bytes(patient_id="F-1", study_uid=STUDY, seed="late")]
        door.put(late)
        whole(door)
    assert list(there.got.values()) == [data_set(late)]
    assert states(door) == ["sent"] * 4
    assert len([f for f in door.events("object.sent") if f["what"] == "forward"]) == 4


def test_a_rule_names_its_modality(door: OpenNode) -> None:
    there = Destination()
    with there.listening() as port:
        forward_to(door, port, modality="ECG")
        door.put(*files(1))
        door.put(ecg_bytes(patient_id="F-2", accession="F2"))
        whole(door)
    assert len(there.got) == 1
    assert states(door) == ["sent"]


def test_a_destination_that_is_away_is_tried_again_and_nothing_is_lost(door: OpenNode) -> None:
    there, port = Destination(), free_port()
    node = forward_to(door, port)
    door.put(*files(2))
    whole(door)
    assert states(door) == ["waiting", "waiting"]
    # Longer than any job of the usual kind is tried, with a person told on the way.
    for _ in range(12):
        door.cast.clock.move(minutes=16)
        door.cast.run_jobs()
    assert states(door) == ["waiting", "waiting"]
    assert door.column("notice", "code").count("notice.forward_unreachable") == 1
    with door.cast.world.unit_of_work(write=False) as uow:
        assert uow.jobs.failed() == []
        assert uow.remote_nodes.get(node.id).failures == 13
    server = Destination()
    with _listening_at(server, port):
        door.cast.clock.move(minutes=16)
        door.cast.run_jobs()
    assert len(server.got) == 2
    assert states(door) == ["sent", "sent"]
    with door.cast.world.unit_of_work(write=False) as uow:
        assert uow.remote_nodes.get(node.id).failures == 0
    assert there.got == {}


@contextmanager
def _listening_at(destination: Destination, port: int) -> Iterator[None]:
    from pynetdicom import AE, evt

    node = AE(ae_title="DEST")
    node.add_supported_context("1.2.840.10008.5.1.4.1.1.1.1")
    server = node.start_server(
        ("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_C_STORE, destination.on_store)]
    )
    assert server is not None
    yield
    server.shutdown()


_ELSEWHERE = """
import sys
from datetime import datetime
from pathlib import Path
from telemed.application.handlers import HANDLERS
from telemed.application.run_jobs import run_due
from tests.cast import FakeAnalyser, MovableClock, open_world
root, url, now = sys.argv[1:]
world = open_world(Path(root), url, MovableClock(datetime.fromisoformat(now)), FakeAnalyser())
while run_due(world, HANDLERS, limit=20):
    pass
"""


def test_a_queue_goes_on_after_its_process_was_killed(door: OpenNode) -> None:
    class Waits(Destination):
        """The second object is not answered before `goes_on`."""

        def __init__(self) -> None:
            super().__init__()
            self.second, self.goes_on, self.count = threading.Event(), threading.Event(), 0

        def on_store(self, event: Any) -> int:
            self.count += 1
            if self.count == 2:
                self.second.set()
                assert self.goes_on.wait(60)
            return super().on_store(event)

    there, sent, cast = Waits(), files(3), door.cast
    with there.listening() as port:
        forward_to(door, port)
        door.put(*sent)
        cast.run_jobs()
        cast.clock.move(seconds=40)
        command = [sys.executable, "-c", _ELSEWHERE, str(cast.root), cast.settings.database_url]
        with subprocess.Popen([*command, cast.clock.now().isoformat()]) as other:
            assert there.second.wait(60)
            other.kill()
        there.goes_on.set()
        assert states(door) == ["sent", "waiting", "waiting"]
        # What the dead one had taken up is held by its lease, and then anybody's.
        assert (cast.run_jobs(), states(door)) == (0, ["sent", "waiting", "waiting"])
        cast.clock.move(seconds=121)
        cast.run_jobs()
    assert states(door) == ["sent"] * 3
    assert sorted(there.got.values()) == sorted(map(data_set, sent))
    # The first went once: a queue that goes on begins where it stood.
    assert there.count == 4


def test_one_dead_destination_holds_up_no_other(door: OpenNode) -> None:
    there = Destination()
    with there.listening() as port:
        forward_to(door, free_port())
        world, admin, site = door.cast.world, door.actor("admin"), door.cast.sites[TOWNSHIP_A1]
        new = NewNode(ae_title="OTHER", host="127.0.0.1", port=port)
        other = add_remote_node(world, actor=admin, new=new, institution_uid=site.uid)
        add_forward_rule(world, actor=admin, node_uid=other.uid, institution_uid=site.uid)
        door.put(*files(2))
        whole(door)
    assert len(there.got) == 2
    assert sorted(map(str, states(door))) == ["sent", "sent", "waiting", "waiting"]


def test_a_refusal_is_settled_and_no_room_is_waited_for(door: OpenNode) -> None:
    there = Destination(statuses=(0xA900, 0xA700, 0, 0))
    with there.listening() as port:
        forward_to(door, port)
        door.put(*files(3))
        whole(door)
        # Gone past: it may be that object alone.
        assert states(door) == ["refused", "waiting", "sent"]
        assert door.column("forward_item", "last_status")[0] == 0xA900
        assert "notice.forward_refused" in door.column("notice", "code")
        door.cast.clock.move(seconds=10)
        door.cast.run_jobs()
    assert states(door) == ["refused", "sent", "sent"]


class _Away:
    """An object store that does not answer."""

    def open(self, file_sha256: str) -> bytes:
        raise Unavailable("error.objects_unavailable")


def test_while_our_own_store_is_away_the_queue_waits_and_nobody_else_is_blamed(
    door: OpenNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = Destination()
    with there.listening() as port:
        node = forward_to(door, port)
        door.put(*files(2))
        door.cast.run_jobs()
        with monkeypatch.context() as outage:
            outage.setattr(door.cast.world.objects, "open", _Away().open)
            whole(door)
            assert (there.got, states(door)) == ({}, ["waiting", "waiting"])
            assert "notice.forward_refused" not in door.column("notice", "code")
        with door.cast.world.unit_of_work(write=False) as uow:
            assert uow.remote_nodes.get(node.id).failures == 0
        door.cast.clock.move(minutes=1)
        door.cast.run_jobs()
    assert (len(there.got), states(door)) == (2, ["sent", "sent"])


def test_what_was_sent_under_the_wrong_person_is_told_of(door: OpenNode) -> None:
    """By rule to one node, fetched by a machine: each is to be corrected on its own side."""
    door.order("F-2", "李四", modality="DX")
    there = Destination()
    with there.listening() as port:
        forward_to(door, port)
        door.put(*files(2))
        whole(door)
    keys = {"StudyInstanceUID": OneOf((STUDY,))}
    plan_retrieval(door.cast.world, device=door.reader, keys=keys, service="c-get", destination="A_PACS")
    wish = Wish(from_patient_id="F-1", patient_id="F-2", reason="选错了工作列表项")
    reassign(door.cast.world, actor=door.actor("technician"), study_instance_uid=STUDY, wish=wish)
    with door.cast.world.unit_of_work(write=False) as uow:
        study = uow.studies.by_instance_uid(door.device.institution_id, STUDY)
        assert study is not None
        told = [one.facts for one in uow.notices.of_study(study.id)]
    assert told == [{"ae_title": name, "former": "F-1", "now": "F-2"} for name in ("DEST", "A_PACS")]


def test_a_full_destination_is_left_in_peace_and_what_found_no_room_goes_last(door: OpenNode) -> None:
    there = Destination(statuses=(0xA700,) * 4)
    with there.listening() as port:
        node = forward_to(door, port)
        door.put(*files(5))
        whole(door)
        # Three in a row, and the queue waits.
        assert (len(there.got), states(door)) == (3, ["waiting"] * 5)
        door.cast.clock.move(seconds=5)
        door.cast.run_jobs()
        assert states(door) == ["sent", "sent", "sent", "waiting", "sent"]
        door.cast.clock.move(seconds=5)
        door.cast.run_jobs()
    assert states(door) == ["sent"] * 5
    with door.cast.world.unit_of_work(write=False) as uow:
        assert uow.remote_nodes.get(node.id).failures == 0


def test_traffic_does_not_hurry_a_destination_that_is_away(door: OpenNode) -> None:
    node = forward_to(door, free_port())
    for number in range(4):
        door.put(ecg_bytes(patient_id=f"BK-{number}", seed=number))
        door.cast.run_jobs()
    with door.cast.world.unit_of_work(write=False) as uow:
        assert uow.remote_nodes.get(node.id).failures == 1
    door.cast.clock.move(seconds=5)
    door.cast.run_jobs()
    with door.cast.world.unit_of_work(write=False) as uow:
        assert uow.remote_nodes.get(node.id).failures == 2


def test_only_within_the_consortium(door: OpenNode) -> None:
    """By the use case, and by the query where a row says otherwise."""
    there, world = Destination(), door.cast.world
    with there.listening() as port:
        stranger = RemoteNode(
            uid=world.identifiers.uid(),
            institution_id=door.stranger.institution_id,
            consortium_id=door.stranger.consortium_id,
            ae_title="DEST",
            host="127.0.0.1",
            port=port,
        )
        with world.unit_of_work() as uow:
            uow.remote_nodes.add(stranger)
            uow.commit()
        site = door.cast.sites[TOWNSHIP_A1]
        with pytest.raises(NotFound):
            add_forward_rule(
                world, actor=door.actor("admin"), node_uid=stranger.uid, institution_uid=site.uid
            )
        with world.unit_of_work() as uow:
            uow.remote_nodes.add_rule(
                ForwardRule(
                    uid=world.identifiers.uid(),
                    institution_id=site.id,
                    consortium_id=door.device.consortium_id,
                    remote_node_id=stranger.id,
                )
            )
            uow.commit()
        door.put(*files(1))
        whole(door)
    assert (there.got, states(door)) == ({}, [])


@pytest.mark.parametrize(
    "wrong", [{"ae_title": ""}, {"ae_title": "x" * 17}, {"host": " "}, {"port": 0}, {"port": 70_000}]
)
def test_an_impossible_address_is_refused(door: OpenNode, wrong: dict[str, Any]) -> None:
    new = {"ae_title": "DEST", "host": "127.0.0.1", "port": 104, **wrong}
    with pytest.raises(InvalidInput):
        add_remote_node(door.cast.world, actor=door.actor("admin"), new=NewNode(**new))
    with pytest.raises(Forbidden):
        add_remote_node(
            door.cast.world, actor=door.actor("technician"), new=NewNode(ae_title="D", host="h", port=1)
        )


# --- Orthanc -----------------------------------------------------------------------------------------------


@dataclass
class Orthanc:
    dicom_port: int
    http_port: int

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}{path}", timeout=20) as answer:
            body = answer.read()
            return json.loads(body) if "json" in answer.headers["Content-Type"] else body

    def post(self, path: str, body: Any) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.http_port}{path}", data=json.dumps(body).encode(), method="POST"
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")

    def send(self, file: bytes) -> None:
        """As if a device had brought it there."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.http_port}/instances", data=file, method="POST"
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert json.loads(answer.read())["Status"] == "Success"


@pytest.fixture
def orthanc(tmp_path: Path, door: OpenNode) -> Iterator[Orthanc]:
    """Debian's Orthanc on free ports, with an empty index; it knows our node."""
    program = require("Orthanc", package="orthanc", folders="/usr/sbin")
    here = Orthanc(free_port(), free_port())
    configuration = {
        "Name": "FICTIONAL",
        "StorageDirectory": str(tmp_path / "orthanc"), "IndexDirectory": str(tmp_path / "orthanc"),
        "DicomAet": "ORTHANC", "DicomPort": here.dicom_port, "HttpPort": here.http_port,
        "RemoteAccessAllowed": False, "AuthenticationEnabled": False, "Plugins": [],
        "DicomModalities": {"node": {"AET": AE_TITLE, "Host": "127.0.0.1", "Port": door.port}},
        "DefaultEncoding": "Chinese",
        "DicomCheckModalityHost": False, "DicomAlwaysAllowStore": True, "ConcurrentJobs": 1,
    }  # fmt: skip
    (tmp_path / "orthanc").mkdir()
    path = tmp_path / "orthanc.json"
    path.write_text(json.dumps(configuration))
    with (tmp_path / "orthanc.log").open("wb") as log:
        process = subprocess.Popen([program, str(path)], stdout=log, stderr=log, env={"TCP_NODELAY": "1"})
        try:
            wait_for(here.dicom_port, here.http_port)
            yield here
        finally:
            process.terminate()
            process.wait(timeout=20)


def wait_for(*ports: int) -> None:
    for _ in range(600):
        with socket.socket() as first, socket.socket() as second:
            if all(s.connect_ex(("127.0.0.1", p)) == 0 for s, p in zip((first, second), ports, strict=True)):
                return
        time.sleep(0.05)
    raise AssertionError("Orthanc does not listen")


def test_orthanc_is_forwarded_to_and_moved_to(door: OpenNode, orthanc: Orthanc, tmp_path: Path) -> None:
    sent = files(2)
    node = forward_to(door, orthanc.dicom_port)
    with door.cast.world.unit_of_work() as uow:
        uow.remote_nodes.get(node.id).ae_title = "ORTHANC"
        uow.commit()
    door.put(*sent)
    whole(door)
    assert states(door) == ["sent", "sent"]
    held = [orthanc.get(f"/instances/{name}/file") for name in orthanc.get("/instances")]
    assert sorted(map(data_set, held)) == sorted(map(data_set, sent))
    ecg = ecg_bytes(patient_id="F-3", patient_name="张^三", charset="GB18030", accession="MOVED")
    door.put(ecg)
    dcmtk(
        "movescu", "-S", "-aet", "A1_DR", "-aem", "ORTHANC", "-aec", AE_TITLE, "-k", "QueryRetrieveLevel=STUDY",
        "-k", f"StudyInstanceUID={uid('study', 'F-3', 'MOVED', 'ECG', '')}", "127.0.0.1", door.port,
    )  # fmt: skip
    (found,) = orthanc.post("/tools/find", {"Level": "Study", "Query": {"PatientID": "F-3"}, "Expand": True})
    assert found["PatientMainDicomTags"]["PatientName"] == "张^三"


def test_orthanc_asks_queries_and_stores(door: OpenNode, orthanc: Orthanc) -> None:
    """The other direction: C-ECHO, C-STORE, C-FIND and C-MOVE, all begun by Orthanc."""
    with door.cast.world.unit_of_work() as uow:
        uow.devices.get(door.device.id).ae_title = "ORTHANC"
        uow.commit()
    register(door, "ORTHANC", orthanc.dicom_port)
    orthanc.post("/modalities/node/echo", {})
    door.put(ecg_bytes(patient_id="F-4", patient_name="张^三", accession="O1"))
    query = orthanc.post(
        "/modalities/node/query", {"Level": "Study", "Query": {"PatientID": "F-4", "PatientName": ""}}
    )
    (answer,) = orthanc.get(f"/queries/{query['ID']}/answers")
    content = orthanc.get(f"/queries/{query['ID']}/answers/{answer}/content?simplify")
    assert content["PatientName"].endswith("=张^三")
    orthanc.post(f"/queries/{query['ID']}/answers/{answer}/retrieve", {"TargetAet": "ORTHANC"})
    (instance,) = orthanc.get("/instances")
    orthanc.post("/modalities/node/store", {"Resources": [instance]})
    assert door.events("object.repeated") != []

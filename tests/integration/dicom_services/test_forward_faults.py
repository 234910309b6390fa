"""What a destination does not take: asked again, settled, or put behind the others; its line is a fake."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from telemed.application.ports.dicom import SendingLine
from telemed.application.receive import receive
from telemed.application.remote_nodes import (
    NewNode,
    add_forward_rule,
    add_remote_node,
    change_remote_node,
    remote_nodes,
)
from telemed.application.send_again import send_again
from telemed.domain.access import Actor
from telemed.domain.errors import Forbidden, Unavailable
from telemed.domain.exchange import RemoteNode
from telemed.domain.study import StoredObject
from tests.cast import TOWNSHIP_A1, Cast
from tests.factories.dicom import dr_bytes, uid
from tests.receiving import incoming_of

NEW = NewNode(ae_title="DEST", host="127.0.0.1", port=104)


class Line:
    """Answers by the number of the object; what stands in no list is taken."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers: dict[str, list[int]] = {}
        self.breaks: set[str] = set()
        self.away = self.takes_nothing = False

    @contextmanager
    def sending_line(self, _: RemoteNode, kinds: Sequence[tuple[str, str]]) -> Iterator[SendingLine]:
        assert kinds
        if self.away:
            raise Unavailable("error.peer_unavailable", ae_title="DEST")
        yield self

    def accepts(self, _: str, __: str) -> bool:
        return not self.takes_nothing

    def store(self, stored: StoredObject, _: Any, __: tuple[str, int] | None = None) -> int:
        name = stored.sop_instance_uid
        self.asked.append(name)
        if name in self.breaks:
            raise Unavailable("error.peer_unavailable", ae_title="DEST")
        told = self.answers.get(name)
        return told.pop(0) if told else 0


class Scene:
    def __init__(self, cast: Cast, line: Line) -> None:
        self.cast, self.line = cast, line
        site = cast.sites[TOWNSHIP_A1]
        self.admin = self.actor("admin")
        self.node = add_remote_node(cast.world, actor=self.admin, new=NEW, institution_uid=site.uid)
        add_forward_rule(
            cast.world, actor=self.admin, node_uid=self.node.uid, modality="", institution_uid=site.uid
        )

    def actor(self, username: str) -> Actor:
        with self.cast.world.unit_of_work(write=False) as uow:
            user = uow.users.by_username(username)
        assert user is not None
        names = ("username", "display_name", "role", "institution_id", "consortium_id")
        kept = {name: getattr(user, name) for name in (*names, "license_number", "language")}
        return Actor(user_id=user.id, user_uid=user.uid, authenticated_at=self.cast.clock.now(), **kept)

    def study(self, name: str, count: int) -> list[str]:
        """Arrives, and is whole; the SOP Instance UIDs in the order of the queue."""
        site, world = self.cast.sites[TOWNSHIP_A1], self.cast.world
        files = [
            dr_bytes(patient_id="W-1", study_uid=uid(name), seed=f"{name}{number}") for number in range(count)
        ]
        assert site.consortium_id is not None
        batch = [incoming_of(world, file, site.id, site.consortium_id) for file in files]
        receive(world, batch)
        self.pass_time(40)
        return self._rows(
            "SELECT sop_instance_uid FROM forward_item JOIN stored_object ON stored_object.id = object_id"
            " ORDER BY forward_item.id"
        )[-count:]

    def pass_time(self, seconds: float) -> None:
        self.cast.clock.move(seconds=seconds)
        self.cast.run_jobs()

    def column(self, table: str, name: str) -> list[Any]:
        return self._rows(f'SELECT "{name}" FROM {table} ORDER BY id')

    def _rows(self, statement: str) -> list[Any]:
        engine = self.cast.world.unit_of_work.engine  # type: ignore[attr-defined]
        with engine.connect() as connection:
            return list(connection.exec_driver_sql(statement).scalars())

    @property
    def states(self) -> list[str]:
        return self.column("forward_item", "state")

    def told(self, code: str) -> int:
        return self.column("notice", "code").count(code)


@pytest.fixture
def scene(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Scene:
    line = Line()
    monkeypatch.setattr(cast.world.peers, "sending_line", line.sending_line)
    return Scene(cast, line)


@pytest.mark.parametrize("status", [0x0110, 0x0111, 0xC000, 0xA700, 0x0213])
def test_what_may_pass_is_asked_again(scene: Scene, status: int) -> None:
    scene.line.away = True
    first, second = scene.study("passing", 2)
    scene.line.away, scene.line.answers = False, {first: [status, status]}
    scene.pass_time(5)
    assert scene.states == ["waiting", "sent"]
    scene.pass_time(5)
    assert (scene.states, scene.line.asked.count(first)) == (["waiting", "sent"], 2)
    scene.pass_time(20)
    assert scene.states == ["sent", "sent"]
    assert scene.line.asked.count(second) == 1


def test_a_failure_that_does_not_pass_is_settled_in_the_end(scene: Scene) -> None:
    (one,) = scene.study("stubborn", 0) or scene.study("stubborn", 1)
    assert scene.states == ["sent"]
    scene.line.away = True
    (one,) = scene.study("stubborn too", 1)
    scene.line.away, scene.line.answers = False, {one: [0x0110] * 28}
    for hours in range(30):
        scene.pass_time(3600)
        if hours == 5:
            assert (scene.states[1], scene.told("notice.forward_delayed")) == ("waiting", 1)
    assert scene.states == ["sent", "refused"]
    assert scene.told("notice.forward_refused") == 1
    assert scene.line.asked.count(one) == 28


@pytest.mark.parametrize("status", [0x0122, 0x0124, 0xA900])
def test_what_will_not_pass_is_settled_at_once_and_sent_again_by_a_person(scene: Scene, status: int) -> None:
    scene.line.away = True
    one, _ = scene.study("never", 2)
    scene.line.away, scene.line.answers = False, {one: [status]}
    scene.pass_time(5)
    scene.pass_time(86_400)
    assert (scene.states, scene.line.asked.count(one)) == (["refused", "sent"], 1)
    assert scene.told("notice.forward_refused") == 1
    world = scene.cast.world
    assert [(s.waiting, s.refused) for s in remote_nodes(world, actor=scene.admin)] == [(0, 1)]
    with pytest.raises(Forbidden):
        send_again(world, actor=scene.actor("technician"), uid=scene.node.uid)
    assert send_again(world, actor=scene.admin, uid=scene.node.uid) == 1
    scene.pass_time(0)
    assert scene.states == ["sent", "sent"]
    # The button pressed twice is one event.
    assert send_again(world, actor=scene.admin, uid=scene.node.uid) == 0
    assert scene.column("event", "kind").count("forward.started_again") == 1
    assert None not in scene.column("notice", "resolved_at")


def test_what_is_refused_once_more_on_the_same_day_is_told_once_more(scene: Scene) -> None:
    scene.line.away = True
    one, other = scene.study("never", 2)
    scene.line.away, scene.line.answers = False, {one: [0x0122, 0x0122], other: [0x0122]}
    scene.pass_time(5)
    # Two objects of one study: one word.
    assert (scene.states, scene.told("notice.forward_refused")) == (["refused", "refused"], 1)
    send_again(scene.cast.world, actor=scene.admin, uid=scene.node.uid)
    scene.pass_time(0)
    assert (scene.states, scene.told("notice.forward_refused")) == (["refused", "sent"], 2)
    assert scene.column("notice", "resolved_at").count(None) == 1


def test_what_found_no_context_is_asked_for_again_once_the_destination_is_changed(scene: Scene) -> None:
    scene.line.takes_nothing = True
    scene.study("unwanted", 2)
    assert scene.states == ["refused", "refused"]
    scene.line.takes_nothing = False
    scene.pass_time(3600)
    assert scene.states == ["refused", "refused"]
    change_remote_node(scene.cast.world, actor=scene.admin, uid=scene.node.uid, new=NEW, active=True)
    scene.pass_time(0)
    assert scene.states == ["sent", "sent"]


def test_one_object_that_breaks_the_line_holds_back_no_other(scene: Scene) -> None:
    scene.line.away = True
    (bad,) = scene.study("breaks", 1)
    scene.line.away, scene.line.breaks = False, {bad}
    scene.study("good", 3)
    for _ in range(2):
        scene.pass_time(10)
    assert scene.states == ["waiting", "sent", "sent", "sent"]
    for _ in range(6):
        scene.pass_time(3600)
    # It is this study that is told of; the destination answers.
    assert scene.told("notice.forward_breaks") == 1
    assert scene.told("notice.forward_unreachable") == 0
    (state,) = remote_nodes(scene.cast.world, actor=scene.admin)
    assert state.node.failing_since is None
    scene.study("later", 1)
    assert scene.states == ["waiting", "sent", "sent", "sent", "sent"]
    scene.line.breaks = set()
    scene.pass_time(3600)
    assert scene.states == ["sent"] * 5


def test_a_line_that_breaks_over_everything_is_the_destination_s_fault(scene: Scene) -> None:
    scene.line.away = True
    names = scene.study("all of it", 8)
    scene.line.away, scene.line.breaks = False, set(names)
    for _ in range(8):
        scene.pass_time(600)
    assert scene.told("notice.forward_unreachable") == 1
    assert set(scene.states) == {"waiting"}


def test_a_study_that_is_never_taken_lets_the_next_one_pass(scene: Scene) -> None:
    scene.line.away = True
    names = scene.study("large", 8)
    scene.line.away = False
    scene.line.answers = {name: [0x0110] * 9 for name in names}
    scene.pass_time(5)
    assert len(scene.line.asked) == 3
    scene.line.away = True
    scene.study("small", 2)
    scene.line.away = False
    scene.pass_time(60)
    assert scene.states[8:] == ["sent", "sent"]

"""The upper layer under strange deliveries: cut anywhere, truncated, mutated. No crash, no leak, no place lost."""

from __future__ import annotations

import random
import socket
import threading
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.factories.dicom import dr_bytes
from tests.integration.dicom.conftest import OpenDoor
from tests.integration.dicom.test_bad_senders import Object, eventually, send_well
from tests.pdu import (
    EXPLICIT,
    VERIFICATION,
    RawSender,
    associate_request,
    command_set,
    data_pdu,
    release_request,
    store_command,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

ASSOCIATE_AC, P_DATA, RELEASE_RP = 2, 4, 6


@pytest.fixture
def picture() -> Object:
    """A small one: it is sent byte by byte."""
    return Object(dr_bytes(pixels=np.zeros((8, 8), dtype=np.uint16)))


def session(sent: Object) -> bytes:
    """Everything a sender writes, from its request to its release."""
    echo = command_set({0x0002: VERIFICATION, 0x0100: 0x0030, 0x0110: 9, 0x0800: 0x0101})
    half = len(sent.data_set) // 2
    return b"".join(
        (
            associate_request(
                "TOWN_DR", "TELEMED", {1: (sent.sop_class, EXPLICIT), 3: (VERIFICATION, EXPLICIT)}
            ),
            data_pdu(3, echo, command=True, last=True),
            data_pdu(1, store_command(sent.sop_class, sent.instance), command=True, last=True),
            data_pdu(1, sent.data_set[:half], command=False, last=False),
            data_pdu(1, sent.data_set[half:], command=False, last=True),
            release_request(),
        )
    )


def deliver(port: int, pieces: Iterable[bytes], *, pause: float = 0) -> list[int]:
    """Writes the pieces, each in a packet of its own if the system likes; the kinds of PDUs that come back."""
    with RawSender(port, timeout=20) as sender:
        sender.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            try:
                sender.send(piece)
            except OSError:
                break
            if pause:
                time.sleep(pause)
        kinds = []
        while (answer := sender.read_pdu()).kind:
            kinds.append(answer.kind)
            if answer.kind in (RELEASE_RP, 7, 3):
                break
        return kinds


def nothing_is_left(door: OpenDoor) -> bool:
    return (
        door.node.reception.slots.taken == 0
        and not door.node.reception.lines
        and not door.town.half_written()
    )


def test_a_session_in_single_bytes_is_the_session(door: OpenDoor, picture: Object) -> None:
    whole = session(picture)
    kinds = deliver(door.port, (whole[at : at + 1] for at in range(len(whole))))
    assert kinds == [ASSOCIATE_AC, P_DATA, P_DATA, RELEASE_RP]
    assert door.town.count("stored_object") == 1


def test_a_session_cut_in_two_anywhere_is_the_session(door: OpenDoor, picture: Object) -> None:
    whole = session(picture)
    heads = len(whole) - len(picture.data_set)
    # Every boundary of the small PDUs, and some within the pixels.
    places = [*range(1, heads, 7), *random.Random(1).sample(range(heads, len(whole)), 10)]
    for place in places:
        kinds = deliver(door.port, (whole[:place], whole[place:]), pause=0.001)
        assert kinds == [ASSOCIATE_AC, P_DATA, P_DATA, RELEASE_RP], place
    assert door.town.count("stored_object") == 1
    assert eventually(lambda: nothing_is_left(door))


def test_a_session_that_ends_anywhere_leaves_nothing_behind(door: OpenDoor, picture: Object) -> None:
    whole = session(picture)
    for place in random.Random(2).sample(range(1, len(whole) - 10), 60):
        with RawSender(door.port) as sender:
            sender.send(whole[:place])
            sender.sock.shutdown(socket.SHUT_WR)
            while sender.read_pdu().kind:
                pass
    assert eventually(lambda: nothing_is_left(door))
    assert send_well(door, picture) == 0


def test_mutated_sessions_neither_crash_nor_leak(door: OpenDoor, picture: Object) -> None:
    whole, dice = session(picture), random.Random(4)
    heads = len(whole) - len(picture.data_set)
    threads = threading.active_count()
    for _ in range(120):
        damaged = bytearray(whole)
        for _ in range(dice.randint(1, 3)):
            damaged[dice.randrange(heads)] = dice.randrange(256)
        with RawSender(door.port) as sender:
            try:
                sender.send(bytes(damaged))
                sender.sock.shutdown(socket.SHUT_WR)
                while sender.read_pdu().kind:
                    pass
            except OSError:
                # The other side had closed before all was written.
                continue
    assert eventually(lambda: nothing_is_left(door))
    assert eventually(lambda: threading.active_count() <= threads)
    assert send_well(door, picture) == 0

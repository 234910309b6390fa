"""The upper layer under strange deliveries: cut anywhere, truncated, mutated. No crash, no leak, no place lost."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.factories.dicom import dr_bytes
from tests.integration.dicom.conftest import OpenDoor
from tests.integration.dicom.test_bad_senders import OTHER_READER, Object, eventually, send_well
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


def session(sent: Object, more: dict[int, tuple[str, str]] | None = None) -> bytes:
    """Everything a sender writes, from its request to its release."""
    contexts = {1: (sent.sop_class, EXPLICIT), 3: (VERIFICATION, EXPLICIT), **(more or {})}
    echo = command_set({0x0002: VERIFICATION, 0x0100: 0x0030, 0x0110: 9, 0x0800: 0x0101})
    half = len(sent.data_set) // 2
    return b"".join(
        (
            associate_request("TOWN_DR", "TELEMED", contexts),
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


@pytest.mark.parametrize(("more", "places"), [({}, 60), (OTHER_READER, 12)], ids=["own", "pynetdicom"])
def test_a_session_that_ends_anywhere_leaves_nothing_behind(
    door: OpenDoor, picture: Object, more: dict[int, tuple[str, str]], places: int
) -> None:
    whole, threads = session(picture, more), threading.active_count()
    # Who reads it is known once the request is whole: what is cut before that is cut from our own reader.
    first = 6 + int.from_bytes(whole[2:6], "big") if more else 1
    for place in random.Random(2).sample(range(first, len(whole) - 10), places):
        with RawSender(door.port) as sender:
            sender.send(whole[:place])
            sender.sock.shutdown(socket.SHUT_WR)
            while sender.read_pdu().kind:
                pass
    assert eventually(lambda: nothing_is_left(door))
    assert eventually(lambda: threading.active_count() <= threads)
    assert send_well(door, picture) == 0


@pytest.mark.parametrize("more", [{}, OTHER_READER], ids=["own", "pynetdicom"])
def test_mutated_sessions_neither_crash_nor_leak(
    door: OpenDoor, picture: Object, more: dict[int, tuple[str, str]]
) -> None:
    whole, dice = session(picture, more), random.Random(4)
    # Who reads a request is decided by ours; pynetdicom takes nothing more before it has answered.
    request = 6 + int.from_bytes(whole[2:6], "big") if more else 0
    first, heads = request, len(whole) - len(picture.data_set)
    threads = threading.active_count()
    kinds: Counter[int] = Counter()
    rounds = 30 if more else 80
    for number in range(rounds):
        damaged = bytearray(whole)
        # The first is a good one: the readers are those that are meant.
        for _ in range(dice.randint(1, 3) if number else 0):
            damaged[dice.randrange(first, heads)] = dice.randrange(256)
        with RawSender(door.port) as sender:
            try:
                if request:
                    sender.send(bytes(damaged[:request]))
                    assert sender.read_pdu().kind == ASSOCIATE_AC
                sender.send(bytes(damaged[request:]))
                if more:
                    # It takes half a farewell for a whole one: what it does not answer soon it waits for.
                    sender.sock.settimeout(0.1 if number else 5)
                else:
                    sender.sock.shutdown(socket.SHUT_WR)
                while answer := sender.read_pdu().kind:
                    kinds[answer] += 1
            except OSError:
                # The other side had closed before all was written, or waits for more.
                continue
        assert number or kinds[RELEASE_RP] == 1
    # Not all of them were refused, nor all taken.
    assert kinds[P_DATA] > rounds / 3 and kinds[RELEASE_RP] < rounds
    assert eventually(lambda: nothing_is_left(door)), (
        door.node.reception.slots.taken,
        door.node.reception.lines,
        door.town.half_written(),
    )
    assert eventually(lambda: threading.active_count() <= threads)
    assert send_well(door, picture) == 0

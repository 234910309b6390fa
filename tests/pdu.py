"""A small writer of DICOM PDUs on a plain socket (PS3.8 section 9.3), for what no well-behaved sender sends."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass, field
from typing import Self

VERIFICATION = "1.2.840.10008.1.1"
EXPLICIT = "1.2.840.10008.1.2.1"
_APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"
C_STORE_RQ, C_ECHO_RQ = 0x0001, 0x0030
NO_DATA_SET, DATA_SET = 0x0101, 0x0001


@dataclass
class Answer:
    """One PDU from the other side; `kind` b"" means that it closed the line."""

    kind: int
    body: bytes


@dataclass
class RawSender:
    port: int
    calling: str = "TOWN_DR"
    called: str = "TELEMED"
    timeout: float = 15
    sock: socket.socket = field(init=False)

    def __enter__(self) -> Self:
        self.sock = socket.create_connection(("127.0.0.1", self.port), timeout=self.timeout)
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    # --- writing

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def cut(self) -> None:
        """Closes the line at once, with whatever has been sent so far."""
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

    def associate(self, contexts: dict[int, tuple[str, str]]) -> Answer:
        """Contexts: id -> (abstract syntax, transfer syntax)."""
        self.send(associate_request(self.calling, self.called, contexts))
        return self.read_pdu()

    def store(
        self, context: int, sop_class: str, sop_instance: str, data_set: bytes, *, chunk: int = 16_000
    ) -> int:
        """A whole C-STORE; returns the status of the response."""
        self.send(data_pdu(context, store_command(sop_class, sop_instance), command=True, last=True))
        for start in range(0, max(len(data_set), 1), chunk):
            piece = data_set[start : start + chunk]
            self.send(data_pdu(context, piece, command=False, last=start + chunk >= len(data_set)))
        return self.read_status()

    def echo(self, context: int) -> int:
        command = command_set({0x0002: VERIFICATION, 0x0100: C_ECHO_RQ, 0x0110: 1, 0x0800: NO_DATA_SET})
        self.send(data_pdu(context, command, command=True, last=True))
        return self.read_status()

    # --- reading

    def read_pdu(self) -> Answer:
        head = self._read(6)
        if len(head) < 6:
            return Answer(0, b"")
        kind, _, length = struct.unpack(">BBL", head)
        return Answer(kind, self._read(length))

    def read_command(self) -> dict[int, bytes]:
        answer = self.read_pdu()
        assert answer.kind == 4, f"PDU {answer.kind} in place of P-DATA-TF"
        return parse_command(answer.body[6:])

    def read_status(self) -> int:
        return int.from_bytes(self.read_command()[0x0900], "little")

    def is_closed(self) -> bool:
        """Waits for the other side to end the line, by A-ABORT or by closing it."""
        answer = self.read_pdu()
        return answer.kind in (0, 7)

    def _read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            try:
                piece = self.sock.recv(count - len(data))
            except ConnectionResetError:
                break
            if not piece:
                break
            data += piece
        return data


def associate_request(calling: str, called: str, contexts: dict[int, tuple[str, str]]) -> bytes:
    items = _item(0x10, _APPLICATION_CONTEXT.encode())
    for number, (abstract, transfer) in contexts.items():
        syntaxes = _item(0x30, abstract.encode()) + _item(0x40, transfer.encode())
        items += _item(0x20, bytes([number, 0, 0, 0]) + syntaxes)
    user = _item(0x51, struct.pack(">L", 16_384)) + _item(0x52, b"2.25.1")
    items += _item(0x50, user)
    titles = called.ljust(16).encode("ascii") + calling.ljust(16).encode("ascii")
    return pdu(1, struct.pack(">HH", 1, 0) + titles + b"\x00" * 32 + items)


def data_pdu(context: int, data: bytes, *, command: bool, last: bool) -> bytes:
    value = bytes([context, command | last << 1]) + data
    return pdu(4, struct.pack(">L", len(value)) + value)


def store_command(sop_class: str, sop_instance: str) -> bytes:
    return command_set(
        {
            0x0002: sop_class,
            0x0100: C_STORE_RQ,
            0x0110: 1,
            0x0700: 0,
            0x0800: DATA_SET,
            0x1000: sop_instance,
        }
    )


def release_request() -> bytes:
    return pdu(5, b"\x00" * 4)


def command_set(elements: dict[int, str | int]) -> bytes:
    """Group 0000 in Implicit VR little endian, with its length in front."""
    body = b""
    for number, value in sorted(elements.items()):
        raw = struct.pack("<H", value) if isinstance(value, int) else value.encode()
        raw += b"\x00" * (len(raw) % 2)
        body += struct.pack("<HHL", 0, number, len(raw)) + raw
    return struct.pack("<HHLL", 0, 0, 4, len(body)) + body


def parse_command(data: bytes) -> dict[int, bytes]:
    found, position = {}, 0
    while position + 8 <= len(data):
        _, number, length = struct.unpack_from("<HHL", data, position)
        found[number] = data[position + 8 : position + 8 + length]
        position += 8 + length
    return found


def pdu(kind: int, body: bytes) -> bytes:
    return struct.pack(">BBL", kind, 0, len(body)) + body


def _item(kind: int, body: bytes) -> bytes:
    return struct.pack(">BBH", kind, 0, len(body)) + body

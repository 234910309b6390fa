"""The wire format of protocol buffers, as far as ONNX files use it: enough to read and to write them by hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """(field number, varint value or bytes) of one message. Raises ValueError, IndexError for what is none."""
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, position = _varint(data, position)
            yield number, value
        elif wire == 2:
            length, position = _varint(data, position)
            if position + length > len(data):
                raise ValueError("a field ends beyond the file")
            yield number, data[position : position + length]
            position += length
        elif wire in (1, 5):
            position += 8 if wire == 1 else 4
        else:
            raise ValueError(f"wire type {wire} is not used by ONNX")


def whole_numbers(value: int | memoryview) -> Iterator[int]:
    """The int64 of a repeated field, packed or not, below 2^63."""
    if isinstance(value, int):
        yield value
        return
    position = 0
    while position < len(value):
        number, position = _varint(value, position)
        yield number


def field(number: int, value: bytes | memoryview | str | int) -> bytes:
    """One field of a message: a varint for an int, else bytes with their length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return b"".join((varint(number << 3 | 2), varint(len(raw)), raw))


def message(found: Iterable[tuple[int, bytes | memoryview | str | int]]) -> bytes:
    return b"".join(field(number, value) for number, value in found)


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
        if shift > 63:
            raise ValueError("a number is too long")

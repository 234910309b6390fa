"""A small writer of SCP-ECG records, made from the standard's text and not from the reader under test."""

from __future__ import annotations

import struct
from binascii import crc_hqx
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

NUMBERS = {"I": 1, "II": 2, "III": 61, "aVR": 62, "aVL": 63, "aVF": 64} | {
    f"V{n}": n + 2 for n in range(1, 7)
}
FIRST_SAMPLE = 1
NO_TABLE, DEFAULT_TABLE = None, "default"


@dataclass(frozen=True)
class Entry:
    """A code as section 2 lists it: `bits` is the prefix as it stands in the stream, such as "110"."""

    bits: str
    base: int = 0
    extra: int = 0
    switch: bool = False


Tables = list[list[Entry]]

DEFAULT = [
    Entry("0", 0),
    *(Entry("1" * n + "00", n) for n in range(1, 9)),
    *(Entry("1" * n + "01", -n) for n in range(1, 9)),
    Entry("1111111110", extra=8),
    Entry("1111111111", extra=16),
]


@dataclass
class Recording:
    leads: Mapping[str, NDArray[np.int64]]
    nanovolts: int = 2500
    interval_us: int = 2000
    differences: int = 2
    tables: Tables | str | None = DEFAULT_TABLE
    patient: bytes = b""
    # (lead -> beat), the fiducial sample in it, and (type, first, fiducial, last) of each QRS, from 1.
    beat: Mapping[str, NDArray[np.int64]] | None = None
    beat_nanovolts: int = 2500
    fiducial: int = 0
    qrs: Sequence[tuple[int, int, int, int]] = ()
    protected: Sequence[tuple[int, int]] = ()
    decimation: int = 1
    starts: Mapping[str, int] = field(default_factory=dict)
    extra_sections: Mapping[int, bytes] = field(default_factory=dict)
    # Left out of the entropy code on purpose, to see what a reader makes of too few samples.
    drop_samples: int = 0


def write(recording: Recording) -> bytes:
    return _assembled(_bodies(recording))


def _bodies(r: Recording) -> dict[int, bytes]:
    bodies = {1: r.patient + b"\xff\x00\x00", 3: _leads(r), **r.extra_sections}
    if r.tables is not None:
        bodies[2] = struct.pack("<H", 19999) if isinstance(r.tables, str) else _tables(r.tables)
    rhythm = {lead: _decimated(values, r.starts.get(lead, 1), r) for lead, values in _residual(r).items()}
    if r.beat is not None:
        some = next(iter(r.beat.values()))
        qrs = b"".join(struct.pack("<HIII", *one) for one in r.qrs)
        zones = b"".join(struct.pack("<II", *zone) for zone in (r.protected or [(0, 0)] * len(r.qrs)))
        length_ms = len(some) * r.interval_us // 1000
        bodies[4] = struct.pack("<HHH", length_ms, r.fiducial, len(r.qrs)) + qrs + zones
        bodies[5] = _encoded(r, r.beat, r.beat_nanovolts, r.interval_us, bimodal=False)
    interval = r.interval_us * r.decimation
    bodies[6] = _encoded(r, rhythm, r.nanovolts, interval, bimodal=r.decimation > 1 and bool(r.protected))
    return bodies


def _leads(r: Recording) -> bytes:
    spans = []
    for lead, values in r.leads.items():
        start = r.starts.get(lead, FIRST_SAMPLE)
        spans.append(struct.pack("<IIB", start, start + len(values) - 1, NUMBERS[lead]))
    return struct.pack("<BB", len(spans), 0x04 | (r.beat is not None)) + b"".join(spans)


def _residual(r: Recording) -> dict[str, list[int]]:
    out = {lead: [int(v) for v in values] for lead, values in r.leads.items()}
    if r.beat is None:
        return out
    scale, remainder = divmod(r.beat_nanovolts, r.nanovolts)
    assert not remainder, "the writer subtracts only whole units"
    for lead, values in out.items():
        start = r.starts.get(lead, 1)
        beat = r.beat[lead]
        for kind, first, fiducial, last in r.qrs:
            for sample in range(first, last + 1):
                within = sample - fiducial + r.fiducial
                if kind == 0 and 1 <= within <= len(beat) and start <= sample < start + len(values):
                    values[sample - start] -= int(beat[within - 1]) * scale
    return out


def _decimated(values: list[int], start: int, r: Recording) -> list[int]:
    """Means of `decimation` samples outside the protected zones."""
    if r.decimation == 1:
        return values
    out, at = [], 0
    inside = [any(first <= at + start <= last for first, last in r.protected) for at in range(len(values))]
    while at < len(values):
        if inside[at]:
            out.append(values[at])
            at += 1
            continue
        end = at
        while end < len(values) and not inside[end] and end < at + r.decimation:
            end += 1
        out.append(round(sum(values[at:end]) / (end - at)))
        at = end
    return out


def _encoded(
    r: Recording, leads: Mapping[str, Sequence[int]], nanovolts: int, interval: int, *, bimodal: bool
) -> bytes:
    parts = []
    for values in leads.values():
        stored = _differenced([int(v) for v in values], r.differences)
        stored = stored[: len(stored) - r.drop_samples]
        if r.tables is None:
            part = struct.pack(f"<{len(stored)}h", *stored)
        else:
            part = _packed(stored, [DEFAULT] if isinstance(r.tables, str) else r.tables)
        parts.append(part + b"\0" * (len(part) & 1))
    head = struct.pack("<HHBB", nanovolts, interval, r.differences, bimodal)
    return head + struct.pack(f"<{len(parts)}H", *map(len, parts)) + b"".join(parts)


def _differenced(values: list[int], order: int) -> list[int]:
    if order == 1:
        return values[:1] + [b - a for a, b in pairwise(values)]
    if order == 2:
        seconds = zip(values, values[1:], values[2:], strict=False)
        return values[:2] + [c - 2 * b + a for a, b, c in seconds]
    return values


def _packed(values: Sequence[int], tables: Tables) -> bytes:
    """Always the shortest code; every other value goes over another table where there is a switch to it."""
    bits: list[str] = []
    current = 0
    for n, value in enumerate(values):
        switches = [e for e in tables[current] if e.switch and e.base != current + 1]
        if switches and n % 3 == 0:
            bits.append(switches[0].bits)
            current = switches[0].base - 1
        bits.append(_code(value, tables[current]))
    text = "".join(bits)
    text += "0" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big") if text else b""


def _code(value: int, table: list[Entry]) -> str:
    for entry in table:
        if not entry.switch and not entry.extra and entry.base == value:
            return entry.bits
    fitting = [e for e in table if e.extra and -(1 << (e.extra - 1)) <= value < 1 << (e.extra - 1)]
    entry = min(fitting, key=lambda e: e.extra)
    return entry.bits + f"{value & ((1 << entry.extra) - 1):0{entry.extra}b}"


def _tables(tables: Tables) -> bytes:
    out = struct.pack("<H", len(tables))
    for table in tables:
        out += struct.pack("<H", len(table))
        for entry in table:
            first_bit_lowest = int(entry.bits[::-1], 2)
            total = len(entry.bits) + entry.extra
            out += struct.pack(
                "<BBBhI", len(entry.bits), total, 0 if entry.switch else 1, entry.base, first_bit_lowest
            )
    return out


def _assembled(bodies: Mapping[int, bytes]) -> bytes:
    count = max(12, max(bodies) + 1)
    sizes = {0: 16 + 10 * count} | {n: 16 + len(b) + (len(b) & 1) for n, b in bodies.items()}
    at, pointers = 7, b""
    for number in range(count):
        size = sizes.get(number, 0)
        pointers += struct.pack("<HII", number, size, at if size else 0)
        at += size
    out = _section(0, pointers, b"SCPECG")
    for number in sorted(bodies):
        out += _section(number, bodies[number])
    out = struct.pack("<I", len(out) + 6) + out
    return struct.pack("<H", crc_hqx(out, 0xFFFF)) + out


def _section(number: int, body: bytes, reserved: bytes = b"\0" * 6) -> bytes:
    body += b"\0" * (len(body) & 1)
    rest = struct.pack("<HIBB", number, len(body) + 16, 20, 20) + reserved + body
    return struct.pack("<H", crc_hqx(rest, 0xFFFF)) + rest


def tag(number: int, value: bytes) -> bytes:
    return struct.pack("<BH", number, len(value)) + value

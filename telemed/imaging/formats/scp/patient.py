"""Section 1 (patient, device, time), and the device's own measurements and statements of sections 7, 8, 11."""

from __future__ import annotations

import struct
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING

from telemed.imaging.charset import decode_text
from telemed.imaging.formats.recording import SourceHeader, measured
from telemed.imaging.formats.words import calendar_date, moment, person, stated
from telemed.imaging.waveform.model import Annotation, Filters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telemed.imaging.formats.scp.container import Section

_END = 255
_SEXES = {1: "M", 2: "F"}
# Tag 14: fixed fields, then texts ending in NUL.
_DEVICE_TEXTS = 36
_UNKNOWN = 29999
_STATEMENT_SECTIONS = (8, 11)


def tags(body: bytes) -> dict[int, bytes]:
    """The fields of section 1 by tag; of a repeated tag the first. What is cut off is left out."""
    found: dict[int, bytes] = {}
    at = 0
    while at + 3 <= len(body) and body[at] != _END:
        size = int.from_bytes(body[at + 1 : at + 3], "little")
        found.setdefault(body[at], body[at + 3 : at + 3 + size])
        at += 3 + size
    return found


def header(body: bytes) -> SourceHeader:
    """Who, when and with what. Texts may be Chinese in an undeclared code: see `charset`."""
    fields = tags(body)
    device = fields.get(14, b"")
    texts = [_text(part) for part in device[_DEVICE_TEXTS:].split(b"\x00")] + [""] * 5
    years, unit = (fields[4][0] | fields[4][1] << 8, fields[4][2]) if len(fields.get(4, b"")) >= 3 else (0, 0)
    return SourceHeader(
        patient_id=stated(_text(fields.get(2, b""))),
        patient_name=person(_text(fields.get(0, b"")), _text(fields.get(1, b"")), _text(fields.get(3, b""))),
        sex=_SEXES.get(fields.get(8, b"\0")[0] if fields.get(8) else 0, ""),
        birth_date=_date(fields.get(5, b"")),
        age_years=years if unit == 1 and 0 < years < 150 else None,
        acquired_at=_acquired(fields),
        manufacturer=texts[5] if len(texts) > 9 else "",
        model=_text(device[8:14]),
        serial_number=texts[1],
        software=texts[2],
        institution=_text(fields.get(16, b"")),
    )


def filters(body: bytes) -> Filters:
    """Tags 27 (baseline, 0.01 Hz), 28 (low pass, Hz) and 29 (bit 0: 60 Hz notch, bit 1: 50 Hz notch)."""
    fields = tags(body)
    low, high = (_word(fields.get(tag, b"")) for tag in (27, 28))
    notch = fields.get(29, b"")[:1]
    mains = 60.0 if notch and notch[0] & 1 else 50.0 if notch and notch[0] & 2 else None
    return Filters(low_hz=low / 100 if low else None, high_hz=float(high) if high else None, notch_hz=mains)


def annotations_of(sections: Mapping[int, Section]) -> tuple[Annotation, ...]:
    statements: list[Annotation] = []
    for number in _STATEMENT_SECTIONS:
        if number in sections:
            statements += [Annotation(text=text) for text in _statements(sections[number])]
            break
    seven = sections.get(7)
    return (*statements, *(measured(_globals(seven.body)) if seven is not None else ()))


def _statements(section: Section) -> list[str]:
    """Section 8: numbered texts after the date of confirmation. Section 11 codes are not written out."""
    if section.number != 8 or len(section.body) < 9:
        return []
    found, at = [], 9
    for _ in range(section.body[8]):
        if at + 3 > len(section.body):
            break
        size = int.from_bytes(section.body[at + 1 : at + 3], "little")
        if text := _text(section.body[at + 3 : at + 3 + size]):
            found.append(text[:1024])
        at += 3 + size
    return found


def _globals(body: bytes) -> dict[str, float | None]:
    """The intervals of the first reference beat; onsets and offsets are in ms from its start."""
    if len(body) < 22 or not body[0]:
        return {}
    rr = int.from_bytes(body[2:4], "little")
    p_on, _, qrs_on, qrs_off, t_off, p_axis, qrs_axis, t_axis = struct.unpack_from("<5H3h", body, 6)
    values: dict[str, float | None] = {
        "rate": round(60_000 / rr) if 0 < rr < _UNKNOWN else None,
        "pr": _span(p_on, qrs_on),
        "qrs": _span(qrs_on, qrs_off),
        "qt": _span(qrs_on, t_off),
    }
    axes = zip(("p_axis", "qrs_axis", "t_axis"), (p_axis, qrs_axis, t_axis), strict=True)
    return values | {name: float(axis) if -180 <= axis <= 180 else None for name, axis in axes}


def _span(first: int, last: int) -> float | None:
    return float(last - first) if 0 < first < last < _UNKNOWN else None


def _acquired(fields: Mapping[int, bytes]) -> datetime | None:
    day, time = _date(fields.get(25, b"")), fields.get(26, b"")
    if day is None:
        return None
    at = moment(day, *time[:3]) if len(time) >= 3 else moment(day, 0, 0, 0)
    offset = fields.get(34, b"")
    if at is None or len(offset) < 2:
        return at
    minutes = int.from_bytes(offset[:2], "little", signed=True)
    # 0x7FFF stands for "not known".
    return at.replace(tzinfo=timezone(timedelta(minutes=minutes))) if abs(minutes) < 24 * 60 else at


def _date(value: bytes) -> date | None:
    return calendar_date(value[0] | value[1] << 8, value[2], value[3]) if len(value) >= 4 else None


def _word(value: bytes) -> int:
    return int.from_bytes(value[:2], "little")


def _text(value: bytes) -> str:
    return decode_text(value.partition(b"\x00")[0]).strip()

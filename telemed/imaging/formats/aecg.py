"""HL7 Annotated ECG (PORT_MT020001), with what vendors make of it.

Accepted beside the standard: no namespace, lead codes in any case, any order of leads, several sequence sets
one after another, increments whose unit is wrong ("2 s" for 2 ms), units in any case, decimal digits.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from telemed.imaging.errors import WaveformError
from telemed.imaging.formats.errors import MOST_SAMPLES, FormatError
from telemed.imaging.formats.recording import Channel, Recording, SourceHeader, in_lead_order, measured
from telemed.imaging.formats.words import hl7_time, number, person, sex, stated
from telemed.imaging.formats.xml import Node, parse
from telemed.imaging.waveform.leads import lead_of_name
from telemed.imaging.waveform.model import Annotation, Filters
from telemed.imaging.waveform.units import millivolts_per

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SECONDS = {"s": 1.0, "sec": 1.0, "ms": 1e-3, "msec": 1e-3, "us": 1e-6, "": 1.0}
# What a unit is taken for when the stated one gives a rate that no electrocardiograph has.
_MISTAKEN_FOR = (1e-3, 1.0, 1e-6)
_PLAUSIBLE_HZ = (40.0, 40_000.0)
# Digits written with decimals are brought to integers by at most so many tens.
_MOST_DECIMALS = 3
_CUTOFF, _NOTCH = "MDC_ECG_CTL_VBL_ATTR_FILTER_CUTOFF_FREQ", "MDC_ECG_CTL_VBL_ATTR_FILTER_NOTCH_FREQ"
_GLOBALS = {
    "MDC_ECG_HEART_RATE": "rate",
    "MDC_ECG_TIME_PD_PR": "pr",
    "MDC_ECG_TIME_PD_QRS": "qrs",
    "MDC_ECG_TIME_PD_QT": "qt",
    "MDC_ECG_TIME_PD_QTC": "qtc",
    "MDC_ECG_ANGLE_P_FRONT": "p_axis",
    "MDC_ECG_ANGLE_QRS_FRONT": "qrs_axis",
    "MDC_ECG_ANGLE_T_FRONT": "t_axis",
}


class _Piece:
    """One lead of one sequence set, and where in time it starts."""

    def __init__(self, lead: str, raw: NDArray[np.int32], gain: float, offset: float, start: float) -> None:
        self.lead, self.raw, self.gain, self.offset, self.start = lead, raw, gain, offset, start


def read_aecg(data: bytes) -> Recording:
    """Read the rhythm of an aECG file.

    Representative beats are passed over. Leads are int32 as written, microvolts by their scale and origin.
    Raises FormatError format.aecg_empty, format.aecg_increment (value, unit), format.aecg_digits (lead),
    format.xml_damaged, format.xml_doctype, format.too_large; WaveformError waveform.unknown_unit (lead, unit),
    waveform.no_sensitivity (lead), waveform.too_long (samples).
    """
    root = parse(data)
    series = _rhythm(root)
    pieces, rate = _pieces(series)
    return Recording(
        kind="aecg",
        channels=in_lead_order(_channels(pieces)),
        sampling_rate=rate,
        header=_header(root, series),
        filters=_filters(series),
        annotations=_annotations(series),
    )


def _rhythm(root: Node) -> Node:
    """The first series of recorded rhythm; series of representative beats lie below `derivation`."""
    found = list(root.all("component/series"))
    rhythm = [one for one in found if one.find("code").get("code").upper() in ("RHYTHM", "")]
    if not rhythm:
        if found or next(root.walk("series"), None) is not None:
            raise WaveformError("waveform.only_median_beat")
        raise FormatError("format.aecg_empty")
    return rhythm[0]


def _pieces(series: Node) -> tuple[list[_Piece], float]:
    pieces: list[_Piece] = []
    rate = 0.0
    for group in series.all("component/sequenceSet"):
        sequences = [
            (one.find("code").get("code").upper(), one.find("value"))
            for one in group.all("component/sequence")
        ]
        time = next((value for code, value in sequences if code.startswith("TIME_")), None)
        leads = [(lead, value) for code, value in sequences if (lead := lead_of_name(code))]
        if time is None or not leads:
            continue
        own = 1.0 / _increment(time)
        if rate and abs(own - rate) > rate * 1e-6:
            continue
        rate = own
        start = _start(time, rate)
        pieces += [_piece(lead, value, start) for lead, value in leads]
    if not pieces:
        raise FormatError("format.aecg_empty")
    return pieces, rate


def _increment(time: Node) -> float:
    """Seconds between samples. A stated unit that gives no electrocardiograph's rate is taken for another."""
    increment = time.find("increment")
    value, unit = number(increment.get("value")), increment.get("unit")
    if value is not None and value > 0:
        for factor in (_SECONDS.get(unit.lower()), *_MISTAKEN_FOR):
            if factor is not None and _PLAUSIBLE_HZ[0] <= 1.0 / (value * factor) <= _PLAUSIBLE_HZ[1]:
                # 0.002 is no binary fraction: whole rates are given back as whole.
                return 1.0 / float(f"{1.0 / (value * factor):.9g}")
    raise FormatError(
        "format.aecg_increment", value=increment.get("value")[:20] or "-", unit=unit[:10] or "-"
    )


def _start(time: Node, rate: float) -> float:
    """Where a sequence set starts, in samples on the clock of its series."""
    head = time.find("head")
    absolute = hl7_time(head.get("value"))
    if absolute is not None:
        return (absolute.replace(tzinfo=None) - datetime(1970, 1, 1)).total_seconds() * rate
    value = number(head.get("value")) or 0.0
    return value * _SECONDS.get(head.get("unit").lower(), 1.0) * rate


def _piece(lead: str, value: Node, start: float) -> _Piece:
    scale, unit = number(value.find("scale").get("value")), value.find("scale").get("unit")
    factor = millivolts_per(unit)
    if factor is None:
        raise WaveformError("waveform.unknown_unit", lead=lead, unit=unit[:16] or "-")
    if not scale:
        raise WaveformError("waveform.no_sensitivity", lead=lead)
    origin = value.find("origin")
    shift = (number(origin.get("value")) or 0.0) * (millivolts_per(origin.get("unit")) or factor) * 1000.0
    raw, decimals = _digits(lead, value.find("digits").text)
    return _Piece(lead, raw, float(f"{scale * factor * 1000.0 / 10**decimals:.12g}"), shift, start)


def _digits(lead: str, text: str) -> tuple[NDArray[np.int32], int]:
    """The numbers of a lead as integers, and by how many tens they were multiplied to become so."""
    words = text.split()
    if len(words) > MOST_SAMPLES:
        raise WaveformError("waveform.too_long", samples=len(words))
    try:
        values = np.array(words, dtype=np.float64)
    except ValueError as error:
        raise FormatError("format.aecg_digits", lead=lead) from error
    for decimals in range(_MOST_DECIMALS + 1):
        scaled = values * 10**decimals
        if not np.isfinite(scaled).all() or np.abs(scaled).max(initial=0.0) >= 2**31 - 1:
            break
        if decimals == _MOST_DECIMALS or np.array_equal(scaled, np.rint(scaled)):
            return np.rint(scaled).astype(np.int32), decimals
    raise FormatError("format.aecg_digits", lead=lead)


def _channels(pieces: list[_Piece]) -> list[Channel]:
    """Every lead over the whole time of the recording; what was not recorded is marked absent."""
    first = min(piece.start for piece in pieces)
    ends = [round(piece.start - first) + len(piece.raw) for piece in pieces]
    length = max(ends)
    if length > MOST_SAMPLES:
        raise WaveformError("waveform.too_long", samples=length)
    channels = []
    for lead in dict.fromkeys(piece.lead for piece in pieces):
        own = [piece for piece in pieces if piece.lead == lead]
        raw, absent = np.zeros(length, np.int32), np.ones(length, np.bool_)
        for piece in own:
            if (piece.gain, piece.offset) != (own[0].gain, own[0].offset):
                raise FormatError("format.aecg_digits", lead=lead)
            at = round(piece.start - first)
            raw[at : at + len(piece.raw)] = piece.raw
            absent[at : at + len(piece.raw)] = False
        channels.append(Channel(lead, raw, own[0].gain, own[0].offset, absent if absent.any() else None))
    return channels


def _header(root: Node, series: Node) -> SourceHeader:
    subject = next(root.walk("trialSubject"), Node("", {}))
    who = subject.find("subjectDemographicPerson")
    born = hl7_time(who.find("birthTime").get("value"))
    device = next(series.walk("manufacturedSeriesDevice"), Node("", {}))
    maker = next(series.walk("manufacturerOrganization"), Node("", {}))
    name = who.find("name")
    return SourceHeader(
        patient_id=stated(who.said("PatientID") or subject.find("id").get("extension")),
        patient_name=person(name.said("family") or name.text.strip(), name.said("given")),
        sex=sex(who.find("administrativeGenderCode").get("code")),
        birth_date=born.date() if born else None,
        acquired_at=_acquired(series) or _acquired(root),
        manufacturer=maker.said("name"),
        model=device.said("manufacturerModelName"),
        serial_number=device.said("SerialNumber") or device.find("id").get("extension"),
        software=device.said("softwareName"),
    )


def _acquired(node: Node) -> datetime | None:
    times = node.find("effectiveTime")
    stated = (hl7_time(times.find(name).get("value")) for name in ("low", "center", "high"))
    return next((time for time in stated if time), None)


def _filters(series: Node) -> Filters:
    found: dict[str, float | None] = {}
    for outer in series.all("controlVariable/controlVariable"):
        kind = outer.find("code").get("code").upper().rpartition("_FILTER_")[2]
        for inner in outer.all("component/controlVariable"):
            if inner.find("code").get("code").upper() in (_CUTOFF, _NOTCH):
                found[kind] = number(inner.find("value").get("value"))
    return Filters(low_hz=found.get("HIGH_PASS"), high_hz=found.get("LOW_PASS"), notch_hz=found.get("NOTCH"))


def _annotations(series: Node) -> tuple[Annotation, ...]:
    """Statements, and the measurements that stand for the whole recording; marks of single beats are left out."""
    values: dict[str, float | None] = {}
    statements = []
    for group in series.all("subjectOf/annotationSet"):
        for annotation in group.all("component/annotation"):
            code = annotation.find("code").get("code").upper()
            if code == "MDC_ECG_BEAT":
                continue
            for one in (annotation, *annotation.walk("annotation")):
                own, value = one.find("code").get("code").upper(), one.find("value")
                if own in _GLOBALS:
                    values.setdefault(_GLOBALS[own], number(value.get("value")))
                elif text := (value.get("displayName") or value.text.strip()):
                    statements.append(Annotation(text=text[:1024], code=own[:16], scheme=""))
    return (*(Annotation(text=one.text) for one in statements), *measured(values))

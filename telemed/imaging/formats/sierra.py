"""Philips Sierra XML, versions 1.03 to 1.04.02, as PageWriter and HeartStart write it."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

import numpy as np

from telemed.imaging.errors import WaveformError
from telemed.imaging.formats.errors import FormatError
from telemed.imaging.formats.recording import Channel, Recording, SourceHeader, in_lead_order, measured
from telemed.imaging.formats.words import iso_date, iso_moment, number, person, sex, stated, whole
from telemed.imaging.formats.xli import decompress
from telemed.imaging.formats.xml import Node, parse
from telemed.imaging.waveform.leads import lead_of_name
from telemed.imaging.waveform.model import LIMB, Annotation, Filters

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TYPES = ("SierraECG", "PhilipsECG")
_VERSIONS = ("1.03", "1.04", "1.04.01", "1.04.02")
_ORDER = "I II III aVR aVL aVF V1 V2 V3 V4 V5 V6"
# The calibration pulse is 1 mV for 200 ms; a run of half of it cannot be anything else on all leads at once.
_PULSE_UV = 1000.0
_PULSE_S = 0.1


def read_sierra(data: bytes) -> Recording:
    """Read the rhythm of a Sierra file: int32 as stored, `resolution` microvolts a unit, the buffer's
    calibration pulse and the zeros before it cut off.

    Raises FormatError format.sierra_type (type), format.sierra_version (version), format.sierra_damaged,
    format.sierra_coding (coding), format.xml_damaged, format.xml_doctype, format.too_large; WaveformError
    waveform.no_sampling_rate, waveform.no_sensitivity (lead).
    """
    root = parse(data)
    about = root.find("documentinfo")
    if about.said("documenttype") not in _TYPES:
        raise FormatError("format.sierra_type", type=about.said("documenttype")[:40] or "-")
    if about.said("documentversion") not in _VERSIONS:
        raise FormatError("format.sierra_version", version=about.said("documentversion")[:20] or "-")
    signal = root.find("dataacquisition/signalcharacteristics")
    waves = next(root.walk("parsedwaveforms"), Node("", {}))
    rate = number(signal.said("samplingrate") or waves.get("samplespersecond"))
    if not rate or rate <= 0:
        raise WaveformError("waveform.no_sampling_rate")
    step = number(waves.get("resolution") or signal.said("resolution") or signal.said("signalresolution"))
    if not step or step <= 0:
        raise WaveformError("waveform.no_sensitivity", lead="I")
    samples = _without_pulse(_leads(waves), rate, step)
    return Recording(
        kind="sierra",
        channels=in_lead_order([Channel(lead, raw, step) for lead, raw in samples.items()]),
        sampling_rate=rate,
        header=_header(root),
        filters=_filters(signal, waves),
        annotations=_annotations(root),
    )


def _leads(waves: Node) -> dict[str, NDArray[np.int32]]:
    coding = waves.get("compressmethod") or waves.get("compression") or "-"
    if waves.get("dataencoding") != "Base64" or coding != "XLI":
        raise FormatError("format.sierra_coding", coding=f"{waves.get('dataencoding')} {coding}".strip()[:40])
    try:
        packed = base64.b64decode(re.sub(r"\s+", "", waves.text), validate=True)
    except (binascii.Error, ValueError) as error:
        raise FormatError("format.sierra_damaged") from error
    chunks = decompress(packed)
    names = [lead_of_name(name) for name in (waves.get("leadlabels") or _ORDER).split()]
    # The length of the shortest chunk: the padding of the last code may add a sample.
    length = min((len(chunk) for chunk in chunks), default=0)
    stored = {name: chunk[:length] for name, chunk in zip(names, chunks, strict=False) if name}
    if length < 2 or len(chunks) < len(names) or any(lead not in stored for lead in LIMB):
        raise FormatError("format.sierra_damaged")
    return _limb_leads(stored)


def _limb_leads(stored: dict[str, NDArray[np.int32]]) -> dict[str, NDArray[np.int32]]:
    """III, aVR, aVL and aVF are stored as what they differ from the values that I and II give."""
    wide = {lead: values.astype(np.int64) for lead, values in stored.items()}
    first, second = wide["I"], wide["II"]
    third = second - first - wide["III"]
    wide |= {
        "III": third,
        "aVR": -wide["aVR"] - ((first + second) >> 1),
        "aVL": ((first - third) >> 1) - wide["aVL"],
        "aVF": ((second + third) >> 1) - wide["aVF"],
    }
    return {lead: values.clip(-(2**31), 2**31 - 1).astype(np.int32) for lead, values in wide.items()}


def _without_pulse(
    leads: dict[str, NDArray[np.int32]], rate: float, step: float
) -> dict[str, NDArray[np.int32]]:
    """The ECG alone: the end on which all leads are one and the same is cut if a 1 mV pulse stands in it."""
    block = np.stack(list(leads.values()))
    differing = np.flatnonzero((block != block[0]).any(axis=0))
    end = int(differing[-1]) + 1 if differing.size else 0
    pulse = np.abs(block[0, end:] * step - _PULSE_UV) <= step
    if not end or np.count_nonzero(pulse) < _PULSE_S * rate:
        return leads
    return {lead: values[:end] for lead, values in leads.items()}


def _header(root: Node) -> SourceHeader:
    taken, patient = root.find("dataacquisition"), root.find("patient/generalpatientdata")
    machine, report = taken.find("machine"), root.find("reportinfo")
    details = machine.get("detaildescription").split(":")
    return SourceHeader(
        patient_id=stated(patient.said("patientid")),
        patient_name=person(
            patient.said("name/lastname"), patient.said("name/firstname"), patient.said("name/middlename")
        ),
        sex=sex(patient.said("sex")),
        birth_date=iso_date(patient.said("age/dateofbirth")),
        age_years=whole(patient.said("age/years")),
        acquired_at=iso_moment(taken.get("date"), taken.get("time"))
        or iso_moment(report.get("date"), report.get("time")),
        manufacturer=details[0] if details[0] else "Philips",
        model=machine.text.strip(),
        serial_number=machine.get("machineid"),
        software=details[-1] if len(details) > 1 else "",
        institution=stated(taken.said("acquirer/institutionname")),
        order_number=stated(root.said("orderinfo/ordernumber")),
    )


def _filters(signal: Node, waves: Node) -> Filters:
    """What was applied to the stored samples; `reportbandwidth` is of the printed page alone."""
    low, _, high = signal.said("signalbandwidth").partition("-")
    notched = (waves.get("notchfiltered") or signal.said("notchfiltered")).lower() == "true"
    frequency = number(waves.get("notchfilterfreqs") or signal.said("notchfilterfreqs")) or None
    return Filters(
        low_hz=number(waves.get("hipass") or signal.said("hipass") or low),
        high_hz=number(waves.get("lowpass") or signal.said("lowpass") or high),
        notch_hz=frequency if notched else None,
    )


def _annotations(root: Node) -> tuple[Annotation, ...]:
    measures = root.find("internalmeasurements/crossleadmeasurements")
    if not measures.children:
        measures = root.find("measurements/globalmeasurements")
    names = {
        "rate": "meanventrate",
        "pr": "meanprint",
        "qrs": "meanqrsdur",
        "qt": "meanqtint",
        "qtc": "meanqtc",
        "p_axis": "pfrontaxis",
        "qrs_axis": "qrsfrontaxis",
        "t_axis": "tfrontaxis",
    }
    values = {key: number(measures.said(name)) for key, name in names.items()}
    statements = []
    for statement in root.walk("statement"):
        sides = (statement.said("leftstatement"), statement.said("rightstatement"))
        if words := " ".join(side for side in sides if side):
            statements.append(Annotation(text=words[:1024]))
    return (*statements, *measured(values))

"""GE MUSE XML (`RestingECG`), as MUSE and MAC electrocardiographs export it.

Written from public descriptions of the format: no file of a device with a free licence was at hand, so no more is
claimed than that what is described so is read. Eight leads are stored; the other limb leads follow from I and II.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

import numpy as np

from telemed.imaging.errors import WaveformError
from telemed.imaging.formats.errors import FormatError
from telemed.imaging.formats.recording import Channel, Recording, SourceHeader, in_lead_order, measured
from telemed.imaging.formats.words import calendar_date, moment, number, person, sex, stated, whole
from telemed.imaging.formats.xml import Node, parse
from telemed.imaging.waveform.leads import lead_of_name
from telemed.imaging.waveform.model import Annotation, Filters

if TYPE_CHECKING:
    from datetime import date, datetime

ROOT = "RestingECG"
_RHYTHM = "RHYTHM"
_MICROVOLTS = {"MICROVOLTS": 1.0, "UV": 1.0, "MILLIVOLTS": 1000.0, "MV": 1000.0}
_MEASURED = {
    "rate": "VentricularRate",
    "pr": "PRInterval",
    "qrs": "QRSDuration",
    "qt": "QTInterval",
    "qtc": "QTCorrected",
    "p_axis": "PAxis",
    "qrs_axis": "RAxis",
    "t_axis": "TAxis",
}


def read_muse(data: bytes) -> Recording:
    """Read the rhythm of a MUSE file: int32 as stored, the file's microvolts a unit; the median beat is passed over.

    Raises FormatError format.muse_damaged, format.xml_damaged, format.xml_doctype, format.too_large; WaveformError
    waveform.no_waveform, waveform.no_sampling_rate, waveform.no_sensitivity (lead), waveform.unknown_unit.
    """
    root = parse(data, document_type=ROOT)
    rhythm = [wave for wave in root.all("Waveform") if wave.said("WaveformType").upper() == _RHYTHM]
    if not rhythm:
        raise WaveformError("waveform.no_waveform")
    wave = rhythm[0]
    base, exponent = number(wave.said("SampleBase")), whole(wave.said("SampleExponent")) or 0
    if not base or base <= 0 or abs(exponent) > 6:
        raise WaveformError("waveform.no_sampling_rate")
    channels = [channel for lead in wave.all("LeadData") if (channel := _channel(lead)) is not None]
    if len({len(channel.raw) for channel in channels}) > 1:
        raise FormatError("format.muse_damaged")
    return Recording(
        kind="muse",
        channels=in_lead_order(channels),
        sampling_rate=base * 10.0**exponent,
        header=_header(root),
        filters=_filters(wave),
        annotations=_annotations(root),
    )


def _channel(lead: Node) -> Channel | None:
    """A lead by its name; None for one that is no lead of the twelve."""
    name = lead_of_name(lead.said("LeadID"))
    if name is None:
        return None
    step = number(lead.said("LeadAmplitudeUnitsPerBit"))
    if not step or step <= 0:
        raise WaveformError("waveform.no_sensitivity", lead=name)
    unit = lead.said("LeadAmplitudeUnits").upper() or "MICROVOLTS"
    if unit not in _MICROVOLTS:
        raise WaveformError("waveform.unknown_unit", lead=name, unit=unit[:16])
    if (whole(lead.said("LeadSampleSize")) or 2) != 2:
        raise FormatError("format.muse_damaged")
    try:
        packed = base64.b64decode(re.sub(r"\s+", "", lead.said("WaveFormData")), validate=True)
    except (binascii.Error, ValueError) as error:
        raise FormatError("format.muse_damaged") from error
    count = whole(lead.said("LeadSampleCountTotal"))
    if len(packed) < 4 or len(packed) % 2 or (count is not None and 2 * count != len(packed)):
        raise FormatError("format.muse_damaged")
    raw = np.frombuffer(packed, "<i2").astype(np.int32)
    off = lead.said("LeadOff").upper() == "TRUE"
    absent = np.ones(len(raw), dtype=np.bool_) if off else None
    return Channel(name, raw, step * _MICROVOLTS[unit], absent=absent)


def _header(root: Node) -> SourceHeader:
    patient, test = root.find("PatientDemographics"), root.find("TestDemographics")
    years = patient.said("AgeUnits").upper() in ("", "YEARS")
    return SourceHeader(
        patient_id=stated(patient.said("PatientID")),
        patient_name=person(patient.said("PatientLastName"), patient.said("PatientFirstName")),
        sex=sex(patient.said("Gender")),
        birth_date=_day(patient.said("DateofBirth")),
        age_years=whole(patient.said("PatientAge")) if years else None,
        acquired_at=_instant(test.said("AcquisitionDate"), test.said("AcquisitionTime")),
        manufacturer="GE",
        model=stated(test.said("AcquisitionDevice")),
        software=stated(test.said("AcquisitionSoftwareVersion")),
        institution=stated(test.said("SiteName")),
        order_number=stated(root.said("Order/RequisitionNumber")),
    )


def _day(text: str) -> date | None:
    """MM-DD-YYYY, the only form that MUSE writes."""
    parts = re.fullmatch(r"(\d{1,2})-(\d{1,2})-(\d{4})", text.strip())
    return calendar_date(int(parts[3]), int(parts[1]), int(parts[2])) if parts else None


def _instant(day: str, time: str) -> datetime | None:
    found, parts = _day(day), re.fullmatch(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", time.strip())
    if found is None or parts is None:
        return None
    hour, minute, second = (int(part or 0) for part in parts.groups())
    return moment(found, hour, minute, second)


def _filters(wave: Node) -> Filters:
    """In hertz, the high pass in hundredths of them; NONE and 0 say that there is none."""
    low = number(wave.said("HighPassFilter"))
    return Filters(
        low_hz=low / 100 if low else None,
        high_hz=number(wave.said("LowPassFilter")) or None,
        notch_hz=number(wave.said("ACFilter")) or None,
    )


def _annotations(root: Node) -> tuple[Annotation, ...]:
    measures = root.find("RestingECGMeasurements")
    words = [
        Annotation(text=text[:1024])
        for statement in root.all("Diagnosis/DiagnosisStatement")
        if (text := statement.said("StmtText"))
    ]
    return (*words, *measured({key: number(measures.said(name)) for key, name in _MEASURED.items()}))

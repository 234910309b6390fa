"""GE MUSE XML, written here from public descriptions: no device's own file is at hand."""

from __future__ import annotations

import base64
from datetime import date, datetime

import numpy as np
import pytest

from telemed.imaging.errors import WaveformError
from telemed.imaging.formats import FormatError, Kind, detect, read_recording
from telemed.imaging.waveform import einthoven_residual
from tests.unit.formats.samples import in_units

STORED = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
STEP = 4.88


def lead(name: str, raw: np.ndarray, **changes: str) -> str:
    fields = {
        "LeadByteCountTotal": str(2 * len(raw)),
        "LeadSampleCountTotal": str(len(raw)),
        "LeadAmplitudeUnitsPerBit": str(STEP),
        "LeadAmplitudeUnits": "MICROVOLTS",
        "LeadOff": "FALSE",
        "LeadSampleSize": "2",
        "LeadID": name,
        "WaveFormData": "\n" + base64.b64encode(raw.astype("<i2").tobytes()).decode(),
    } | changes
    return f"<LeadData>{''.join(f'<{key}>{value}</{key}>' for key, value in fields.items())}</LeadData>"


def muse(*, doctype: str = '<!DOCTYPE RestingECG SYSTEM "restecg.dtd">', **changes: str) -> bytes:
    leads = in_units(5)
    rows = "".join(lead(name, leads[name], **changes) for name in STORED)
    median = "".join(lead(name, leads[name][:600]) for name in STORED)
    return f"""<?xml version="1.0" encoding="ISO-8859-1"?>
{doctype}
<RestingECG>
<PatientDemographics><PatientID>MUSE-1</PatientID><PatientAge>57</PatientAge><AgeUnits>YEARS</AgeUnits>
<DateofBirth>02-28-1969</DateofBirth><Gender>FEMALE</Gender><PatientLastName>Test</PatientLastName>
<PatientFirstName>Nobody</PatientFirstName></PatientDemographics>
<TestDemographics><AcquisitionDevice>MAC</AcquisitionDevice><AcquisitionTime>08:30:15</AcquisitionTime>
<AcquisitionDate>11-20-2026</AcquisitionDate></TestDemographics>
<RestingECGMeasurements><VentricularRate>72</VentricularRate><PRInterval>0</PRInterval>
<RAxis>40</RAxis></RestingECGMeasurements>
<Diagnosis><DiagnosisStatement><StmtText>Normal sinus rhythm</StmtText></DiagnosisStatement></Diagnosis>
<Waveform><WaveformType>Median</WaveformType><SampleBase>500</SampleBase>{median}</Waveform>
<Waveform><WaveformType>Rhythm</WaveformType><SampleBase>500</SampleBase><SampleExponent>0</SampleExponent>
<HighPassFilter>5</HighPassFilter><LowPassFilter>150</LowPassFilter><ACFilter>50</ACFilter>{rows}</Waveform>
</RestingECG>""".encode("latin-1")


def test_eight_leads_become_twelve_and_the_median_beat_is_passed_over() -> None:
    data, leads = muse(), in_units(5)
    assert detect(data) is Kind.MUSE
    read = read_recording(data)
    assert tuple(channel.lead for channel in read.channels) == STORED
    assert all(np.array_equal(channel.raw, leads[channel.lead]) for channel in read.channels)
    assert (read.sampling_rate, read.channels[0].microvolts_per_unit) == (500.0, STEP)
    waveform = read.waveform()
    assert waveform.derived == ("III", "aVR", "aVL", "aVF")
    assert einthoven_residual(waveform) < 1e-5
    assert waveform.samples[1] == pytest.approx(leads["II"] * STEP / 1000, abs=1e-5)


def test_who_when_and_what_the_device_says() -> None:
    read = read_recording(muse())
    assert (read.header.patient_id, read.header.patient_name) == ("MUSE-1", "Test^Nobody")
    assert (read.header.sex, read.header.birth_date, read.header.age_years) == ("F", date(1969, 2, 28), 57)
    assert read.header.acquired_at == datetime(2026, 11, 20, 8, 30, 15)
    assert [one.text for one in read.annotations if one.text] == ["Normal sinus rhythm"]
    assert [one.value for one in read.annotations if one.code] == [72.0, 40.0]
    assert (read.filters.low_hz, read.filters.high_hz, read.filters.notch_hz) == (0.05, 150.0, 50.0)


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE RestingECG SYSTEM "x" [<!ENTITY a "aaaa">]>',
        '<!DOCTYPE Other SYSTEM "restecg.dtd">',
        "<!DOCTYPE RestingECG [<!ELEMENT RestingECG ANY>]>",
    ],
)
def test_a_document_type_that_declares_anything_is_refused(doctype: str) -> None:
    with pytest.raises(FormatError, match=r"format\.xml_doctype"):
        read_recording(muse(doctype=doctype))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"WaveFormData": "AAAA"}, "format.muse_damaged"),
        ({"WaveFormData": "no base64!"}, "format.muse_damaged"),
        ({"LeadSampleSize": "4"}, "format.muse_damaged"),
        ({"LeadAmplitudeUnitsPerBit": "0"}, "waveform.no_sensitivity"),
        ({"LeadAmplitudeUnits": "PARSEC"}, "waveform.unknown_unit"),
    ],
)
def test_what_cannot_be_trusted_is_refused_by_name(changes: dict[str, str], code: str) -> None:
    with pytest.raises(WaveformError) as refused:
        read_recording(muse(**changes))
    assert refused.value.code == code


def test_a_file_without_a_rhythm_says_so() -> None:
    with pytest.raises(WaveformError, match=r"waveform\.no_waveform"):
        read_recording(muse().replace(b"Rhythm<", b"Median<"))

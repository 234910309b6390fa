from __future__ import annotations

from datetime import date, datetime

import numpy as np
import pytest

from telemed.imaging.formats import FormatError, read_recording
from telemed.imaging.waveform import WaveformError
from tests.unit.formats import samples


def test_what_was_written_is_read() -> None:
    leads = samples.in_units(10)
    read = read_recording(samples.aecg(leads).encode())
    assert [channel.lead for channel in read.channels] == list(samples.LEADS)
    assert all(np.array_equal(channel.raw, leads[channel.lead]) for channel in read.channels)
    assert (read.sampling_rate, read.channels[0].microvolts_per_unit) == (500.0, 10.0)
    assert (read.header.patient_id, read.header.patient_name, read.header.sex) == ("AECG-1", "Nobody", "M")
    assert read.header.birth_date == date(1950, 2, 28)
    assert read.header.acquired_at == datetime(2026, 11, 20, 8, 30, 15, 250_000)


def test_a_file_without_namespace_in_any_order_and_case_of_leads() -> None:
    leads = samples.in_units(10)
    turned = {lead.upper() if lead != "aVR" else lead: leads[lead] for lead in reversed(samples.LEADS)}
    read = read_recording(samples.aecg(turned, namespace=False).encode())
    assert all(np.array_equal(channel.raw, leads[channel.lead]) for channel in read.channels)
    assert len(read.channels) == 12


@pytest.mark.parametrize(
    "increment",
    [
        'value="2" unit="s"',
        'value="2" unit="ms"',
        'value="0.002" unit="ms"',
        'value="2000" unit="us"',
        'value="0.002"',
    ],
)
def test_an_increment_in_a_wrong_unit_is_taken_for_the_right_one(increment: str) -> None:
    assert read_recording(samples.aecg(increment=f"<increment {increment}/>").encode()).sampling_rate == 500.0


@pytest.mark.parametrize(
    "increment",
    [
        'value="0" unit="s"',
        'value="" unit="s"',
        'value="-2" unit="ms"',
        'value="nan"',
        'value="1e300" unit="s"',
    ],
)
def test_an_increment_that_is_none_is_refused(increment: str) -> None:
    with pytest.raises(FormatError, match=r"format\.aecg_increment"):
        read_recording(samples.aecg(increment=f"<increment {increment}/>").encode())


@pytest.mark.parametrize(
    ("scale", "step", "offset"),
    [
        ('<origin value="0" unit="mv"/><scale value="0.005" unit="mv"/>', 5.0, 0.0),
        ('<origin value="160" unit="uV"/><scale value="5" unit="uV"/>', 5.0, 160.0),
        ('<scale value="2500" unit="nV"/>', 2.5, 0.0),
    ],
)
def test_units_are_brought_to_microvolts(scale: str, step: float, offset: float) -> None:
    channel = read_recording(samples.aecg(scale=scale).encode()).channels[0]
    assert (channel.microvolts_per_unit, channel.offset_microvolts) == (pytest.approx(step), offset)


def test_a_scale_without_a_known_unit_is_refused() -> None:
    with pytest.raises(WaveformError, match=r"waveform\.unknown_unit"):
        read_recording(samples.aecg(scale='<scale value="5" unit="mmHg"/>').encode())


def test_digits_with_decimals_keep_them() -> None:
    channel = read_recording(samples.aecg(digits="1.5 -2.25 0").encode()).channels[0]
    assert channel.raw.tolist() == [150, -225, 0]
    assert channel.microvolts_per_unit == 0.1


def test_leads_in_several_sets_are_placed_by_their_time() -> None:
    whole = samples.aecg({"I": [1, 2], "II": [3, 4]})
    start, end = whole.index("<component><sequenceSet>"), whole.index("</series>")
    later = whole[start:end].replace("15.250", "15.260").replace("_I<", "_I<")
    later = later.replace('"MDC_ECG_LEAD_I"', '"MDC_ECG_LEAD_V1"').replace(
        '"MDC_ECG_LEAD_II"', '"MDC_ECG_LEAD_V2"'
    )
    read = read_recording((whole[:end] + later + whole[end:]).encode())
    assert [channel.lead for channel in read.channels] == ["I", "II", "V1", "V2"]
    assert read.samples == 7
    first = read.channels[0].millivolts()
    assert np.isnan(first[2:]).all()
    assert np.isnan(read.channels[2].millivolts()[:5]).all()
    assert read.channels[2].raw[5:].tolist() == [1, 2]


@pytest.mark.parametrize("declared", ["GB2312", "UTF-8"])
def test_a_chinese_file_is_read_as_declared_and_as_written(declared: str) -> None:
    text = samples.aecg(declaration=f'<?xml version="1.0" encoding="{declared}"?>', name="虚构患者")
    assert read_recording(text.encode("gb18030")).header.patient_name == "虚构患者"


def test_a_document_type_is_refused_before_any_entity_counts() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    text = samples.aecg(declaration=f'<?xml version="1.0"?>{bomb}', name="&b;")
    with pytest.raises(FormatError, match=r"format\.xml_doctype"):
        read_recording(text.encode())


def test_a_file_without_a_series_is_refused() -> None:
    with pytest.raises(FormatError, match=r"format\.aecg_empty"):
        read_recording(b"<AnnotatedECG/>")


def test_one_lead_is_read_and_is_no_twelve_lead_ecg() -> None:
    read = read_recording(samples.aecg({"II": [1, 2, 3]}).encode())
    assert [channel.lead for channel in read.channels] == ["II"]
    with pytest.raises(WaveformError, match=r"waveform\.not_twelve_leads"):
        read.waveform()


def test_spans_far_apart_ask_for_no_memory() -> None:
    whole = samples.aecg({"I": [1, 2]})
    start, end = whole.index("<component><sequenceSet>"), whole.index("</series>")
    later = whole[start:end].replace("20261120083015.250", "20991120083015.250")
    with pytest.raises(WaveformError, match=r"waveform\.too_long"):
        read_recording((whole[:end] + later + whole[end:]).encode())

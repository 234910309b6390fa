from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import date, datetime

import numpy as np
import pytest

from telemed.imaging.formats import FormatError, Recording, read_recording
from telemed.imaging.waveform import WaveformError
from tests.unit.formats import samples
from tests.unit.formats.scp_writer import DEFAULT, DEFAULT_TABLE, NO_TABLE, Entry, Tables

# Two tables that hand over to each other, with 4- and 16-bit plain values.
CUSTOM: Tables = [
    [
        Entry("0", 0),
        Entry("10", -1),
        Entry("110", 2, switch=True),
        Entry("1110", extra=4),
        Entry("1111", extra=16),
    ],
    [Entry("00", 1), Entry("01", -1), Entry("10", 1, switch=True), Entry("110", 0), Entry("111", extra=17)],
]


def same(read: Recording, written: dict[str, np.ndarray]) -> bool:
    return all(np.array_equal(channel.raw, written[channel.lead]) for channel in read.channels) and len(
        read.channels
    ) == len(written)


@pytest.mark.parametrize("differences", [0, 1, 2])
@pytest.mark.parametrize(
    "tables", [NO_TABLE, DEFAULT_TABLE, [DEFAULT], CUSTOM], ids=["plain", "default", "listed", "custom"]
)
def test_every_coding_gives_back_what_was_written(differences: int, tables: Tables | str | None) -> None:
    leads = samples.in_units(10, 2.0)
    read = read_recording(samples.scp(leads=leads, differences=differences, tables=tables))
    assert same(read, leads)
    assert read.sampling_rate == 500.0
    assert {channel.microvolts_per_unit for channel in read.channels} == {10.0}


def with_beats(
    names: Sequence[str] = samples.LEADS, **changes: object
) -> tuple[bytes, dict[str, np.ndarray]]:
    """Three beats of type 0 and one of another type at 1 kHz, of which the reference beat is subtracted."""
    rng = np.random.default_rng(7)
    beat = {
        lead: np.rint(np.hanning(120) * height).astype(np.int64)
        for lead, height in zip(names, range(40, 160, 10), strict=False)
    }
    leads = {lead: rng.integers(-4, 5, 1600) for lead in names}
    qrs = [(0, 101, 160, 220), (0, 501, 560, 620), (1, 901, 960, 1020), (0, 1561, 1590, 1600)]
    for lead, values in leads.items():
        for _, first, fiducial, last in qrs:
            for sample in range(first, last + 1):
                if 1 <= sample - fiducial + 60 <= 120:
                    values[sample - 1] += beat[lead][sample - fiducial + 59]
    made = {
        "leads": leads,
        "beat": beat,
        "fiducial": 60,
        "qrs": qrs,
        "interval_us": 1000,
        "beat_nanovolts": 10_000,
    }
    return samples.scp(**(made | changes)), leads


def test_the_subtracted_reference_beat_is_added_again() -> None:
    data, leads = with_beats()
    assert same(read_recording(data), leads)


def test_a_beat_in_coarser_units_than_the_residual_loses_nothing() -> None:
    data, leads = with_beats(nanovolts=2_500)
    read = read_recording(data)
    assert {channel.microvolts_per_unit for channel in read.channels} == {2.5}
    assert same(read, leads)


def test_bimodal_compression_keeps_the_protected_zones_exact_and_the_rest_close() -> None:
    zones = [(101, 220), (501, 620), (901, 1020), (1561, 1600)]
    data, leads = with_beats(decimation=4, protected=zones)
    read = read_recording(data)
    assert read.sampling_rate == 1000.0
    for channel in read.channels:
        written = leads[channel.lead]
        for first, last in zones:
            assert np.array_equal(channel.raw[first - 1 : last], written[first - 1 : last])
        assert len(channel.raw) == len(written)
        # Noise of +-4 units comes back as its own means over four samples.
        assert np.abs(channel.raw - written).max() <= 8


def test_a_slow_wave_survives_decimation_to_the_unit() -> None:
    data, _ = with_beats(
        leads={lead: np.arange(1600) for lead in samples.LEADS}, qrs=[(1, 1, 2, 3)], decimation=4
    )
    read = read_recording(data)
    # The first and the last mean are held for half a group.
    assert np.abs(read.channels[0].raw[2:-2] - np.arange(1600)[2:-2]).max() <= 1


def test_leads_recorded_one_after_another_are_absent_elsewhere() -> None:
    leads = samples.in_units(10, 2.0)
    read = read_recording(samples.scp(leads=leads, starts={"V1": 501}))
    v1 = next(channel for channel in read.channels if channel.lead == "V1")
    assert read.samples == 1500
    assert v1.absent is not None
    assert v1.absent[:500].all() and not v1.absent[500:].any()
    assert np.isnan(read.waveform().samples[6, :500]).all()


def test_the_patient_and_the_device_are_read() -> None:
    read = read_recording(samples.scp())
    assert read.header.patient_id == "SCP-1"
    assert read.header.patient_name == "Test^Nobody"
    assert (read.header.sex, read.header.birth_date) == ("F", date(1950, 2, 28))
    assert read.header.acquired_at == datetime(2026, 11, 20, 8, 30, 15)
    assert (read.filters.low_hz, read.filters.high_hz, read.filters.notch_hz) == (0.05, 150.0, 50.0)


def test_a_chinese_name_in_an_undeclared_code_is_read() -> None:
    from tests.unit.formats.scp_writer import tag

    patient = tag(0, "测试".encode("gb18030")) + tag(2, b"7")
    assert read_recording(samples.scp(patient=patient)).header.patient_name == "测试"


def test_measurements_and_statements_of_the_device_come_along() -> None:
    seven = struct.pack("<BBHHHHHHHhhh", 1, 0, 1000, 1000, 10, 110, 160, 250, 560, 40, -30, 60)
    eight = bytes(8) + b"\x01" + struct.pack("<BH", 1, 13) + b"Sinus rhythm\0"
    read = read_recording(samples.scp(extra_sections={7: seven, 8: eight}))
    assert [one.text for one in read.annotations if one.text] == ["Sinus rhythm"]
    values = {one.meaning: one.value for one in read.annotations if one.code}
    assert values == {
        "Heart rate": 60.0,
        "PR interval": 150.0,
        "QRS duration": 90.0,
        "QT interval": 400.0,
        "P axis": 40.0,
        "QRS axis": -30.0,
        "T axis": 60.0,
    }


def test_a_changed_byte_is_found_by_the_checksum() -> None:
    data = bytearray(samples.scp())
    data[-20] ^= 1
    with pytest.raises(FormatError, match=r"format\.scp_checksum"):
        read_recording(bytes(data))


def test_a_cut_file_is_refused() -> None:
    data = samples.scp()
    with pytest.raises(FormatError, match=r"format\.scp_cut"):
        read_recording(data[: len(data) // 2])


def test_too_few_samples_are_refused_and_never_filled_up() -> None:
    with pytest.raises(WaveformError, match=r"waveform\.truncated"):
        read_recording(samples.scp(tables=NO_TABLE, drop_samples=5))
    with pytest.raises(WaveformError, match=r"format\.scp_huffman"):
        read_recording(samples.scp(drop_samples=400))


def test_codes_of_which_one_begins_another_are_refused() -> None:
    table = [Entry("0", 0), Entry("01", 1), Entry("111", extra=16)]
    with pytest.raises(FormatError, match=r"format\.scp_huffman"):
        read_recording(samples.scp(tables=[table]))

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest

from telemed.imaging.formats import FormatError, read_recording, signal_files
from telemed.imaging.waveform import WaveformError
from tests.unit.formats import samples


@pytest.mark.parametrize("matlab", [False, True])
def test_what_was_written_is_read(matlab: bool) -> None:
    header, files = samples.wfdb(matlab=matlab)
    leads = samples.in_units(10)
    read = read_recording(header, "r.hea", files)
    assert signal_files(header) == list(files)
    assert all(np.array_equal(channel.raw, leads[channel.lead]) for channel in read.channels)
    assert (len(read.channels), read.sampling_rate) == (12, 500.0)
    assert (read.header.age_years, read.header.sex, read.header.patient_id) == (76, "M", "")
    assert read.header.acquired_at == datetime(2026, 11, 20, 8, 30, 15)


def test_each_lead_has_its_own_gain_and_baseline() -> None:
    gains = ["200(20)/mV", "0.1/uV", *["100/mV"] * 10]
    header, files = samples.wfdb(gains=gains)
    read = read_recording(header, "", files)
    raw = samples.in_units(10)
    first, second = read.channels[0].millivolts(), read.channels[1].millivolts()
    assert np.allclose(first, (raw["I"] - 20) / 200, atol=1e-6)
    assert np.allclose(second, raw["II"] * 10 / 1000, atol=1e-6)
    assert read.waveform().resolution_uv is None


def test_the_missing_value_is_absent_and_no_voltage() -> None:
    header, files = samples.wfdb()
    block = np.frombuffer(files["r.dat"], "<i2").reshape(-1, 12).copy()
    block[10:20, 0] = -32768
    read = read_recording(header, "", {"r.dat": block.tobytes()})
    assert np.isnan(read.channels[0].millivolts()[10:20]).all()
    assert np.isfinite(read.channels[1].millivolts()).all()


def test_the_signal_file_must_be_there_and_whole() -> None:
    header, files = samples.wfdb()
    with pytest.raises(FormatError, match=r"format\.wfdb_signal_missing\(file=r\.dat\)"):
        read_recording(header)
    with pytest.raises(WaveformError, match=r"waveform\.truncated"):
        read_recording(header, "", {"r.dat": files["r.dat"][:-1]})


def test_a_signal_file_alone_says_what_it_needs() -> None:
    for matlab in (False, True):
        ((name, data),) = samples.wfdb(matlab=matlab)[1].items()
        with pytest.raises(FormatError, match=r"format\.wfdb_header_missing"):
            read_recording(data, name)


def test_a_path_in_a_header_reaches_no_other_folder() -> None:
    header, files = samples.wfdb()
    assert signal_files(header.replace(b"r.dat", b"../../etc/r.dat")) == ["r.dat"]
    assert read_recording(header.replace(b"r.dat", b"/etc/r.dat"), "", files).samples == 2000


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b" 16 100", b" 212 100", "wfdb_format"),
        (b"r 12", b"r/3 12", "wfdb_damaged"),
        (b"r 12", b"r 13", "wfdb_"),
    ],
)
def test_what_is_not_supported_is_said(old: bytes, new: bytes, code: str) -> None:
    header, files = samples.wfdb()
    with pytest.raises(FormatError, match=rf"format\.{code}"):
        read_recording(header.replace(old, new), "r.hea", files)


@pytest.mark.parametrize("gain", ["1e-300/mV", "1e11/nV"])
def test_a_scale_that_no_device_has_is_refused(gain: str) -> None:
    header, files = samples.wfdb(gains=[gain, *["100/mV"] * 11])
    with pytest.raises(WaveformError, match=r"waveform\.no_sensitivity\(lead=I\)"):
        read_recording(header, "r.hea", files)

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import pytest

from telemed.imaging.formats import FormatError, read_recording
from tests.unit.formats import samples


@pytest.mark.parametrize("utf16", [True, False])
@pytest.mark.parametrize("pulse", [True, False])
def test_what_was_written_is_read_and_the_calibration_pulse_is_cut(utf16: bool, pulse: bool) -> None:
    leads = samples.in_units(5)
    read = read_recording(samples.sierra(utf16=utf16, pulse=pulse))
    written = np.stack([leads[lead] for lead in samples.LEADS])
    differing = np.flatnonzero((written != written[0]).any(axis=0))
    # Where all leads rest at the same value, ECG and calibration zeros cannot be told apart.
    kept = int(differing[-1]) + 1 if pulse else written.shape[1]
    assert read.samples == kept
    assert all(np.array_equal(c.raw, leads[c.lead][:kept]) for c in read.channels)
    assert (len(read.channels), read.sampling_rate, read.channels[0].microvolts_per_unit) == (12, 500.0, 5.0)


def test_who_when_and_what_the_device_says() -> None:
    read = read_recording(samples.sierra())
    assert (read.header.patient_id, read.header.patient_name) == ("SIERRA-1", "Test^Nobody")
    assert (read.header.sex, read.header.birth_date) == ("F", date(1950, 2, 28))
    assert read.header.acquired_at == datetime(2026, 11, 20, 8, 30, 15)
    assert [one.text for one in read.annotations if one.text] == ["Sinus rhythm normal"]
    # An interval of zero is one that was not measured.
    assert [(one.meaning, one.value) for one in read.annotations if one.code] == [("Heart rate", 72.0)]
    assert (read.filters.low_hz, read.filters.high_hz) == (0.05, 150.0)


def test_other_types_and_versions_are_refused_by_name() -> None:
    with pytest.raises(FormatError, match=r"format\.sierra_type\(type=MortaraECG\)"):
        read_recording(samples.sierra(document="MortaraECG"))
    with pytest.raises(FormatError, match=r"format\.sierra_version\(version=1\.05\)"):
        read_recording(samples.sierra(version="1.05"))


def test_another_compression_is_refused() -> None:
    data = samples.sierra(utf16=False).replace(b'compression="XLI"', b'compression="ZIP"')
    with pytest.raises(FormatError, match=r"format\.sierra_coding\(coding=Base64 ZIP\)"):
        read_recording(data)

"""Reasons to repeat a recording."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom.data import get_testdata_file

from telemed.imaging.waveform import (
    LEADS,
    Waveform,
    einthoven_residual,
    quality,
    quality_findings,
    read_waveform,
)
from tests.factories.dicom import beats


@pytest.fixture
def good() -> Waveform:
    return Waveform(leads=LEADS, samples=(beats().T / 1000.0).astype(np.float32), sampling_rate=500.0)


def changed(waveform: Waveform, lead: str, values: object) -> Waveform:
    samples = waveform.samples.copy()
    samples[LEADS.index(lead)] = values
    return replace(waveform, samples=samples)


def test_good_recordings_raise_nothing(good: Waveform) -> None:
    assert quality(good) == []
    packaged = Path(str(get_testdata_file("waveform_ecg.dcm", download=False)))
    assert quality(read_waveform(packaged.read_bytes())) == []


def test_einthoven_holds_to_the_last_bit_of_whole_microvolts(good: Waveform) -> None:
    assert einthoven_residual(good) < 1e-6


@pytest.mark.parametrize("values", [0.0, np.nan])
def test_a_lead_that_is_off_is_named(good: Waveform, values: float) -> None:
    (finding,) = quality_findings(changed(good, "V4", values))
    assert (finding.code, finding.leads) == ("quality.lead_off", ("V4",))


def test_exchanged_arms_written_as_recorded_keep_einthoven_but_a_wrong_sign_breaks_it(good: Waveform) -> None:
    reversed_avr = changed(good, "aVR", -good.samples[3])
    assert einthoven_residual(reversed_avr) > 0.5
    assert quality(reversed_avr) == ["quality.einthoven"]


def test_a_railed_lead_is_named(good: Waveform) -> None:
    (finding,) = quality_findings(changed(good, "V2", np.clip(good.samples[7] * 30, -5, 5)))
    assert (finding.code, finding.leads) == ("quality.saturated", ("V2",))


def test_short_and_slow_recordings(good: Waveform) -> None:
    short = replace(good, samples=good.samples[:, :1000])
    assert quality(short) == ["quality.too_short"]
    assert "quality.sampling_rate" in quality(replace(good, sampling_rate=50.0))


def test_limb_leads_that_never_overlap_have_no_residual(good: Waveform) -> None:
    apart = good
    for n, lead in enumerate(LEADS[:6]):
        values = np.full(5000, np.nan, np.float32)
        values[n * 800 : (n + 1) * 800] = good.samples[n, n * 800 : (n + 1) * 800]
        apart = changed(apart, lead, values)
    assert np.isnan(einthoven_residual(apart))
    assert "quality.einthoven" not in quality(apart)

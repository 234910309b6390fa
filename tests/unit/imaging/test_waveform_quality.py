"""Reasons to repeat a recording."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom.data import get_testdata_file

from telemed.demo.ecg_synthesis import Recipe, Rhythm, synthesize
from telemed.imaging.waveform import (
    LEADS,
    Waveform,
    einthoven_residual,
    quality,
    quality_findings,
    read_waveform,
)
from telemed.imaging.waveform.disturbance import mains_amplitude
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


def test_mains_in_several_leads_is_named_and_in_one_alone_is_not(good: Waveform) -> None:
    time = np.arange(good.samples.shape[1]) / good.sampling_rate
    hum = (0.1 * np.sin(2 * np.pi * 50.1 * time)).astype(np.float32)
    one = changed(good, "V3", good.samples[8] + hum)
    assert quality(one) == []
    every = replace(good, samples=good.samples + hum * np.asarray([[1], [1], [0]] + [[0]] * 9, np.float32))
    assert "quality.mains" not in quality(every)
    chest = replace(good, samples=np.vstack((good.samples[:6], good.samples[6:] + hum)))
    (finding,) = quality_findings(chest)
    assert (finding.code, finding.leads) == ("quality.mains", LEADS[6:])


@pytest.mark.parametrize("rate", [500.0, 250.0, 1000.0])
def test_mains_is_measured_in_millivolts_at_any_rate(rate: float) -> None:
    time = np.arange(int(10 * rate)) / rate
    for hertz in (50.0, 60.0):
        found = mains_amplitude((0.2 * np.sin(2 * np.pi * hertz * time) + 3)[None].astype(np.float32), rate)
        assert found == pytest.approx(0.2, rel=0.02)


def test_mains_above_what_the_rate_can_show_is_not_guessed() -> None:
    assert mains_amplitude(np.ones((1, 1000), np.float32), 100.0).tolist() == [0.0]


def test_a_drifting_baseline_is_named(good: Waveform) -> None:
    drift = np.linspace(0, 2.0, good.samples.shape[1], dtype=np.float32)
    (finding,) = quality_findings(
        replace(good, samples=np.vstack((good.samples[:6], good.samples[6:] + drift)))
    )
    assert (finding.code, finding.leads) == ("quality.wander", LEADS[6:])


def test_exchanged_arms_are_suspected(good: Waveform) -> None:
    i, ii, iii, avr, avl, avf = good.samples[:6]
    swapped = replace(good, samples=np.vstack((-i, iii, ii, avl, avr, avf, good.samples[6:])))
    assert einthoven_residual(swapped) < 1e-5
    assert quality(swapped) == ["quality.arms_exchanged"]


def test_a_lead_without_a_signal_runs_against_nothing(good: Waveform) -> None:
    assert quality(changed(good, "V6", 0.0)) == ["quality.lead_off"]


def test_a_lead_that_comes_off_is_named_and_a_pause_of_all_leads_is_not(good: Waveform) -> None:
    lost = good.samples[9].copy()
    lost[2500:] = 0.004 * np.sign(np.sin(np.arange(2500)))
    (finding,) = quality_findings(changed(good, "V4", lost))
    assert (finding.code, finding.leads) == ("quality.lead_off", ("V4",))
    # A pause of four seconds: nothing moves in any lead, and nothing is off.
    still = good.samples.copy()
    still[:, 3000:] = 0.0
    assert quality(replace(good, samples=still)) == []


def test_a_lead_that_rests_on_its_rail_for_long_is_saturated(good: Waveform) -> None:
    pushed = good.samples[8].copy()
    pushed[1500:2000] += 20
    (finding,) = quality_findings(changed(good, "V3", np.clip(pushed, -5, 5)))
    assert (finding.code, finding.leads) == ("quality.saturated", ("V3",))


def test_right_arm_and_leg_exchanged_are_suspected(good: Waveform) -> None:
    # An axis of 19 degrees: III is small and negative, so that I does not turn over with it.
    i, ii = good.samples[0], 0.8 * good.samples[0]
    iii, avr, avl, avf = ii - i, -(i + ii) / 2, i - ii / 2, ii - i / 2
    assert quality(replace(good, samples=np.vstack((i, ii, iii, avr, avl, avf, good.samples[6:])))) == []
    swapped = replace(good, samples=np.vstack((-iii, -ii, -i, avf, avl, avr, good.samples[6:])))
    assert einthoven_residual(swapped) < 1e-5
    assert [(one.code, one.leads) for one in quality_findings(swapped)] == [
        ("quality.limb_exchanged", ("aVR",))
    ]


@pytest.mark.parametrize(
    ("order", "named"),
    [
        ((0, 1, 4, 3, 2, 5), ("V3", "V5")),
        ((3, 1, 2, 0, 4, 5), ("V1", "V4")),
        ((0, 1, 2, 3, 4, 5), ()),
    ],
)
def test_chest_electrodes_out_of_their_order_are_named(
    order: tuple[int, ...], named: tuple[str, ...]
) -> None:
    made = synthesize(Recipe(Rhythm.SINUS, seed=3))
    heart = Waveform(leads=LEADS, samples=(made.T / 1000.0).astype(np.float32), sampling_rate=500.0)
    chest = heart.samples[6:][list(order)]
    said = quality_findings(replace(heart, samples=np.vstack((heart.samples[:6], chest))))
    assert [(one.code, one.leads) for one in said] == ([("quality.chest_exchanged", named)] if named else [])

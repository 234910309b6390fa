"""A drawn heart obeys the laws that real leads obey."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import find_peaks

from telemed.demo.ecg_synthesis import Recipe, Rhythm, synthesize

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")


def r_peaks(samples: NDArray[np.int16]) -> NDArray[np.int64]:
    lead = samples[:, LEADS.index("V5")].astype(float)
    peaks: NDArray[np.int64] = find_peaks(lead, height=0.6 * lead.max(), distance=130)[0]
    return peaks


@pytest.mark.parametrize("rhythm", list(Rhythm))
def test_einthoven_and_goldberger_hold_to_the_last_bit(rhythm: Rhythm) -> None:
    rows = synthesize(Recipe(rhythm, 5, wander_mv=0.2, muscle_mv=0.05)).astype(np.int64)
    lead = dict(zip(LEADS, rows.T, strict=True))
    np.testing.assert_array_equal(lead["I"] + lead["III"], lead["II"])
    np.testing.assert_array_equal(2 * lead["aVR"], -(lead["I"] + lead["II"]))
    np.testing.assert_array_equal(2 * lead["aVL"], lead["I"] - lead["III"])
    np.testing.assert_array_equal(2 * lead["aVF"], lead["II"] + lead["III"])
    assert min(np.ptp(values) for values in lead.values()) > 100  # no relation holds by silence


@pytest.mark.parametrize("rhythm", list(Rhythm))
def test_the_same_recipe_gives_the_same_samples_and_another_seed_does_not(rhythm: Rhythm) -> None:
    first = synthesize(Recipe(rhythm, 3))
    assert first.shape == (5000, 12)
    np.testing.assert_array_equal(first, synthesize(Recipe(rhythm, 3)))
    assert (first != synthesize(Recipe(rhythm, 4))).mean() > 0.5


def test_every_heart_is_one_moving_dipole() -> None:
    """Without noise the eight leads have rank three: a fourth direction would be no dipole."""
    samples = synthesize(Recipe(Rhythm.SINUS, 2, wander_mv=0, muscle_mv=0)).astype(float)
    strength = np.linalg.svd(samples[:, [0, 1, 6, 7, 8, 9, 10, 11]], compute_uv=False)
    assert strength[2] > 0.02 * strength[0]
    assert strength[3] < 0.002 * strength[0]  # what rounding to microvolts leaves


@pytest.mark.parametrize(
    ("rhythm", "low", "high"),
    [(Rhythm.SINUS, 66, 78), (Rhythm.BRADYCARDIA, 40, 49), (Rhythm.TACHYCARDIA, 120, 136)],
)
def test_rates(rhythm: Rhythm, low: float, high: float) -> None:
    for seed in range(5):
        intervals = np.diff(r_peaks(synthesize(Recipe(rhythm, seed)))) / 500
        assert low < 60 / intervals.mean() < high
        assert intervals.std() / intervals.mean() < 0.06


def test_the_asked_rate_is_kept() -> None:
    intervals = np.diff(r_peaks(synthesize(Recipe(Rhythm.SINUS, 1, rate_bpm=100)))) / 500
    assert 60 / intervals.mean() == pytest.approx(100, abs=4)


def test_fibrillation_is_irregular_and_has_no_p_wave() -> None:
    def p_wave_uv(rhythm: Rhythm, seed: int) -> float:
        """Height of the mean beat of lead II 210 to 110 ms before R: what is not tied to the beat cancels."""
        samples = synthesize(Recipe(rhythm, seed, wander_mv=0, muscle_mv=0), seconds=60).astype(float)
        beats = [samples[peak - 105 : peak - 55, 1] for peak in r_peaks(samples) if peak > 105]
        return float(np.ptp(np.mean(beats, axis=0)))

    for seed in range(3):
        samples = synthesize(Recipe(Rhythm.ATRIAL_FIBRILLATION, seed), seconds=60)
        intervals = np.diff(r_peaks(samples)) / 500
        assert intervals.std() / intervals.mean() > 0.12
        assert p_wave_uv(Rhythm.ATRIAL_FIBRILLATION, seed) < 0.4 * p_wave_uv(Rhythm.SINUS, seed)


def test_the_wide_qrs_is_wide() -> None:
    def width_ms(rhythm: Rhythm) -> float:
        samples = synthesize(Recipe(rhythm, 6, wander_mv=0, muscle_mv=0)).astype(float)
        peak = r_peaks(samples)[3]
        size = np.linalg.norm(samples[peak - 75 : peak + 75, [0, 1, 6, 7]], axis=1)
        return float((size > 0.15 * size.max()).sum() * 2)

    assert width_ms(Rhythm.SINUS) < 110
    assert width_ms(Rhythm.WIDE_QRS) > 120


def test_gain_scales_the_heart() -> None:
    quiet = {"wander_mv": 0.0, "muscle_mv": 0.0}
    once, twice = (synthesize(Recipe(Rhythm.SINUS, 9, gain=gain, **quiet)) for gain in (1.0, 2.0))
    np.testing.assert_allclose(twice, 2.0 * once, atol=4)

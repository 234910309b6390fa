"""The own ways to filter and to halve rates against scipy's, whose they are."""

import numpy as np
import pytest
from scipy.signal import butter, resample_poly, sosfiltfilt

from ai_models.ecg.delineation.intervals import BEFORE_S, RATE, representative_probability
from ai_models.ecg.medians import known_median, median
from ai_models.ecg.signal import Resampled, ZeroPhase, band_pass


def wandering(samples: int) -> np.ndarray:
    """(12, samples) mV that end elsewhere than they began."""
    steps = np.random.default_rng(samples).normal(0, 0.05, (12, samples))
    return np.asarray(np.cumsum(steps, axis=1) + 3.0)


@pytest.mark.parametrize("step", [2, 3, 4, 5, 10, 20])
@pytest.mark.parametrize("samples", [2, 41, 1234, 10_000, 60_001])
def test_every_nth_sample_is_scipys(step: int, samples: int) -> None:
    signal = wandering(samples)
    expected = resample_poly(signal, 1, step, axis=-1, padtype="line")
    found = Resampled(signal, float(step)).at(1.0)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=1e-11, rtol=0)


def test_another_ratio_goes_by_scipy_and_the_own_rate_by_nothing() -> None:
    signal = wandering(3600)
    expected = resample_poly(signal, 25, 36, axis=-1, padtype="line")
    assert np.array_equal(Resampled(signal, 360.0).at(250.0), expected)
    assert Resampled(signal, 250.0).at(250.0) is signal


@pytest.mark.parametrize(
    "sections",
    [
        butter(4, [0.5, 40], btype="bandpass", fs=100, output="sos"),
        butter(2, [5, 25], btype="bandpass", fs=250, output="sos"),
        butter(2, 0.5, btype="highpass", fs=250, output="sos"),
    ],
)
def test_zero_phase_is_scipys_to_the_bit(sections: np.ndarray) -> None:
    for samples in (60, 2500):
        signal = wandering(samples)
        assert np.array_equal(ZeroPhase(sections)(signal), sosfiltfilt(sections, signal, axis=-1))


def test_a_record_too_short_for_the_filter_is_said_so() -> None:
    with pytest.raises(ValueError, match="more than"):
        band_pass(wandering(27), 100.0)


def test_beats_are_read_between_samples_and_nothing_is_said_beyond_the_record() -> None:
    probability = np.random.default_rng(4).random((12, 4, 400)).astype(np.float32)
    fiducial = np.asarray([0.1, 0.8007, 399 / RATE])
    found = representative_probability(probability, fiducial)
    offsets = np.arange(len(found["P"][0])) - round(BEFORE_S * RATE)
    for index, wave in enumerate(("P", "QRS", "T"), start=1):
        for lead in (0, 11):
            row = probability[lead, index].astype(np.float64)
            values = np.full((3, len(offsets)), np.nan)
            for beat, at in enumerate(fiducial):
                inside = (at * RATE + offsets >= 0) & (at * RATE + offsets <= 399)
                values[beat, inside] = np.interp((at * RATE + offsets)[inside], np.arange(400), row)
            seen = np.isfinite(values)
            expected = np.where(seen, values, 0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
            np.testing.assert_allclose(found[wave][lead], expected, atol=1e-12)


def test_a_median_of_few_is_numpys_to_the_bit() -> None:
    numbers = np.random.default_rng(8).normal(0.4, 0.1, 12)
    for count in range(1, 13):
        assert median(numbers[:count]) == np.median(numbers[:count])
        gaps = np.where(np.arange(count) % 3 == 1, np.nan, numbers[:count])
        assert known_median(gaps) == np.nanmedian(gaps)
    assert np.isnan(known_median(np.asarray([np.nan, np.nan])))

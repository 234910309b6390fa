"""Spikes are looked for where a trace is steep; what is found is what a median over every sample finds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from ai_models.ecg.interpretation import spikes


def everywhere(signal: NDArray[np.float64], onset: float) -> bool:
    """The definition, sample by sample, of (12, n) at 500 Hz."""
    start, end = (max(0, round((onset + by) * spikes.RATE)) for by in (-spikes.BEFORE_S, spikes.AFTER_S))
    away = np.abs(signal - median_filter(signal, size=(1, spikes.NEIGHBOURS)))[:, start:end]
    return bool(((away >= spikes.LEAST_MV).sum(axis=0) >= spikes.LEADS_WITH_SPIKE).any())


def test_the_quick_search_finds_what_the_definition_finds() -> None:
    generator = np.random.default_rng(3)
    found = 0.0
    for _ in range(60):
        signal = np.cumsum(generator.standard_normal((12, 1500)) * 0.03, axis=1)
        for at in generator.integers(0, 1500, 4):
            leads, width = generator.integers(1, 12), generator.integers(1, 4)
            signal[:leads, at : at + width] += generator.uniform(0.1, 1)
        onsets = np.sort(generator.uniform(-0.1, 3.05, 9))
        expected = sum(everywhere(signal, float(onset)) for onset in onsets) / len(onsets)
        assert spikes.spike_share(signal, spikes.RATE, onsets) == expected
        found += expected
    assert 0 < found < 60

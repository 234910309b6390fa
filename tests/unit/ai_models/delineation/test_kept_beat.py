"""The median beat as it is kept: the same samples to 1 uV, and boundaries from which the same intervals follow."""

import numpy as np

from ai_models.ecg.delineation.intervals import GlobalWaves
from ai_models.ecg.delineation.measure import MedianBeat
from ai_models.ecg.delineation.measure import intervals as measured
from ai_models.ecg.delineation.reader import representative_beat
from telemed.domain.measuring import Marks, intervals
from telemed.imaging.waveform.packed import MICROVOLTS_PER_UNIT, unpack
from telemed.imaging.waveform.wire import MISSING


def test_a_kept_beat_gives_back_its_samples_and_its_intervals() -> None:
    random = np.random.default_rng(5)
    samples = random.normal(0, 0.8, (12, 500))
    samples[3, :40] = np.nan
    samples[4, 7] = 40.0  # beyond what an int16 holds: cut, never wrapped
    waves = GlobalWaves(-0.2214, -0.1183, -0.06334, 0.06113, 0.1402, 0.35873)
    kept = representative_beat(MedianBeat(samples, 500.0, 180, waves, 9, 11))
    units = np.frombuffer(unpack(kept.packed, 12), dtype="<i2").reshape(12, 500)
    assert (units[3, :40] == MISSING).all()
    assert units[4, 7] == 32767
    known = np.isfinite(samples) & (np.abs(samples) < 32)
    error = units[known] * MICROVOLTS_PER_UNIT / 1000 - samples[known]
    assert np.abs(error).max() <= 0.0005 + 1e-9
    marks = {name: at for name, at in kept.waves.items() if name != "t_onset_ms"}
    again = intervals(Marks.from_json(marks), 820.0)
    for name, value in measured(waves, 820.0).items():
        assert again[name] == round(value, 1)

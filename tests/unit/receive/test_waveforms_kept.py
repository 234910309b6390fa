"""What completing a study has read is kept for the machine: given once, and never without end."""

from __future__ import annotations

import numpy as np

from telemed.application.waveforms import Waveforms
from telemed.imaging.waveform import LEADS, Waveform


def recording(samples: int = 500) -> Waveform:
    return Waveform(LEADS, np.zeros((12, samples), dtype=np.float32), 500.0)


def test_what_is_kept_is_given_once() -> None:
    kept, one = Waveforms(), recording()
    kept.keep("a", one)
    assert kept.take("a") is one and kept.take("a") is None


def test_the_oldest_go_where_there_are_too_many() -> None:
    one = recording()
    kept = Waveforms(most_bytes=2 * one.samples.nbytes)
    for name in "abca":
        kept.keep(name, one)
    assert [name for name in "abc" if kept.take(name)] == ["a", "c"]
    kept.keep("d", recording(5000))
    assert kept.take("d") is None

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from telemed.imaging.ecg_layout import LAYOUTS, Strip, ecg_layout, leads_beyond, polyline_mm, segments
from telemed.imaging.waveform import LEADS


@dataclass(frozen=True)
class Recording:
    samples: NDArray[np.float32]
    sampling_rate: float = 500.0
    leads: tuple[str, ...] = LEADS


def flat(seconds: float = 10.0, rate: float = 500.0, mv: float = 0.0) -> Recording:
    return Recording(np.full((12, round(seconds * rate)), mv, dtype=np.float32), rate)


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_shows_every_lead_within_landscape_a4(name: str) -> None:
    layout = ecg_layout(name)
    assert {strip.lead for strip in layout.strips} == set(LEADS)
    assert layout.width_mm == 260
    assert layout.height_mm <= 150
    assert layout.width_mm % 5 == layout.height_mm % 5 == 0
    for strip in layout.strips:
        assert strip.x0_mm + strip.width_mm <= layout.width_mm
        assert 0 < strip.baseline_y_mm < layout.height_mm


def test_the_default_layout_runs_through_ten_seconds_and_repeats_lead_ii_below() -> None:
    layout = ecg_layout()
    assert len(layout.strips) == 13
    by_column = [[s.lead for s in layout.strips[:12] if s.start_s == start] for start in (0, 2.5, 5, 7.5)]
    assert by_column == [["I", "II", "III"], ["aVR", "aVL", "aVF"], ["V1", "V2", "V3"], ["V4", "V5", "V6"]]
    rhythm = layout.strips[-1]
    assert (rhythm.lead, rhythm.start_s, rhythm.duration_s, rhythm.width_mm) == ("II", 0, 10, 250)
    assert ecg_layout(rhythm_lead="V1").strips[-1].lead == "V1"


def test_one_millivolt_is_ten_millimetres_and_one_second_twenty_five() -> None:
    recording = flat(mv=1.0)
    for strip in ecg_layout("12x1").strips:
        line = polyline_mm(recording, strip)
        assert np.all(line[:, 1] == strip.baseline_y_mm - 10)
        assert line[500, 0] - line[0, 0] == 25
        assert line[0, 0] == strip.x0_mm


def test_columns_join_without_a_lost_or_shifted_sample() -> None:
    recording = flat()
    columns = sorted({(s.start_s, s) for s in ecg_layout().strips[:12] if s.lead in ("I", "aVR", "V1", "V4")})
    lines = [polyline_mm(recording, strip) for _, strip in columns]
    for left, right in pairwise(lines):
        assert left[-1, 0] == pytest.approx(right[0, 0])
    assert sum(len(line) for line in lines) == 5000 + 3


@pytest.mark.parametrize("rate", [125.0, 250.0, 257.3, 1000.0])
def test_the_sampling_rate_changes_the_points_and_not_the_scale(rate: float) -> None:
    line = polyline_mm(flat(rate=rate), Strip("V3", 2.5, 2.5, 10.0, 50.0))
    assert np.diff(line[:, 0]) == pytest.approx(25 / rate)
    assert 10.0 <= line[0, 0] < 10 + 25 / rate
    assert 72.5 - 25 / rate < line[-1, 0] <= 72.5 + 1e-4


def test_a_gap_splits_the_line() -> None:
    recording = flat(seconds=1)
    recording.samples[0, :5] = np.nan
    recording.samples[0, 100:200] = np.nan
    recording.samples[0, 300] = np.nan
    recording.samples[0, 490:] = np.nan
    line = polyline_mm(recording, ecg_layout("12x1").strips[0])
    assert np.isnan(line[:, 0]).sum() == 2
    assert [len(part) for part in segments(line)] == [95, 100, 189]
    assert not np.isnan(line[[0, -1]]).any()
    assert segments(line)[1][0, 0] == pytest.approx(10 + 200 / 500 * 25)


def test_a_lead_without_a_sample_is_an_empty_line() -> None:
    recording = flat()
    recording.samples[3] = np.nan
    strip = next(s for s in ecg_layout("6x2").strips if s.lead == "aVR")
    assert polyline_mm(recording, strip).shape == (0, 2)
    assert segments(polyline_mm(recording, strip)) == []
    # The recording is shorter than the column's start.
    assert polyline_mm(flat(seconds=2), ecg_layout().strips[-2]).shape == (0, 2)


def test_a_short_recording_gives_a_short_line() -> None:
    assert polyline_mm(flat(seconds=4), ecg_layout().strips[-1])[-1, 0] == pytest.approx(10 + 3.998 * 25)


def test_a_later_start_shows_the_later_seconds() -> None:
    recording = flat(seconds=20)
    recording.samples[:, 5000:] = 2.0
    line = polyline_mm(recording, ecg_layout("12x1", start_s=10.0).strips[0])
    assert np.all(line[:, 1] == 6.0 - 20)
    assert line[0, 0] == 10


def test_a_line_that_leaves_the_paper_is_named() -> None:
    recording = flat()
    assert leads_beyond(recording, ecg_layout()) == ()
    recording.samples[0, 100] = 1.8
    recording.samples[1, 100] = -1.8
    recording.samples[8, 2600] = 5.0
    assert leads_beyond(recording, ecg_layout()) == ("I", "II")


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_calibration_pulse_is_one_millivolt_high_and_two_tenths_of_a_second_wide(name: str) -> None:
    for pulse in ecg_layout(name).pulses:
        assert pulse[:, 1].max() - pulse[:, 1].min() == 10
        assert pulse[3, 0] - pulse[2, 0] == 5
        assert pulse[-1, 0] == 10


def test_impossible_requests_are_refused() -> None:
    with pytest.raises(ValueError, match="3x4"):
        ecg_layout("4x3")
    with pytest.raises(ValueError, match="V9"):
        ecg_layout(rhythm_lead="V9")
    with pytest.raises(ValueError, match="-1"):
        ecg_layout(start_s=-1)
    with pytest.raises(ValueError, match="V9"):
        polyline_mm(flat(), Strip("V9", 0, 1, 0, 0))

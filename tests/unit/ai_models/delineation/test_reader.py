"""The shipped network on hearts whose boundaries are known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ai_models.ecg.delineation.reader import MODEL, DelineationReader
from ai_models.engine import Engine
from ai_models.registry import Registry
from telemed.demo.ecg_synthesis import Recipe, Rhythm, synthesize
from telemed.domain.analysis import Analysis
from tests.unit.ai_models.delineation import hearts


def test_waves_lie_where_they_were_put(delineation: DelineationReader) -> None:
    answer = delineation.read(hearts.waveform(hearts.regular(bpm=75)), waves=True)
    beats = np.arange(0.5, 10, 0.8)[1:-1]
    for lead in ("I", "II", "V5"):
        rows = [row for row in answer.waves if row.lead == lead]
        for wave, start, end in (("P", -0.20, -0.10), ("QRS", -0.045, 0.05), ("T", 0.17, 0.36)):
            onsets = np.asarray([row.onset_ms for row in rows if row.wave == wave])
            offsets = np.asarray([row.offset_ms for row in rows if row.wave == wave])
            for beat in beats:
                # A raised cosine leaves the baseline so gently that nobody sees its first hundredths.
                assert np.abs(onsets - 1000 * (beat + start)).min() < 45, (lead, wave, beat)
                assert np.abs(offsets - 1000 * (beat + end)).min() < 45, (lead, wave, beat)
        peaks = [row.peak_ms for row in rows if row.wave == "QRS"]
        assert max(min(abs(peak - 1000 * beat) for peak in peaks) for beat in beats) <= 8


def test_waves_of_a_lead_are_in_order_and_whole(delineation: DelineationReader) -> None:
    answer = delineation.read(hearts.waveform(hearts.regular()), waves=True)
    assert {row.lead for row in answer.waves} == set(hearts.LEADS)
    for row in answer.waves:
        assert 0 < row.onset_ms <= row.peak_ms <= row.offset_ms < 10_000
    assert Analysis.from_json(answer.as_json()) == answer


def test_waves_are_given_only_where_asked_for(delineation: DelineationReader) -> None:
    answer = delineation.read(hearts.waveform(hearts.regular()))
    assert answer.waves == ()
    assert "waves" not in answer.as_json()
    assert answer.findings == ()
    assert answer.model is not None
    assert answer.model.name == MODEL


def test_intervals_are_those_that_were_put_in(delineation: DelineationReader) -> None:
    found = delineation.read(hearts.waveform(hearts.regular(bpm=75))).measurements
    assert found["heart_rate_bpm"] == pytest.approx(75, abs=0.3)
    assert found["rr_mean_ms"] == pytest.approx(800, abs=2)
    assert found["sdnn_ms"] < 3
    assert found["pr_ms"] == pytest.approx(155, abs=25)
    # The network learnt from hands that mark wide (the card says by how much), the global QRS most of all.
    assert found["qrs_typical_lead_ms"] == pytest.approx(95, abs=15)
    assert 90 < found["qrs_ms"] < 140
    assert found["qt_ms"] == pytest.approx(405, abs=40)
    assert found["qtc_ms"] == pytest.approx(found["qt_ms"] / np.sqrt(0.8), abs=1)
    assert found["qtc_fridericia_ms"] == pytest.approx(found["qt_ms"] / 0.8 ** (1 / 3), abs=1)


@pytest.mark.parametrize("gain", [0.3, 3.0])
def test_gain_changes_amplitudes_alone(delineation: DelineationReader, gain: float) -> None:
    samples = hearts.regular()
    one = delineation.read(hearts.waveform(samples), waves=True)
    other = delineation.read(hearts.waveform(samples * np.float32(gain)), waves=True)
    assert len(one.waves) == len(other.waves)
    for name in ("pr_ms", "qrs_ms", "qt_ms", "heart_rate_bpm"):
        assert other.measurements[name] == pytest.approx(one.measurements[name], abs=0.2)
    assert other.leads["II"]["r_mv"] == pytest.approx(gain * one.leads["II"]["r_mv"], rel=0.01)


def test_an_offset_and_slow_wander_move_no_boundary_and_no_st(delineation: DelineationReader) -> None:
    samples = hearts.regular()
    time = np.arange(samples.shape[1]) / hearts.RATE
    # On all electrodes but the reference alike, so that the limb leads still agree with each other.
    wander = np.zeros_like(samples)
    wander[6:] = (0.5 + 0.3 * np.sin(2 * np.pi * 0.2 * time)).astype(np.float32)
    one = delineation.read(hearts.waveform(samples))
    other = delineation.read(hearts.waveform(samples + wander))
    for name in ("pr_ms", "qrs_ms", "qt_ms"):
        assert other.measurements[name] == pytest.approx(one.measurements[name], abs=8)
    assert other.leads["V4"]["st_j60_mv"] == pytest.approx(one.leads["V4"]["st_j60_mv"], abs=0.03)


def test_the_same_recording_gives_the_same_bits(delineation: DelineationReader) -> None:
    wave = hearts.waveform(hearts.regular(bpm=83))
    assert delineation.read(wave, waves=True) == delineation.read(wave, waves=True)


@pytest.mark.parametrize("rate", [250.0, 1000.0])
def test_the_sampling_rate_hardly_matters(delineation: DelineationReader, rate: float) -> None:
    samples = hearts.regular()
    time = np.arange(samples.shape[1]) / hearts.RATE
    grid = np.arange(round(10 * rate)) / rate
    other = np.stack([np.interp(grid, time, lead) for lead in samples]).astype(np.float32)
    one = delineation.read(hearts.waveform(samples)).measurements
    found = delineation.read(hearts.waveform(other, rate)).measurements
    for name in ("pr_ms", "qrs_ms", "qt_ms"):
        assert found[name] == pytest.approx(one[name], abs=10)


def test_fibrillation_has_no_p_and_no_pr(delineation: DelineationReader) -> None:
    for seed in (1, 2, 3):
        samples = synthesize(Recipe(Rhythm.ATRIAL_FIBRILLATION, seed)).T.astype(np.float32) / 1000
        found = delineation.read(hearts.waveform(samples)).measurements
        assert {"pr_ms", "p_ms", "p_axis_deg"} & set(found) == set()
        assert {"qrs_ms", "qt_ms", "heart_rate_bpm"} <= set(found)
        assert found["sdnn_ms"] > 50


def test_without_p_waves_no_pr_is_invented(delineation: DelineationReader) -> None:
    found = delineation.read(hearts.waveform(hearts.regular(waves=hearts.WITHOUT_P))).measurements
    assert "pr_ms" not in found
    assert found["qrs_typical_lead_ms"] == pytest.approx(95, abs=20)


def with_ectopics() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A regular heart, and the same with two premature wide beats in the place of normal ones."""
    times = [0.5 + 0.8 * index for index in range(12)]
    plain = [(at, hearts.NORMAL) for at in times]
    spoiled = [
        (at - 0.2, hearts.ECTOPIC) if index in (4, 8) else (at, hearts.NORMAL)
        for index, at in enumerate(times)
    ]
    return hearts.heart(plain), hearts.heart(spoiled)


def test_the_median_beat_leaves_planted_extrasystoles_out(delineation: DelineationReader) -> None:
    plain, spoiled = with_ectopics()
    clean, found = (delineation.measured(samples, hearts.RATE) for samples in (plain, spoiled))
    assert clean.median_beat is not None
    assert found.median_beat is not None
    assert found.median_beat.of == 12
    assert found.median_beat.beats <= 10
    shift = found.median_beat.samples - clean.median_beat.samples
    assert np.nanmax(np.abs(shift[:, 50:400])) < 0.06
    for name in ("pr_ms", "qrs_ms", "qt_ms"):
        assert found.measurements[name] == pytest.approx(clean.measurements[name], abs=6)
    # The compensatory pauses are there in the RR statistics of all beats, not in those of the normal ones.
    assert found.measurements["rr_min_ms"] < 650
    assert found.measurements["sdnn_ms"] < 20


def test_one_wild_lead_moves_no_global_interval(delineation: DelineationReader) -> None:
    samples = hearts.regular()
    wild = samples.copy()
    time = np.arange(samples.shape[1]) / hearts.RATE
    wild[7] += (0.6 * np.sin(2 * np.pi * 3.1 * time)).astype(np.float32)
    one, other = (delineation.read(hearts.waveform(rows)).measurements for rows in (samples, wild))
    for name in ("pr_ms", "qrs_ms", "qt_ms"):
        assert other[name] == pytest.approx(one[name], abs=15)


def test_axes_and_st_follow_the_dipole(delineation: DelineationReader) -> None:
    found = delineation.read(hearts.waveform(hearts.regular()))
    # Of the projected dipole itself: the mean vector of the three QRS waves in I and aVF, by the same formula.
    weights = [(b.end - b.start) / 2 * np.asarray(b.vector) for b in hearts.QRS]
    i, ii = hearts.PROJECTION[:2] @ np.sum(weights, axis=0)
    expected = np.degrees(np.arctan2(2 * (ii - i / 2), np.sqrt(3) * i))
    assert found.measurements["qrs_axis_deg"] == pytest.approx(expected, abs=8)
    assert abs(found.leads["V2"]["st_j80_mv"]) < 0.05
    raised = (*hearts.NORMAL, hearts.Bump(0.0, 0.30, (0.0, 0.0, -0.45)))
    st = delineation.read(hearts.waveform(hearts.regular(waves=raised))).leads
    assert st["V2"]["st_j80_mv"] > 0.2
    assert abs(st["II"]["st_j80_mv"]) < 0.12


def test_a_gap_is_left_out_and_times_count_from_the_first_sample(delineation: DelineationReader) -> None:
    samples = hearts.regular(bpm=75)
    samples[:, : round(2 * hearts.RATE)] = np.nan
    rows = [r for r in delineation.read(hearts.waveform(samples), waves=True).waves if r.wave == "QRS"]
    assert min(row.onset_ms for row in rows) > 2000
    beats = 1000 * np.arange(0.5, 10, 0.8)
    assert max(float(np.abs(beats - row.peak_ms).min()) for row in rows if row.lead == "II") <= 8


def test_what_the_gate_refuses_has_a_reason_and_no_number(delineation: DelineationReader) -> None:
    samples = hearts.regular()
    samples[8] = 0
    answer = delineation.read(hearts.waveform(samples), waves=True)
    assert (answer.in_domain, answer.reason) == (False, "waveform.lead_off")
    assert (dict(answer.measurements), dict(answer.leads), answer.waves) == ({}, {}, ())


def test_noise_without_a_heart_gives_no_interval(delineation: DelineationReader) -> None:
    found = delineation.read(hearts.waveform(hearts.heart([], noise_mv=0.05))).measurements
    assert {"pr_ms", "qt_ms", "qtc_ms"} & set(found) == set()


@pytest.mark.parametrize("seconds", [5.0, 10.016, 31.0])
def test_every_length_of_the_domain_is_measured(delineation: DelineationReader, seconds: float) -> None:
    found = delineation.read(hearts.waveform(hearts.regular(bpm=70, seconds=seconds))).measurements
    assert found["heart_rate_bpm"] == pytest.approx(70, abs=0.5)
    assert found["qrs_typical_lead_ms"] == pytest.approx(95, abs=20)


def test_one_lead_alone_is_delineated_too(delineation: DelineationReader) -> None:
    samples = hearts.regular(bpm=75)
    probability, (lead,) = delineation.delineate(samples[1:2], hearts.RATE)
    assert probability.shape == (1, 4, 2500)
    np.testing.assert_allclose(probability.sum(axis=1), 1, atol=1e-5)
    beats = np.arange(0.5, 10, 0.8)
    assert max(float(np.abs(beats - peak).min()) for peak in lead.qrs[:, 1]) < 0.01
    assert len(lead.qrs) >= len(beats) - 1


def test_the_order_of_leads_does_not_matter(delineation: DelineationReader) -> None:
    samples = hearts.regular()
    one, _ = delineation.delineate(samples, hearts.RATE)
    turned, _ = delineation.delineate(samples[::-1].copy(), hearts.RATE)
    np.testing.assert_allclose(turned[::-1], one, atol=1e-4)


def test_the_shipped_weights_are_small_and_both_cards_name_them(engine: Engine) -> None:
    manifest = Registry().get(MODEL)
    assert manifest.weights.stat().st_size < 2_000_000
    assert engine.identity(MODEL).sha256 == manifest.sha256
    for language in ("zh-CN", "en"):
        card = manifest.card(language).read_text("utf-8")
        assert manifest.sha256 in card
        assert "{{" not in card
        assert "ODC-By 1.0" in card
        assert "IEC 60601-2-25" in card

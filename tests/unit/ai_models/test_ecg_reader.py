"""What the ECG reader says, and when it says nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ai_models.ecg.beats import find_beats
from ai_models.ecg.reader import EcgReader
from ai_models.ecg.signal import LEADS
from ai_models.ecg.statements import statements_for
from ai_models.manifest import Manifest
from telemed.domain.analysis import Analysis, Finding
from telemed.imaging.waveform import Waveform
from tests.unit.ai_models import synthetic

GOLDEN = json.loads(Path(__file__).with_name("golden.json").read_text("utf-8"))


def read(reader: EcgReader, samples: NDArray[np.float32], rate: float = 500.0) -> Analysis:
    return reader.read(Waveform(LEADS, samples, rate))


def test_a_synthetic_recording_answers_as_it_did_when_the_weights_were_shipped(
    reader: EcgReader, manifest: Manifest
) -> None:
    assert GOLDEN["sha256"] == manifest.sha256, "new weights need a new golden.json"
    answer = reader.read(synthetic.waveform())
    assert answer.in_domain
    assert {f.name: f.probability for f in answer.findings} == pytest.approx(GOLDEN["probability"], abs=2e-3)
    assert answer.model == reader.identity


def test_flags_are_probabilities_that_reach_their_threshold(reader: EcgReader, manifest: Manifest) -> None:
    answer = reader.read(synthetic.waveform(bpm=110))
    thresholds = {label.name: label.threshold for label in manifest.labels}
    assert [finding.name for finding in answer.findings] == list(thresholds)
    for finding in answer.findings:
        assert 0.0 <= finding.probability <= 1.0
        assert finding.threshold == thresholds[finding.name]
        assert finding.flag == (finding.probability >= finding.threshold)
        assert finding.code is not None


@pytest.mark.parametrize("rate", [100.0, 250.0, 500.0, 1000.0, 257.0])
def test_the_sampling_rate_hardly_matters(reader: EcgReader, rate: float) -> None:
    answer = reader.read(synthetic.waveform(rate=rate))
    assert {f.name: f.probability for f in answer.findings} == pytest.approx(GOLDEN["probability"], abs=0.1)


@pytest.mark.parametrize("seconds", [5.0, 7.3, 12.0, 30.0, 60.0])
def test_every_length_of_the_domain_is_read(reader: EcgReader, seconds: float) -> None:
    answer = reader.read(synthetic.waveform(seconds=seconds))
    assert answer.in_domain
    assert len(answer.findings) == 6


@pytest.mark.parametrize("bpm", [40.0, 60.0, 72.0, 100.0, 150.0])
def test_heart_rate_is_what_was_put_in(reader: EcgReader, bpm: float) -> None:
    answer = reader.read(synthetic.waveform(bpm=bpm))
    assert answer.measurements["heart_rate_bpm"] == pytest.approx(bpm, rel=0.01)


def test_nothing_is_measured_that_was_not(reader: EcgReader) -> None:
    assert set(reader.read(synthetic.waveform()).measurements) == {"heart_rate_bpm"}


def test_fibrillation_is_not_judged_on_too_few_beats(reader: EcgReader) -> None:
    answer = reader.read(synthetic.waveform(seconds=6.0, bpm=32.0))
    assert answer.in_domain
    assert answer.quality["beats"] < 5
    assert "AFIB" not in [finding.name for finding in answer.findings]


def flat(lead: int) -> NDArray[np.float32]:
    samples = synthetic.samples()
    samples[lead] = 0.0
    return samples


def gaps() -> NDArray[np.float32]:
    samples = synthetic.samples()
    samples[3, 1800:1810] = np.nan
    samples[7, 3500:3600] = np.nan
    return samples


def swapped() -> NDArray[np.float32]:
    samples = synthetic.samples()
    samples[[0, 6]] = samples[[6, 0]]
    return samples


@pytest.mark.parametrize(
    ("samples", "rate", "reason"),
    [
        (synthetic.samples(4.9), 500.0, "waveform.too_short"),
        (synthetic.samples(0.02), 500.0, "waveform.too_short"),
        (synthetic.samples(61.0), 500.0, "waveform.too_long_for_model"),
        (synthetic.samples(rate=80.0), 80.0, "waveform.sampling_rate"),
        (synthetic.samples(rate=100.0), 4000.0, "waveform.sampling_rate"),
        (flat(9), 500.0, "waveform.lead_off"),
        (np.zeros((12, 5000), np.float32), 500.0, "waveform.lead_off"),
        (np.full((12, 5000), np.nan, np.float32), 500.0, "waveform.lead_off"),
        (gaps(), 500.0, "waveform.gaps"),
        (swapped(), 500.0, "waveform.einthoven"),
        (synthetic.samples() * 1000, 500.0, "waveform.implausible_amplitude"),
    ],
)
def test_out_of_domain_has_a_reason_and_no_score(
    reader: EcgReader, samples: NDArray[np.float32], rate: float, reason: str
) -> None:
    answer = read(reader, samples, rate)
    assert not answer.in_domain
    assert answer.reason == reason
    assert answer.findings == ()
    assert answer.statements == ()
    assert answer.measurements == {}
    assert answer.model == reader.identity


def test_other_leads_than_the_twelve_are_out_of_domain(reader: EcgReader) -> None:
    answer = reader.read(Waveform(LEADS[:8], synthetic.samples()[:8], 500.0))
    assert answer.reason == "waveform.not_twelve_leads"


def test_a_short_gap_is_left_out_and_the_rest_is_read(reader: EcgReader) -> None:
    samples = synthetic.samples()
    samples[4, :200] = np.nan
    answer = read(reader, samples)
    assert answer.in_domain
    assert answer.quality["complete_s"] == pytest.approx(9.6)


def test_beats_lie_where_they_were_put() -> None:
    peaks = find_beats(synthetic.samples(bpm=60.0), 500.0).peaks / 250.0
    assert peaks == pytest.approx(np.arange(0.4, 10.0, 1.0), abs=0.012)


def test_a_statement_is_made_only_for_what_is_flagged_and_never_for_normal() -> None:
    findings = [
        Finding("NORM", 0.99, 0.5, True),
        Finding("MI", 0.4, 0.5, False),
        Finding("AFIB", 0.9, 0.5, True),
    ]
    statements = statements_for(findings)
    assert [statement.code for statement in statements] == ["ecg.ai.afib"]
    assert set(statements[0].text) == {"zh", "en"}

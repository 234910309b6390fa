"""Delineates and measures a 12-lead ECG: gate, network, waves, measurements."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ai_models.ecg.delineation.decode import WAVES, LeadWaves, decode
from ai_models.ecg.delineation.intervals import GlobalWaves
from ai_models.ecg.delineation.measure import Measured, MedianBeat, measure
from ai_models.ecg.delineation.tensors import PREPROCESSING, network_input
from ai_models.ecg.gate import Verdict, judge
from ai_models.ecg.signal import LEADS, Resampled
from ai_models.errors import ModelRefused
from ai_models.manifest import Manifest
from ai_models.registry import Registry
from ai_models.runner import Runner
from telemed.domain.analysis import Analysis, ModelIdentity, RepresentativeBeat, Wave
from telemed.imaging.waveform import Waveform
from telemed.imaging.waveform.marks import pack_marks
from telemed.imaging.waveform.packed import pack

MODEL = "ecg-delineation"


class DelineationReader:
    """The shipped delineation model behind any runner; what it answers has this model's identity alone.

    `runner` is an `Engine` or a `RemoteRunner`. Raises ModelRefused where the model was made for another
    preprocessing than this code has.
    """

    def __init__(self, runner: Runner, manifest: Manifest | None = None) -> None:
        self._runner = runner
        self._manifest = manifest if manifest is not None else Registry().get(MODEL)
        if self._manifest.preprocessing != PREPROCESSING:
            raise ModelRefused(
                "model.other_preprocessing", expected=self._manifest.preprocessing, found=PREPROCESSING
            )

    @property
    def identity(self) -> ModelIdentity:
        return self._runner.identity(self._manifest.name)

    def delineate(
        self, samples: NDArray[np.floating], rate: float, *, at: Resampled | None = None
    ) -> tuple[NDArray[np.float32], list[LeadWaves]]:
        """Probabilities (leads, 4, m) at 250 Hz and the waves of each lead, for (leads, n) mV at `rate` Hz.

        Any leads in any order, one alone included; complete (no NaN), at least one second. Raises what the runner
        raises, and ModelRefused for an answer of the wrong shape.
        """
        signal, length = network_input(samples, rate, at=at)
        output = self._runner.run(self._manifest.name, {"signal": signal})["probability"]
        if output.shape != (1, signal.shape[1], 4, signal.shape[2]) or not np.isfinite(output).all():
            raise ModelRefused("model.bad_output", name=self._manifest.name, shape=str(list(output.shape)))
        probability = output[0, :, :, :length]
        return probability, decode(probability, signal[0, :, :length])

    def measured(self, samples: NDArray[np.floating], rate: float) -> Measured:
        """All measurements and the median beat of a complete recording (12, n) mV in the order of `LEADS`."""
        at = Resampled(samples, rate)
        probability, waves = self.delineate(samples, rate, at=at)
        return measure(samples, rate, probability, waves, at=at)

    def read(self, waveform: Waveform, waves: bool = False) -> Analysis:
        """Measure a recording: (12, n) mV, NaN where a sample is missing, `sampling_rate` in Hz.

        Out of domain the answer has a reason and no number. In domain `measurements` and `leads` hold what could
        be measured, and nothing that could not; with `waves` also every wave of every lead.
        """
        return self.read_measured(waveform, waves)[0]

    def read_measured(
        self, waveform: Waveform, waves: bool = False, verdict: Verdict | None = None
    ) -> tuple[Analysis, Measured | None]:
        """`read`, and beside it what it was made from, unrounded and with the median beat; None out of domain.

        `verdict`: what `judge` says of the recording, where it was asked before.
        """
        identity = self.identity
        verdict = verdict if verdict is not None else judge(waveform)
        if verdict.samples is None:
            return Analysis(identity, False, verdict.reason, verdict.params, verdict.quality), None
        rate, at = waveform.sampling_rate, verdict.resampled
        probability, found = self.delineate(verdict.samples, rate, at=at)
        measured = measure(verdict.samples, rate, probability, found, at=at)
        quality = {**verdict.quality, "beats": len(measured.beats)}
        beat = measured.median_beat
        if beat is not None:
            quality["representative_beats"] = beat.beats
        answer = Analysis(
            identity,
            True,
            quality=quality,
            measurements={name: round(value, 1) for name, value in measured.measurements.items()},
            leads={
                lead: {name: round(value, 4) for name, value in row.items()}
                for lead, row in measured.leads.items()
            },
            median_beat=None if beat is None else representative_beat(beat),
            wave_marks=packed_marks(found, verdict.start / rate),
        )
        if waves:
            answer = replace(answer, waves=wave_rows(found, verdict.start / rate))
        return answer, measured


def representative_beat(beat: MedianBeat) -> RepresentativeBeat:
    """The median beat as it is kept: 1 uV a unit, boundaries in ms from the fiducial sample."""
    bounds = {name: getattr(beat.waves, name) for name in GlobalWaves.__dataclass_fields__}
    return RepresentativeBeat(
        leads=tuple(LEADS),
        rate=beat.rate,
        fiducial=beat.fiducial,
        # Finer than the intervals are rounded to, so that the same ones follow from them.
        waves={f"{name}_ms": round(1000 * at, 3) for name, at in bounds.items() if at is not None},
        beats=beat.beats,
        of=beat.of,
        packed=pack(beat.samples),
    )


def packed_marks(leads: list[LeadWaves], start_s: float) -> str:
    """All waves as they are kept, from the recording's first sample."""
    return pack_marks([{wave: found.of(wave) + start_s for wave in WAVES} for found in leads])


def wave_rows(leads: list[LeadWaves], start_s: float = 0.0) -> tuple[Wave, ...]:
    """One row per lead and wave in the order of time, ms from the recording's first sample."""
    rows = []
    for name, found in zip(LEADS, leads, strict=True):
        in_lead = [
            Wave(name, wave, *(round(1000 * (start_s + float(at)), 1) for at in span))
            for wave in WAVES
            for span in found.of(wave)
        ]
        rows += sorted(in_lead, key=lambda row: row.onset_ms)
    return tuple(rows)

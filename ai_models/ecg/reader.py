"""Reads a 12-lead ECG: gate, tensors, network, findings."""

from __future__ import annotations

import numpy as np

from ai_models.ecg.gate import Verdict, judge
from ai_models.ecg.signal import PREPROCESSING
from ai_models.ecg.statements import statements_for
from ai_models.ecg.tensors import ecg_tensors
from ai_models.errors import ModelRefused
from ai_models.manifest import Manifest
from ai_models.registry import Registry
from ai_models.runner import Runner
from telemed.domain.analysis import Analysis, Finding, ModelIdentity
from telemed.imaging.waveform import Waveform

MODEL = "ecg-superclass"
NEEDS_RHYTHM = frozenset({"AFIB"})


class EcgReader:
    """The shipped ECG model behind any runner.

    `runner` is an `Engine` or a `RemoteRunner`; `manifest` gives labels and thresholds (default: the shipped
    one). Raises ModelRefused where the model was made for another preprocessing than this code has.
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
        """What would answer; known before anything is read, so that a result key can be looked up first."""
        return self._runner.identity(self._manifest.name)

    def read(self, waveform: Waveform, verdict: Verdict | None = None) -> Analysis:
        """Judge a recording: (12, n) mV, NaN where a sample is missing, `sampling_rate` in Hz.

        Out of the model's domain the answer has a reason and no score. `measurements` holds heart_rate_bpm
        where at least three beats were found, and nothing that was not measured.
        `verdict`: what `judge` says of it, where it was asked before. Raises what the runner raises.
        """
        identity = self.identity
        verdict = verdict if verdict is not None else judge(waveform)
        if verdict.samples is None:
            return Analysis(identity, False, verdict.reason, verdict.params, verdict.quality)
        tensors = ecg_tensors(verdict.samples, waveform.sampling_rate, at=verdict.resampled)
        output = self._runner.run(self._manifest.name, tensors.inputs())["probability"]
        if output.shape != (len(tensors.rhythm), len(self._manifest.labels)) or not np.isfinite(output).all():
            raise ModelRefused("model.bad_output", name=self._manifest.name, shape=str(list(output.shape)))
        findings = tuple(
            Finding(
                label.name,
                round(float(probability), 6),
                label.threshold,
                bool(probability >= label.threshold),
                label.code,
            )
            for label, probability in zip(self._manifest.labels, output.mean(axis=0), strict=True)
            if tensors.has_rhythm or label.name not in NEEDS_RHYTHM
        )
        quality = {**verdict.quality, "beats": len(tensors.beats.peaks)}
        rate = tensors.beats.heart_rate_bpm
        measurements = {} if rate is None else {"heart_rate_bpm": round(rate, 1)}
        return Analysis(
            identity,
            True,
            quality=quality,
            findings=findings,
            measurements=measurements,
            statements=statements_for(findings),
        )

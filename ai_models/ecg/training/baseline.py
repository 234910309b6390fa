"""The baseline that a network must beat: logistic regression on the median beat and three rhythm numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ai_models.ecg.beats import find_beats, rhythm_features
from ai_models.ecg.signal import BEAT_RATE, MODEL_RATE, at_model_rate
from ai_models.ecg.training import data

BEFORE, AFTER = 30, 45


def features(recording: data.Recording) -> NDArray[np.float64]:
    """The median beat (12 leads, 300 ms before to 450 ms after R, 100 Hz, mV), heart rate, rhythm: (904,)."""
    beats = find_beats(recording.samples, recording.rate)
    signal = at_model_rate(recording.samples, recording.rate)
    peaks = np.rint(beats.peaks * (MODEL_RATE / BEAT_RATE)).astype(int)
    inside = [p for p in peaks if p >= BEFORE and p + AFTER <= signal.shape[1]]
    median = np.median(np.stack([signal[:, p - BEFORE : p + AFTER] for p in inside]), axis=0)
    rhythm = rhythm_features(recording.samples, recording.rate, beats)
    rate = beats.heart_rate_bpm
    return np.concatenate(
        [median.ravel(), [rate or 0.0], np.zeros(3) if rhythm is None else rhythm.astype(np.float64)]
    )


def predict(train: list[data.Recording], test: list[data.Recording]) -> NDArray[np.float64]:
    """Probabilities (n, 5) for `test` of one regression a superclass, fitted on `train`; C fixed beforehand."""
    x = np.stack([features(recording) for recording in train])
    held = np.stack([features(recording) for recording in test])
    columns = []
    for name in data.SUPERCLASSES:
        truth = np.asarray([bool((recording.labels or {})[name]) for recording in train])
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.003, max_iter=2000))
        columns.append(model.fit(x, truth).predict_proba(held)[:, 1])
    return np.stack(columns, axis=1)

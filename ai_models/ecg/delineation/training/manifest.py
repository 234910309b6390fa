"""What the delineation model's folder says of itself."""

from __future__ import annotations

from typing import Any

from ai_models.ecg.delineation.reader import MODEL
from ai_models.ecg.delineation.tensors import PREPROCESSING
from ai_models.ecg.gate import LONGEST_S, RATES_HZ, SHORTEST_S
from ai_models.ecg.signal import LEADS


def manifest(version: str, digest: str) -> dict[str, Any]:
    return {
        "name": MODEL,
        "version": version,
        "sha256": digest,
        "task": "ecg-delineation",
        "licence": "Apache-2.0",
        "precision": "fp32",
        "preprocessing": PREPROCESSING,
        "input_domain": {
            "modalities": ["ECG"],
            "leads": list(LEADS),
            "seconds": [SHORTEST_S, LONGEST_S],
            "sampling_rate_hz": list(RATES_HZ),
            "patients": "adults, resting ECG",
        },
        "inputs": [{"name": "signal", "datatype": "FP32", "shape": [-1, -1, -1]}],
        "outputs": [{"name": "probability", "datatype": "FP32", "shape": [-1, -1, 4, -1]}],
        "labels": [],
        "engine": {"typical": {"signal": [1, 12, 2528]}},
    }

"""What another precision of a model has to show before it may answer for the reference.

A rung lies in `rungs/<precision>/` of the model's folder: `evidence.json`, and `model.onnx` where the precision is
another network. The numbers are measured by `ai_models.tools.quantize` on the recordings that the evidence names.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ai_models import files, signature
from ai_models.errors import ModelRefused
from ai_models.manifest import Manifest
from ai_models.signature import PublicKey

LEAST_AGREEMENT = 0.995
LEAST_RECORDINGS = 1000
LARGEST_DIFFERENCE = 0.05
REFERENCE = "fp32"
FILE = "evidence.json"
ONNXRUNTIME, OPENVINO = "onnxruntime", "openvino"
"""What runs a rung: its own network, or the model's own weights in another arithmetic."""
ROUNDING = 2e-6
"""The tool writes six decimals."""


@dataclass(frozen=True)
class Evidence:
    """`recordings`: those that ran in this precision, without what the rung itself runs in the reference's;
    `flag_agreement`: share of (recording, label) pairs with the same flag as the reference;
    `largest_difference`: the largest |dp| of any of them."""

    folder: Path
    precision: str
    backend: str
    base_sha256: str
    sha256: str
    recordings: int
    flag_agreement: float
    largest_difference: float

    @property
    def network(self) -> Path:
        return self.folder / "model.onnx"

    def shortfall(self, manifest: Manifest) -> str | None:
        """Why this rung may not be used for `manifest`, in a few words; None where it may."""
        if self.base_sha256 != manifest.sha256:
            return "measured on other weights"
        if self.recordings < LEAST_RECORDINGS:
            return f"{self.recordings} recordings, {LEAST_RECORDINGS} needed"
        if not self.flag_agreement >= LEAST_AGREEMENT:
            return f"flag agreement {self.flag_agreement:.4f}, {LEAST_AGREEMENT} needed"
        if not self.largest_difference <= LARGEST_DIFFERENCE:
            return f"largest difference {self.largest_difference:.4f}, {LARGEST_DIFFERENCE} allowed"
        return None


def find(manifest: Manifest, signers: tuple[PublicKey, ...] = ()) -> dict[str, Evidence]:
    """Evidence by precision, sufficient or not. Raises ModelRefused: "model.bad_evidence" (file, detail), which
    contradicts itself too, "model.unreadable_file", "model.not_signed", "model.wrong_signature".
    """
    found = {}
    for folder in files.folders(manifest.folder / "rungs"):
        path = folder / FILE
        data = files.content(path)
        if data is not None:
            signature.check(path, data, signers)
            found[folder.name] = _parse(manifest, path, data)
    return found


def _parse(manifest: Manifest, path: Path, content: bytes) -> Evidence:
    try:
        data: Mapping[str, Any] = json.loads(content.decode("utf-8"))
        evidence = Evidence(
            folder=path.parent,
            precision=str(data["precision"]),
            backend=str(data["backend"]),
            base_sha256=str(data["base_sha256"]),
            sha256=str(data["sha256"]),
            recordings=_count(data["recordings"]),
            flag_agreement=_share(data["flag_agreement"]),
            largest_difference=_difference(data["largest_difference"]),
        )
        _check(evidence)
        _check_labels(manifest, evidence, data["by_label"])
    except (AttributeError, KeyError, OverflowError, RecursionError, TypeError, ValueError) as error:
        detail = f"{type(error).__name__}: {error}"
        raise ModelRefused("model.bad_evidence", file=str(path), detail=detail) from error
    return evidence


def _check(evidence: Evidence) -> None:
    if evidence.precision != evidence.folder.name:
        raise ValueError("precision is not the folder's name")
    if evidence.backend not in (ONNXRUNTIME, OPENVINO):
        raise ValueError(f"backend {evidence.backend} is not known")
    for digest in (evidence.base_sha256, evidence.sha256):
        if not re.fullmatch("[0-9a-f]{64}", digest):
            raise ValueError("sha256 must be 64 hexadecimal digits")
    if evidence.backend == OPENVINO and evidence.sha256 != evidence.base_sha256:
        raise ValueError("on openvino the model's own weights run: sha256 must be base_sha256")


def _check_labels(manifest: Manifest, evidence: Evidence, by_label: Mapping[str, Mapping[str, Any]]) -> None:
    """Every label is asked of every recording, so the whole agreement is the mean of theirs."""
    names = {label.name for label in manifest.labels}
    if not by_label or (names and names != set(by_label)):
        raise ValueError("by_label does not name the model's labels")
    agreements = [_share(row["flag_agreement"]) for row in by_label.values()]
    if abs(math.fsum(agreements) / len(agreements) - evidence.flag_agreement) > ROUNDING:
        raise ValueError("flag_agreement contradicts by_label")
    largest = max(_difference(row["largest_difference"]) for row in by_label.values())
    if abs(largest - evidence.largest_difference) > ROUNDING:
        raise ValueError("largest_difference contradicts by_label")


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{value} is no count")
    return value


def _difference(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise ValueError(f"{value} is no number from 0 on")
    return float(value)


def _share(value: object) -> float:
    share = _difference(value)
    if share > 1:
        raise ValueError(f"{value} is no share")
    return share

"""What another precision of a model has to show before it may answer for the reference.

A rung lies in `rungs/<precision>/` of the model's folder: `evidence.json`, and `model.onnx` where the precision is
another network. The numbers are measured by `ai_models.tools.quantize` on the recordings that the evidence names.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ai_models import signature
from ai_models.errors import ModelRefused
from ai_models.manifest import Manifest
from ai_models.signature import PublicKey

LEAST_AGREEMENT = 0.995
LEAST_RECORDINGS = 1000
LARGEST_DIFFERENCE = 0.05
REFERENCE = "fp32"
FILE = "evidence.json"


@dataclass(frozen=True)
class Evidence:
    """`flag_agreement`: share of (recording, label) pairs with the same flag as the reference;
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
    """Evidence by precision, sufficient or not. Raises ModelRefused("model.bad_evidence", ...)."""
    found = {}
    for path in sorted((manifest.folder / "rungs").glob(f"*/{FILE}")):
        signature.check(path, signers)
        found[path.parent.name] = _read(path)
    return found


def _read(path: Path) -> Evidence:
    try:
        data: Mapping[str, Any] = json.loads(path.read_text("utf-8"))
        evidence = Evidence(
            folder=path.parent,
            precision=str(data["precision"]),
            backend=str(data["backend"]),
            base_sha256=str(data["base_sha256"]),
            sha256=str(data["sha256"]),
            recordings=int(data["recordings"]),
            flag_agreement=float(data["flag_agreement"]),
            largest_difference=float(data["largest_difference"]),
        )
        if evidence.precision != path.parent.name or not math.isfinite(evidence.flag_agreement):
            raise ValueError("precision is not the folder's name, or a number is none")
    except (OSError, KeyError, TypeError, ValueError) as error:
        detail = f"{type(error).__name__}: {error}"
        raise ModelRefused("model.bad_evidence", file=str(path), detail=detail) from error
    return evidence

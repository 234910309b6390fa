"""The models that are shipped: one folder a version, the newest version of a name in service."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ai_models import onnx_file
from ai_models.errors import ModelRefused, UnknownModel
from ai_models.manifest import Manifest, read_manifest

PACKAGE = Path(__file__).resolve().parent


class Registry:
    """Finds `<family>/weights/<name>-<version>/manifest.json` below `root` (default: this package)."""

    def __init__(self, root: Path = PACKAGE) -> None:
        newest: dict[str, Manifest] = {}
        for path in sorted(root.glob("*/weights/*/manifest.json")):
            manifest = read_manifest(path.parent)
            known = newest.get(manifest.name)
            if known is None or manifest.release > known.release:
                newest[manifest.name] = manifest
        self._models = newest

    def models(self) -> tuple[Manifest, ...]:
        """The models in service, by name. Reads no weights; `read_weights` verifies them."""
        return tuple(self._models[name] for name in sorted(self._models))

    def get(self, name: str) -> Manifest:
        """The model in service under `name`. Raises UnknownModel."""
        try:
            return self._models[name]
        except KeyError:
            known = ", ".join(sorted(self._models)) or "-"
            raise UnknownModel("model.unknown", name=name, known=known) from None

    def for_modality(self, modality: str) -> tuple[Manifest, ...]:
        """Models whose input domain names the DICOM modality ("ECG", "DX", ...); none is a fair answer."""
        return tuple(manifest for manifest in self.models() if modality in manifest.modalities)


def read_weights(manifest: Manifest) -> bytes:
    """The bytes of the model, read once and verified: what is returned is what was hashed.

    Raises ModelRefused: "model.unreadable_file", "model.wrong_digest" (file, expected, found),
    "model.external_data", "model.custom_operator", "model.not_onnx".
    """
    try:
        data = manifest.weights.read_bytes()
    except OSError as error:
        detail = error.strerror or str(error)
        raise ModelRefused("model.unreadable_file", file=str(manifest.weights), detail=detail) from error
    found = hashlib.sha256(data).hexdigest()
    if found != manifest.sha256:
        raise ModelRefused(
            "model.wrong_digest", file=str(manifest.weights), expected=manifest.sha256, found=found
        )
    onnx_file.check(data)
    return data

"""The models that are shipped: one folder a version, the newest version of a name in service."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from ai_models import onnx_file, signature
from ai_models.errors import ModelRefused, UnknownModel
from ai_models.manifest import Manifest, read_manifest
from ai_models.signature import PublicKey

PACKAGE = Path(__file__).resolve().parent


class Registry:
    """Finds `<family>/weights/<name>-<version>/manifest.json` below `root` (default: this package).

    `signers`: Ed25519 public keys; where there are any, a folder whose manifest none of them signed is refused.
    """

    def __init__(self, root: Path = PACKAGE, signers: Sequence[PublicKey] = ()) -> None:
        self.root, self.signers = root, tuple(signers)
        found: dict[str, list[Manifest]] = {}
        for path in sorted(root.glob("*/weights/*/manifest.json")):
            signature.check(path, self.signers)
            manifest = read_manifest(path.parent)
            found.setdefault(manifest.name, []).append(manifest)
        self._models = {
            name: tuple(sorted(found[name], key=lambda manifest: manifest.release, reverse=True))
            for name in sorted(found)
        }

    def models(self) -> tuple[Manifest, ...]:
        """The newest version of each model, by name. Reads no weights; `read_weights` verifies them."""
        return tuple(versions[0] for versions in self._models.values())

    def versions(self, name: str) -> tuple[Manifest, ...]:
        """All versions of a model, the newest first. Raises UnknownModel."""
        try:
            return self._models[name]
        except KeyError:
            known = ", ".join(self._models) or "-"
            raise UnknownModel("model.unknown", name=name, known=known) from None

    def get(self, name: str, version: str | None = None) -> Manifest:
        """A version of a model, the newest by default. Raises UnknownModel."""
        versions = self.versions(name)
        if version is None:
            return versions[0]
        for manifest in versions:
            if manifest.version == version:
                return manifest
        known = ", ".join(manifest.version for manifest in versions)
        raise UnknownModel("model.unknown_version", name=name, known=known)

    def for_modality(self, modality: str) -> tuple[Manifest, ...]:
        """Newest versions whose input domain names the DICOM modality ("ECG", "DX", ...); none is a fair answer."""
        return tuple(manifest for manifest in self.models() if modality in manifest.modalities)


def read_weights(manifest: Manifest) -> bytes:
    """The bytes of the model, read once and verified: what is returned is what was hashed.

    Raises ModelRefused: "model.unreadable_file", "model.wrong_digest" (file, expected, found),
    "model.external_data", "model.custom_operator", "model.not_onnx".
    """
    return read_network(manifest.weights, manifest.sha256)


def read_network(path: Path, sha256: str) -> bytes:
    """The bytes of an ONNX file that must have the digest `sha256`. Raises as `read_weights`."""
    try:
        data = path.read_bytes()
    except OSError as error:
        detail = error.strerror or str(error)
        raise ModelRefused("model.unreadable_file", file=str(path), detail=detail) from error
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise ModelRefused("model.wrong_digest", file=str(path), expected=sha256, found=found)
    onnx_file.check(data)
    return data

"""The models that are shipped: one folder a version, the newest version of a name in service."""

from __future__ import annotations

import errno
import hashlib
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ai_models import files, onnx_file, signature
from ai_models.errors import ModelRefused, UnknownModel
from ai_models.manifest import FILE, Manifest, parse_manifest
from ai_models.signature import PublicKey

log = logging.getLogger(__name__)

PACKAGE = Path(__file__).resolve().parent


class Registry:
    """Finds `<family>/weights/<name>-<version>/manifest.json` below `root` (default: this package).

    `signers`: Ed25519 public keys; where there are any, a folder whose manifest none of them signed is refused.
    Raises ModelRefused: "model.none_installed", "model.installed_twice", "model.unreadable_file",
    "model.bad_manifest", "model.not_signed", "model.wrong_signature".
    """

    def __init__(self, root: Path = PACKAGE, signers: Sequence[PublicKey] = ()) -> None:
        self.root, self.signers = root, tuple(signers)
        found: dict[str, list[Manifest]] = {}
        for manifest in self._manifests():
            found.setdefault(manifest.name, []).append(manifest)
        if not found:
            raise ModelRefused("model.none_installed", folder=str(root))
        _demand_one_folder_each(found)
        self._models = {
            name: tuple(sorted(found[name], key=lambda manifest: manifest.release, reverse=True))
            for name in sorted(found)
        }

    def _manifests(self) -> Iterator[Manifest]:
        for family in files.folders(self.root):
            for folder in files.folders(family / "weights"):
                path = folder / FILE
                data = files.content(path)
                if data is None:
                    # A version that is being copied to its place has none yet.
                    log.warning("%s has no %s and is no model", folder, FILE)
                    continue
                signature.check(path, data, self.signers)
                yield parse_manifest(folder, data)

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


def _demand_one_folder_each(found: Mapping[str, Sequence[Manifest]]) -> None:
    """Which of two folders would answer under one name and version nobody could tell."""
    folders: dict[tuple[str, tuple[int, ...]], Path] = {}
    for manifest in (manifest for versions in found.values() for manifest in versions):
        first = folders.setdefault((manifest.name, manifest.release), manifest.folder)
        if first != manifest.folder:
            raise ModelRefused(
                "model.installed_twice", name=manifest.name, version=manifest.version,
                first=str(first), second=str(manifest.folder),
            )  # fmt: skip


def read_weights(manifest: Manifest) -> bytes:
    """The bytes of the model, read once and verified: what is returned is what was hashed.

    Raises ModelRefused: "model.unreadable_file", "model.wrong_digest" (file, expected, found),
    "model.external_data", "model.custom_operator", "model.not_onnx".
    """
    return read_network(manifest.weights, manifest.sha256)


def read_network(path: Path, sha256: str) -> bytes:
    """The bytes of an ONNX file that must have the digest `sha256`. Raises as `read_weights`."""
    data = files.content(path)
    if data is None:
        raise ModelRefused("model.unreadable_file", file=str(path), detail=os.strerror(errno.ENOENT))
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise ModelRefused("model.wrong_digest", file=str(path), expected=sha256, found=found)
    onnx_file.check(data)
    return data

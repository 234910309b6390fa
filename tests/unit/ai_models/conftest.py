from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ai_models.ecg.reader import MODEL, EcgReader
from ai_models.engine import Engine
from ai_models.manifest import Manifest
from ai_models.registry import Registry


@pytest.fixture(scope="session")
def engine() -> Engine:
    engine = Engine()
    engine.warm()
    return engine


@pytest.fixture(scope="session")
def reader(engine: Engine) -> EcgReader:
    return EcgReader(engine)


@pytest.fixture(scope="session")
def manifest() -> Manifest:
    return Registry().get(MODEL)


@pytest.fixture
def copied(tmp_path: Path, manifest: Manifest) -> Callable[[], Path]:
    """Copies the shipped version into a registry of its own, to be spoiled there; returns its folder."""

    def copy() -> Path:
        folder = tmp_path / "ecg" / "weights" / manifest.folder.name
        shutil.copytree(manifest.folder, folder)
        return folder

    return copy

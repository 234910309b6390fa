"""What was asked for and is not to be had is an error when a service starts, and it says what that was."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import onnxruntime
import pytest

from ai_models.session import CUDA


@pytest.mark.skipif(CUDA in onnxruntime.get_available_providers(), reason="this runtime can use a GPU")
@pytest.mark.parametrize("command", [("telemed.cli.part", "inference"), ("workers",)])
def test_a_service_without_its_provider_does_not_start(command: tuple[str, ...], tmp_path: Path) -> None:
    assert CUDA in refused(command, tmp_path, TELEMED_INFERENCE_PROVIDER="cuda")


def test_a_worker_without_the_precision_asked_for_does_not_start(tmp_path: Path) -> None:
    told = refused(("telemed.cli.part", "worker"), tmp_path, TELEMED_INFERENCE_PRECISION="int8")
    assert "chest-pneumonia-child" in told
    assert "auto,ecg-superclass=int8" in told


def refused(command: tuple[str, ...], folder: Path, **settings: str) -> str:
    """What a part says that does not start."""
    done = subprocess.run(
        [sys.executable, "-m", *command],
        env={**os.environ, "TELEMED_DATA_DIR": str(folder), **settings},
        capture_output=True,
        timeout=120,
        check=False,
    )
    told = done.stderr.decode()
    assert done.returncode == 1, told
    assert "Traceback" not in told
    return told

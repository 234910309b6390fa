"""A processor that was asked for and is not there is an error when a service starts, and it says which."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import onnxruntime
import pytest

from ai_models.session import CUDA


@pytest.mark.skipif(CUDA in onnxruntime.get_available_providers(), reason="this runtime can use a GPU")
@pytest.mark.parametrize("part", ["inference", "worker"])
def test_a_service_without_its_provider_does_not_start(part: str, tmp_path: Path) -> None:
    environment = {**os.environ, "TELEMED_DATA_DIR": str(tmp_path), "TELEMED_INFERENCE_PROVIDER": "cuda"}
    done = subprocess.run(
        [sys.executable, "-m", "telemed.cli.part", part],
        env=environment,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert CUDA in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()

"""A client that others wrote, unmodified, finds all it needs: metadata, binary and JSON tensors, clear errors."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from ai_models.ecg.reader import MODEL
from ai_models.engine import Engine
from ai_models.server import serving
from tests.unit.ai_models.test_service import inputs


def test_an_unmodified_client_gets_the_answers_of_the_engine(engine: Engine, tmp_path: Path) -> None:
    source, target = tmp_path / "in.npz", tmp_path / "out.npy"
    np.savez(source, **inputs())
    program = Path(__file__).with_name("triton_client.py")
    with serving(engine) as address:
        command = [
            sys.executable,
            str(program),
            address.removeprefix("http://"),
            MODEL,
            str(source),
            str(target),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    learnt = json.loads(done.stdout)
    assert np.load(target).tobytes() == engine.run(MODEL, inputs())["probability"].tobytes()
    assert learnt["live"] and learnt["ready"] and learnt["model_ready"]
    assert "binary_tensor_data" in learnt["extensions"]
    assert learnt["inputs"][0] == {"name": "windows", "datatype": "FP32", "shape": [-1, -1, 12, 300]}
    assert {"name": MODEL, "version": engine.identity(MODEL).version, "state": "READY"} in learnt["index"]
    assert learnt["id"] == "7"
    assert learnt["json_is_the_same"] and learnt["eight_at_once_are_the_same"]
    assert "windows" in learnt["refused"] and "tensor." in learnt["refused"]

"""Other servers for the same network, each in an environment of its own and at its best known setting."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1] / "build" / "bench-peers"
PACKAGES = {
    "mosec": ("mosec", "onnxruntime", "numpy"),
    "fastapi": ("fastapi", "uvicorn[standard]", "onnxruntime", "numpy"),
}

# Raw float32 in, raw float32 out: less than our own protocol asks of itself.
_RUN = """
import os, numpy as np, onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(os.environ["MODEL"], options, providers=["CPUExecutionProvider"])
def run(raw):
    x = np.frombuffer(raw, dtype="<f4").reshape(1, 12, 5000)
    return session.run(["probability"], {"x": x})[0].tobytes()
"""
PROGRAMS = {
    "mosec": """
import os
from mosec import Server, Worker
class Network(Worker):
    def __init__(self):
        super().__init__()
        import network
        self.run_network = network.run
    def deserialize(self, data): return data
    def serialize(self, data): return data
    def forward(self, data): return self.run_network(data)
if __name__ == "__main__":
    server = Server()
    server.append_worker(Network, num=int(os.environ["CORES"]))
    server.run()
""",
    "fastapi": """
from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool
import network
app = FastAPI()
@app.post("/inference")
async def inference(request: Request):
    body = await request.body()
    return Response(await run_in_threadpool(network.run, body), media_type="application/octet-stream")
""",
}


BESIDE = {"openvino": ("openvino", "openvino-telemetry")}
"""Runtimes that are no peer but another backend of ours: laid into a folder that a process is given on its path."""


class NoPeer(Exception):
    """A peer that cannot be installed or started here; says why."""


def environment(name: str, root: Path, install: bool) -> Path:
    """The peer's interpreter below `root`, installed at the first use if `install`. Raises NoPeer."""
    folder = root / name
    python = folder / "bin" / "python"
    if not (folder / "installed").exists():
        if not install:
            raise NoPeer(f"{name} is not installed yet; a full run installs it")
        try:
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, capture_output=True)
            command = [
                str(python),
                "-m",
                "pip",
                "install",
                "--quiet",
                "--only-binary",
                ":all:",
                *PACKAGES[name],
            ]
            subprocess.run(command, check=True, capture_output=True, timeout=300)
        except (subprocess.SubprocessError, OSError) as error:
            raise NoPeer(f"{name} could not be installed ({type(error).__name__})") from error
        (folder / "installed").touch()
    return python


def beside(name: str, *, install: bool) -> Path:
    """A folder with the packages of `BESIDE`, for PYTHONPATH of this interpreter. Raises NoPeer."""
    folder = ROOT / name
    if not (folder / "installed").exists():
        if not install:
            raise NoPeer(f"{name} is not installed yet; a full run installs it")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--only-binary", ":all:", "--no-deps"]
        try:
            command += ["--upgrade", "--target", str(folder), *BESIDE[name]]
            subprocess.run(command, check=True, capture_output=True, timeout=300)
        except (subprocess.SubprocessError, OSError) as error:
            raise NoPeer(f"{name} could not be installed ({type(error).__name__})") from error
        (folder / "installed").touch()
    return folder


@contextlib.contextmanager
def serving(name: str, model: Path, cores: int, *, install: bool) -> Iterator[int]:
    """A running peer; gives its port. Raises NoPeer."""
    python = environment(name, ROOT, install)
    work = ROOT / f"{name}-work"
    work.mkdir(exist_ok=True)
    (work / "network.py").write_text(_RUN)
    (work / "server.py").write_text(PROGRAMS[name])
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [str(python), "server.py", "--port", str(port), "--address", "127.0.0.1", "--timeout", "60000"]
    if name == "fastapi":
        command = [str(python), "-m", "uvicorn", "server:app", "--port", str(port), "--log-level", "error"]
    env = {"PATH": os.environ["PATH"], "MODEL": str(model), "CORES": str(cores)}
    # A session of its own, so that workers which outlive their parent are found and ended too.
    process = subprocess.Popen(
        command,
        cwd=work,
        env=env,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(port, process, name)
        yield port
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def _wait(port: int, process: subprocess.Popen[bytes], name: str) -> None:
    until = time.monotonic() + 40
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise NoPeer(f"{name} did not start")

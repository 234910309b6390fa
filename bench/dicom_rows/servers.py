"""The two receivers under test, each as the processes that would run in the field, and what they cost."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from telemed.bootstrap import build
from telemed.drill.house import DEVICE, provision
from telemed.group import free_ports
from telemed.settings import Settings

CALLING = DEVICE
# Of its core: whoever uses more is measured itself, and the row is not met.
BOUND = 0.8
OURS_SYNCS = "one fsync of the file, one of its folder, one of the commit (shared by those who wait)"
# As the house comes; DICOM_PROCESSES is the setting.
PROCESSES = 1
ORTHANC_SYNCS = "one fdatasync of the file; folder and index are not synced"


class NoPeer(Exception):
    """A program that is not installed here; says which."""


@dataclass(frozen=True)
class Server:
    name: str
    pid: int
    port: int
    called: str
    folder: Path
    tls_port: int = 0
    settings: Settings | None = None

    def memory_mb(self) -> float:
        """Proportional set size of the process and its children: shared pages are counted once."""
        return sum(_pss_kb(pid) for pid in _tree(self.pid)) / 1024

    def cpu_seconds(self) -> float:
        return sum(cpu_seconds(pid) for pid in _tree(self.pid))


@cache
def _folders() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="telemed-bench-")


def fresh_folder() -> Path:
    """For one server; kept until the whole run ends.

    A file system without a journal steps over each file deleted in the last minutes whenever one is made (ext4,
    `recently_deleted`), and tells the disk of freed blocks: no server shall pay for what another's round left.
    """
    return Path(tempfile.mkdtemp(dir=_folders().name))


@contextlib.contextmanager
def node(*, tls: tuple[Path, Path] | None = None, processes: int = PROCESSES) -> Iterator[Server]:
    """Our DICOM node alone: bytes safe in the spool and rows in the database when it answers."""
    folder = fresh_folder()
    port, tls_port = free_ports(2)
    settings = replace(
        Settings(demo=True),
        data_dir=folder / "var",
        dicom_port=port,
        dicom_tls_port=tls_port,
        dicom_tls_certificate=str(tls[0]) if tls else "",
        dicom_tls_key=str(tls[1]) if tls else "",
        dicom_processes=processes,
    ).complete()
    application = build(settings, sessions_here=False)
    provision(application.world)
    application.close()
    command = [sys.executable, "-m", "telemed.cli.part", "dicom"]
    with _running(command, {**os.environ, **settings.environment()}, port) as pid:
        yield Server("ours", pid, port, settings.ae_title, folder, tls_port, settings)


@contextlib.contextmanager
def orthanc(*, tls: tuple[Path, Path] | None = None, kept: Path | None = None) -> Iterator[Server]:
    """`tls`: its one port speaks that instead. `kept`: the folder of an archive that outlives this run."""
    program = shutil.which("Orthanc")
    if program is None:
        raise NoPeer("Orthanc is not installed")
    folder = fresh_folder()
    (port,) = free_ports(1)
    archive = kept or folder
    configuration = folder / "orthanc.json"
    configuration.write_text(
        json.dumps(
            {
                "Name": "bench",
                "StorageDirectory": f"{archive}/storage",
                "IndexDirectory": f"{archive}/index",
                "DicomPort": port,
                "DicomAet": "ORTHANC",
                "DicomCheckCalledAet": False,
                "DicomAlwaysAllowStore": True,
                "DicomAlwaysAllowEcho": True,
                "DicomAlwaysAllowFind": True,
                "HttpServerEnabled": False,
                "StorageCompression": False,
                **(_orthanc_tls(*tls) if tls else {}),
            }
        ),
        "utf-8",
    )
    environment = {**os.environ, "TCP_NODELAY": "1"}
    command = [program, str(configuration)]
    with _running(command, environment, port, gently=kept is not None) as pid:
        yield Server("Orthanc", pid, port, "ORTHANC", folder, tls_port=port if tls else 0)


def _orthanc_tls(certificate: Path, key: Path) -> dict[str, object]:
    return {
        "DicomTlsEnabled": True,
        "DicomTlsCertificate": str(certificate),
        "DicomTlsPrivateKey": str(key),
        "DicomTlsTrustedCertificates": str(certificate),
        # As our node without an authority: the peer need not prove itself.
        "DicomTlsRemoteCertificateRequired": False,
    }


def orthanc_version() -> str:
    found = subprocess.run(["Orthanc", "--version"], capture_output=True, text=True, check=False)
    return " ".join(found.stdout.split()[:2])


def cpu_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def _running(
    command: list[str], environment: dict[str, str], port: int, *, gently: bool = False
) -> Iterator[int]:
    """`gently`: what it keeps is needed afterwards, so that it may end by itself."""
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        _wait(port, process)
        yield process.pid
    finally:
        if gently:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(60)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 40
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise NoPeer("a server did not start")


def _tree(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(found for child in children for found in _tree(int(child)))]


def _pss_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)

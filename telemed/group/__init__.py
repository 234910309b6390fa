"""One process group: starts the parts, starts a fallen one again, stops them all together."""

import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from types import FrameType

from telemed.settings import Settings

log = logging.getLogger("telemed.group")
IN_GROUP = "TELEMED_IN_GROUP"
_STOP_SECONDS = 15
_CALM_SECONDS = 30
# So many falls in a row, each soon after a start, are no accident: the fault is in the settings or the machine.
_FALLS = 3


class ProcessGroup:
    def __init__(self, settings: Settings, parts: Sequence[str]) -> None:
        self.settings = settings
        self._parts = list(parts)
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._started: dict[str, float] = {}
        self._falls: dict[str, int] = {}
        self._stopping = threading.Event()

    def start(self) -> None:
        for part in self._parts:
            self._start(part)

    def _start(self, part: str) -> None:
        environment = {**os.environ, **self.settings.environment(), IN_GROUP: str(os.getpid())}
        # A session of its own: Ctrl-C reaches this process alone, which then stops the parts in order.
        self._running[part] = subprocess.Popen(
            [sys.executable, "-m", "telemed.cli.part", part],
            env=environment,
            start_new_session=True,
        )
        self._started[part] = time.monotonic()

    def restart(self, part: str) -> None:
        """For a part that has ended: at once, however soon after its start that was."""
        self._running[part].wait()
        self._start(part)

    def pid(self, part: str) -> int:
        return self._running[part].pid

    def wait_ready(self, seconds: float = 60) -> bool:
        """True once pages and the DICOM door answer."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self._stopping.is_set():
            if self._answers():
                return True
            if any(p.poll() not in (None, 0) for p in self._running.values()):
                return False
            time.sleep(0.1)
        return False

    def _answers(self) -> bool:
        if "dicom" in self._running and not _listens(self.settings.dicom_host, self.settings.dicom_port):
            return False
        if "web" not in self._running:
            return True
        url = f"http://{self.settings.http_host}:{self.settings.http_port}/readyz"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def run(self) -> int:
        """Until a signal, or until a part fails again and again; returns the exit status."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        self.start()
        status = self.watch()
        self.stop()
        return status

    def watch(self) -> int:
        while not self._stopping.wait(0.5):
            for part, process in list(self._running.items()):
                if process.poll() is None:
                    continue
                soon = time.monotonic() - self._started[part] < _CALM_SECONDS
                self._falls[part] = self._falls.get(part, 0) + 1 if soon else 1
                if self._falls[part] >= _FALLS:
                    log.error(
                        "%s stopped %s times soon after its start, last with status %s: giving up",
                        part,
                        self._falls[part],
                        process.returncode,
                    )
                    return 1
                log.error("%s stopped with status %s: starting it again", part, process.returncode)
                self._start(part)
        return 0

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping.set()

    def stop(self) -> None:
        self._stopping.set()
        for process in self._running.values():
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + _STOP_SECONDS
        for process in self._running.values():
            try:
                process.wait(max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                # With the processes of its own that it is made of: each part leads a session.
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _listens(host: str, port: int) -> bool:
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


def free_ports(count: int) -> list[int]:
    """Free loopback ports, all different."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]

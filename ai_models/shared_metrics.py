"""The counters of the engines in other processes of the same machine, by a file that each writes again and again."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from ai_models.metrics import joined

log = logging.getLogger(__name__)

EVERY_S = 5.0
STALE_S = 30.0
"""Older than this, whoever wrote it is gone, and its numbers with it."""


def published(folder: Path, now: Callable[[], float] = time.time) -> bytes:
    """What the processes that write into `folder` counted lately, as of one; empty where there is nothing fresh."""
    pages = [page for path in sorted(folder.glob("*.prom")) if (page := _fresh(path, now()))]
    return pages[0] if len(pages) == 1 else joined(pages)


def _fresh(path: Path, now: float) -> bytes:
    try:
        return path.read_bytes() if now - path.stat().st_mtime < STALE_S else b""
    except OSError:
        return b""


class Publisher:
    """Writes `text()` to `path` every few seconds, whole or not at all, until it is closed."""

    def __init__(self, path: Path, text: Callable[[], bytes], every: float = EVERY_S) -> None:
        self._path, self._text, self._every = path, text, every
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="engine-metrics", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """The file goes with the process that it is about."""
        self._stopping.set()
        self._thread.join(10)
        if self._path.exists():
            self._path.unlink()

    def write(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        fresh.write_bytes(self._text())
        fresh.replace(self._path)

    def _run(self) -> None:
        while True:
            try:
                self.write()
            except OSError as error:
                log.warning(
                    "the engine's metrics were not written: %s", error.strerror or type(error).__name__
                )
            if self._stopping.wait(self._every):
                return

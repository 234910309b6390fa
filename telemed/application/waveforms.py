"""Recordings between two that read them: completing a study looks at their quality, the machine then at their beats.

Reading the bytes and judging them takes a sixth of what the machine's own networks take. What is kept is given away
once and then read anew: nobody answers from an old copy, and a process that never infers holds little.
"""

import threading

from telemed.imaging.waveform import Waveform

MOST_BYTES = 1 << 24
"""Some seventy recordings of ten seconds: as many as arrive while the first of them is read."""


class Waveforms:
    """By the digest of the file they were read from; the oldest go where there are too many. Safe for threads."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most, self._bytes = most_bytes, 0
        self._kept: dict[str, Waveform] = {}
        self._lock = threading.Lock()

    def keep(self, file_sha256: str, waveform: Waveform) -> None:
        with self._lock:
            self._drop(file_sha256)
            self._kept[file_sha256] = waveform
            self._bytes += waveform.samples.nbytes
            while self._bytes > self._most:
                self._drop(next(iter(self._kept)))

    def take(self, file_sha256: str) -> Waveform | None:
        with self._lock:
            return self._drop(file_sha256)

    def _drop(self, file_sha256: str) -> Waveform | None:
        waveform = self._kept.pop(file_sha256, None)
        if waveform is not None:
            self._bytes -= waveform.samples.nbytes
        return waveform

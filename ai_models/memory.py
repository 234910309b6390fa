"""What glibc's allocator is told, so that a service of a few models stays a small one.

By default every thread that loads a model may get a heap of its own, up to eight a core, and what loading needed for
a moment stays with the process: a third of the service's memory. Elsewhere than on glibc nothing happens.
"""

from __future__ import annotations

import ctypes
import platform
from functools import cache
from typing import Any

_M_ARENA_MAX = -8
HEAPS = 2
"""Runs allocate little once a session is warm: the runtime keeps what it needs from run to run."""


def few_heaps() -> None:
    """At most `HEAPS` for all threads. To be called before threads allocate."""
    if (library := _glibc()) is not None:
        library.mallopt(_M_ARENA_MAX, HEAPS)


def give_back() -> None:
    """Return to the system what is free: after loading, which needs more than running."""
    if (library := _glibc()) is not None:
        library.malloc_trim(0)


@cache
def _glibc() -> Any:
    return ctypes.CDLL(None) if platform.libc_ver()[0] == "glibc" else None

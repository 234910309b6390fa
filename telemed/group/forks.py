"""A part of several processes that do the same: Python runs in one of them on one core only.

They are forked from one that has loaded everything and opened nothing, so that its memory is shared. All of them end
together: half a part is a fault that somebody must see.
"""

import contextlib
import ctypes
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable

from telemed.application.faults import trace_of

log = logging.getLogger(__name__)

_PR_SET_PDEATHSIG = 1


def run(count: int, one: Callable[[int], int]) -> int:
    """Runs `one` in `count` children until a signal comes or one of them ends; its status, 0 after a signal.

    Each is told its number, from 0 on.
    """
    # What is loaded stays shared: the collector would touch, and so copy, every page of it.
    gc.freeze()
    parent = os.getpid()
    children = {_child(one, number, parent) for number in range(count)}
    told = False

    def end(*_: object) -> None:
        nonlocal told
        told = True
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGTERM)

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, end)
    status = 0
    while children:
        ended, raw = os.wait()
        children.discard(ended)
        if not told:
            status = os.waitstatus_to_exitcode(raw) or 1
            end()
    return abs(status)


def _child(one: Callable[[int], int], number: int, parent: int) -> int:
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        if sys.platform == "linux":
            # It must not outlive the parent, however that went.
            ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() == parent:
            status = one(number)
    except Exception as fault:  # noqa: BLE001 it ends here, and must have been seen
        log.error("process %s of this part fell:\n%s", number, trace_of(fault))
    finally:
        sys.stderr.flush()
        os._exit(status)

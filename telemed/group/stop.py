"""The word to stop, as a signal gives it."""

import signal
from queue import Empty, SimpleQueue


class Stop:
    """Not an Event: its lock would be waited for for ever by a signal that comes while `set` or `wait` holds it."""

    def __init__(self) -> None:
        self._told = SimpleQueue[None]()
        self._set = False

    def set(self) -> None:
        self._set = True
        self._told.put(None)

    def wait(self, timeout: float | None = None) -> bool:
        """Whether it was told, after `timeout` seconds at most."""
        if not self._set:
            try:
                self._told.get(timeout=timeout)
            except Empty:
                return self._set
            # For whoever else waits.
            self._told.put(None)
        return True


def stop_on_signals() -> Stop:
    """Told by SIGTERM and SIGINT, the second time as the first."""
    stop = Stop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop

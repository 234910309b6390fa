"""A bad line: passes bytes on to a port of this machine until so many have gone by, and is then simply gone."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

_PIECE = 4096
# Close without a farewell: the other side hears a reset, or nothing, as when a cable is pulled.
_ABRUPT = struct.pack("ii", 1, 0)


class BadLine:
    """One connection at a time; `port` is where the sender calls. `passed` counts what went towards the node."""

    def __init__(self, port: int, cut_after: int, before_cut: Callable[[], None]) -> None:
        self._target, self._cut_after, self._before_cut = port, cut_after, before_cut
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.port = int(self._listener.getsockname()[1])
        self.passed = 0
        self.was_cut = False

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        caller, _ = self._listener.accept()
        with caller, socket.create_connection(("127.0.0.1", self._target)) as node:
            back = threading.Thread(target=_copy, args=(node, caller), daemon=True)
            back.start()
            while self.passed < self._cut_after:
                data = caller.recv(min(_PIECE, self._cut_after - self.passed))
                if not data:
                    return
                node.sendall(data)
                self.passed += len(data)
            self._before_cut()
            self.was_cut = True
            for end in (node, caller):
                # Wakes the way back without a word to the other side; a socket somebody reads from stays open.
                end.shutdown(socket.SHUT_RD)
            back.join()
            for end in (node, caller):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABRUPT)


def _copy(source: socket.socket, target: socket.socket) -> None:
    # Its sockets are taken away under its hands: that is the point of the line.
    with contextlib.suppress(OSError):
        while data := source.recv(_PIECE):
            target.sendall(data)

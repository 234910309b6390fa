"""The engine as a service: Open Inference Protocol v2 over HTTP.

It has no sign-in of its own and therefore binds to loopback.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

from ai_models import memory, reception
from ai_models.engine import Engine
from ai_models.http import Connection
from ai_models.reception import Budget
from ai_models.service import Service
from telemed.domain.errors import Unavailable

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
GRACE_S = 3.0
BACKLOG = 512


async def run(service: Service, listener: socket.socket, stop: asyncio.Event) -> None:
    """Answer on `listener` until `stop`; then no new connection, and what runs has `GRACE_S` to be answered."""
    loop = asyncio.get_running_loop()
    open_ones: set[Connection] = set()
    budget = Budget(reception.LARGEST_TOGETHER)
    server = await loop.create_server(
        lambda: Connection(service.answer, open_ones, budget), sock=listener, backlog=BACKLOG
    )
    try:
        await stop.wait()
    finally:
        server.close()
        until = loop.time() + GRACE_S
        while any(one.busy for one in open_ones) and loop.time() < until:
            await asyncio.sleep(0.01)
        for one in tuple(open_ones):
            one.close()
        await asyncio.sleep(0)


def serve(engine: Engine, port: int, host: str = HOST) -> None:
    """Serve until SIGTERM or SIGINT; every model is loaded and verified first. SIGHUP looks for new versions.

    Raises ModelRefused before anything is answered, and Unavailable("inference.cannot_listen") where the port is
    taken or is none.
    """
    # Known before the models are loaded, which takes seconds; and nobody is let in before they are.
    listening(host, port).close()
    memory.few_heaps()
    engine.warm()
    asyncio.run(_serve(Service(engine), listening(host, port)))
    engine.close()


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens on `port`. Raises Unavailable("inference.cannot_listen"; host, port, detail)."""
    try:
        return socket.create_server((host, port), backlog=BACKLOG)
    except (OSError, OverflowError) as error:
        detail = getattr(error, "strerror", None) or str(error).rstrip(".")
        raise Unavailable("inference.cannot_listen", host=host, port=port, detail=detail) from error


async def _serve(service: Service, listener: socket.socket) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    def reload() -> None:
        def told(future: Future[Any]) -> None:
            if error := future.exception():
                log.error("no new version is in service: %s", error)

        service.loads.run(service.reload).add_done_callback(told)

    if hasattr(signal, "SIGHUP"):
        loop.add_signal_handler(signal.SIGHUP, reload)
    try:
        await run(service, listener, stop)
    finally:
        service.close()


@contextlib.contextmanager
def serving(engine: Engine, host: str = HOST) -> Iterator[str]:
    """A service on a free port in a thread of this process, for tests and measurements; gives its address."""
    listener = listening(host, 0)
    started = threading.Event()
    held: dict[str, Any] = {}

    async def main() -> None:
        held["loop"], held["stop"] = asyncio.get_running_loop(), asyncio.Event()
        started.set()
        await run(service, listener, held["stop"])

    service = Service(engine)
    thread = threading.Thread(target=lambda: asyncio.run(main()), name="inference-http", daemon=True)
    thread.start()
    started.wait()
    try:
        yield f"http://{host}:{listener.getsockname()[1]}"
    finally:
        held["loop"].call_soon_threadsafe(held["stop"].set)
        thread.join(GRACE_S + 10)
        service.close()
        listener.close()

"""The HTTP server of this process."""

import socket

import uvicorn
from fastapi import FastAPI

from telemed.bootstrap import collect_seldom
from telemed.web.live.hub import Hub

# For answers that are being written when the server is told to stop.
GRACE_SECONDS = 3


class Server(uvicorn.Server):
    """Ends the live lists first: a line that has no end would keep the server from stopping."""

    def __init__(self, app: FastAPI, host: str, port: int) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                log_level="warning",
                timeout_graceful_shutdown=GRACE_SECONDS,
                server_header=False,
                # The product's own pages need none; one protocol less to look after.
                ws="none",
            )
        )
        self._hub: Hub = app.state.hub

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._hub.close()
        await super().shutdown(sockets)


def run(app: FastAPI, host: str, port: int) -> None:
    """Serves until it is told to stop (SIGTERM, Ctrl-C)."""
    server = Server(app, host, port)
    collect_seldom()
    server.run()

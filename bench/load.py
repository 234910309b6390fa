"""`python -m bench.load PORT CALLERS SECONDS < request`: the same request again and again, one at a time a caller.

A process of its own with the least client there is, the same for every server. Prints how many were answered in the
span, the seconds, and the latencies' p50 and p99 in milliseconds; any answer but 200 ends it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time


class Caller(asyncio.Protocol):
    def __init__(self, request: bytes, latencies: list[float], broken: asyncio.Future[None]) -> None:
        self.request, self.latencies, self.broken = request, latencies, broken
        self.buffer = b""
        self.sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.send()

    def send(self) -> None:
        self.sent = time.perf_counter()
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, blank, body = self.buffer.partition(b"\r\n\r\n")
        if not blank:
            return
        lowered = head.lower()
        if not head.split(b" ", 2)[1].startswith(b"200") and not self.broken.done():
            self.broken.set_exception(RuntimeError(self.buffer[:300].decode("latin-1")))
            return
        at = lowered.find(b"content-length:")
        length = int(lowered[at + 15 :].split(b"\r\n", 1)[0])
        if len(body) >= length:
            self.latencies.append(time.perf_counter() - self.sent)
            self.buffer = b""
            self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.broken.done():
            self.broken.set_exception(exc or ConnectionError("the server closed the connection"))


async def main(port: int, callers: int, seconds: float, request: bytes) -> dict[str, float]:
    loop = asyncio.get_running_loop()
    broken: asyncio.Future[None] = loop.create_future()
    latencies: list[float] = []
    for _ in range(callers):
        await loop.create_connection(lambda: Caller(request, latencies, broken), "127.0.0.1", port)
    await asyncio.wait({broken}, timeout=min(0.3, seconds / 4))
    latencies.clear()
    started = time.perf_counter()
    await asyncio.wait({broken}, timeout=seconds)
    if broken.done():
        broken.result()
    spent, found = time.perf_counter() - started, sorted(latencies)
    broken.cancel()
    if not found:
        return {"answered": 0, "seconds": spent, "p50_ms": 0.0, "p99_ms": 0.0}
    return {
        "answered": len(found),
        "seconds": spent,
        "p50_ms": 1e3 * found[len(found) // 2],
        "p99_ms": 1e3 * found[min(int(0.99 * len(found)), len(found) - 1)],
    }


if __name__ == "__main__":
    numbers = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    print(json.dumps(asyncio.run(main(*numbers, sys.stdin.buffer.read()))))

"""Many readers on the live line, in one loop: when each of them was told of each new case."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass

_OPENING, _CLOSING = 30.0, 3.0


@dataclass(frozen=True)
class LiveFigures:
    # Of every telling, seconds from the commit.
    delays: Sequence[float]
    cases: int
    missed: int
    untold: int


def listen(port: int, tokens: Sequence[str], writer: Sequence[str]) -> LiveFigures:
    return asyncio.run(_listen(port, tokens, writer))


async def _listen(port: int, tokens: Sequence[str], writer: Sequence[str]) -> LiveFigures:
    told: list[dict[str, float]] = [{} for _ in tokens]
    opened = [asyncio.Event() for _ in tokens]
    readers = [
        asyncio.create_task(_read(port, token, first, known))
        for token, first, known in zip(tokens, opened, told, strict=True)
    ]
    async with asyncio.timeout(_OPENING):
        await asyncio.gather(*(first.wait() for first in opened))
    process = await asyncio.create_subprocess_exec(*writer, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    committed: dict[str, float] = {}
    async for line in process.stdout:
        uid, instant = line.decode().split()
        committed[uid] = float(instant)
    await process.wait()
    await asyncio.sleep(_CLOSING)
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*readers, return_exceptions=True)
    delays = [known[uid] - committed[uid] for known in told for uid in committed if uid in known]
    missed = len(committed) * len(tokens) - len(delays)
    return LiveFigures(delays, len(committed), missed, sum(delay > 5 for delay in delays))


async def _read(port: int, token: str, opened: asyncio.Event, known: dict[str, float]) -> None:
    reader, out = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)
    out.write(
        f"GET /api/v1/worklist/stream HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    )
    async for line in reader:
        if line.startswith(b"event: hello"):
            opened.set()
        if line.startswith(b"data: ") and b'"rows"' in line:
            now = time.time()
            # A line of chunked transfer ends where the event does: one event is one chunk here.
            for row in json.loads(line[6:])["rows"]:
                known.setdefault(row["id"], now)

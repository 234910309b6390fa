"""A Redis of its own: loopback, nothing written to disk."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines.processes import answers, free_port, stop, wait_until
from tests.programs import require


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = require("redis-server", package="redis-server")
    folder: Path = tmp_path_factory.mktemp("redis")
    port, log = free_port(), folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)],
            stdout=output,
            stderr=output,
        )
    try:
        wait_until(lambda: answers(port), process, log)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        stop(process)

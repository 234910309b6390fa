"""The address of a real S3 for a test run."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines.processes import answers, free_port, stop, wait_until


@pytest.fixture(scope="session")
def s3_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`s3://key:secret@host:port`, to be followed by `/bucket?secure=0`."""
    if importlib.util.find_spec("swift") is None:
        message = "swift is absent: install the test requirements with `make install-test`"
        if os.environ.get("CI", "").lower() in ("1", "true"):
            pytest.fail(message, pytrace=False)
        pytest.skip(message)
    folder: Path = tmp_path_factory.mktemp("swift")
    _demand_attributes(folder)
    port, log = free_port(), folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.engines.swift_server", str(folder), str(port)],
            stdout=output,
            stderr=output,
            cwd=Path(__file__).parents[2],
        )
    try:
        wait_until(lambda: answers(port), process, log)
        yield f"s3://test%3Atester:testing@127.0.0.1:{port}"
    finally:
        stop(process)


def _demand_attributes(folder: Path) -> None:
    try:
        os.setxattr(folder, "user.telemed", b"1")
    except OSError as fault:
        pytest.skip(f"the folder for temporary files knows no user attributes, which Swift needs: {fault}")

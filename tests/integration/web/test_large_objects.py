"""An object of gigabytes leaves by pieces: what its answer costs in memory does not grow with it."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from pydicom import dcmread

from telemed.application.presented import file_of
from telemed.imaging.right_identity import RightIdentity, under
from tests.cast import Cast
from tests.factories.dicom import dr_bytes, uid
from tests.integration.web.conftest import Program

# Several times what an answer may cost; it would be twice that if it were held whole.
LARGE, MOST = 48 << 20, 8 << 20
PLACE = f"/dicom-web/studies/{uid('large')}/series/{uid('large', 's')}/instances/{uid('large', 'i')}"
OCTETS, OBJECT = "application/octet-stream", "application/dicom"


def film(rows: int, *names: str) -> bytes:
    samples = np.arange(rows * 4096, dtype=np.uint32).astype(np.uint16).reshape(rows, 4096)
    return dr_bytes(
        samples,
        patient_id="FIC-P5",
        study_uid=uid(*names),
        series_uid=uid(*names, "s"),
        sop_uid=uid(*names, "i"),
    )


@pytest.fixture
def sender(program: Callable[[str], Program]) -> Program:
    """Of a large film, and of a small one that is like it."""
    found = program("technician")
    for content in (film(LARGE // 8192, "large"), film(8, "small")):
        answer = found.http.post("/dicom-web/studies", content=content, headers={"Content-Type": OBJECT})
        assert answer.status_code == 200
    return found


def answered(app: FastAPI, sender: Program, path: str, accept: str) -> tuple[int, str]:
    """How many bytes came, and their digest; none of them is kept, as a client in a test would."""
    digest, count, begun = sha256(), 0, []
    said = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        if not said:
            # The client stays on the line, and says nothing more.
            await asyncio.Event().wait()
        return said.pop()

    async def send(message: Any) -> None:
        nonlocal count
        if message["type"] == "http.response.start":
            begun.append(message["status"])
        else:
            digest.update(message["body"])
            count += len(message["body"])

    headers = {"host": "testserver", "accept": accept, "authorization": sender.http.headers["Authorization"]}
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "client": ("127.0.0.1", 1), "server": ("testserver", 80),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))
    assert begun == [200]
    return count, digest.hexdigest()


@contextmanager
def in_little_memory() -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MOST, f"{peak >> 20} MB"


def test_a_large_object_its_pixels_and_its_metadata_leave_in_little_memory(
    app: FastAPI, cast: Cast, sender: Program
) -> None:
    whole = film(LARGE // 8192, "large")
    pixels = dcmread(BytesIO(whole)).PixelData
    asked = (
        (PLACE, OBJECT, whole),
        (f"{PLACE}/bulkdata/7FE00010", OCTETS, pixels),
    )
    small = PLACE.replace(uid("large"), uid("small")).replace(uid("large", "s"), uid("small", "s"))
    small = small.replace(uid("large", "i"), uid("small", "i"))
    for path, accept, sent in asked:
        # What is loaded once is no cost of the answer.
        answered(app, sender, path.replace(PLACE, small), accept)
        with in_little_memory():
            alone = answered(app, sender, path, accept)
        assert alone == (len(sent), sha256(sent).hexdigest())
        with in_little_memory():
            size, _ = answered(app, sender, path, f'multipart/related; type="{accept}"')
        assert len(sent) < size < len(sent) + 1000
    with in_little_memory():
        answered(app, sender, f"{PLACE}/metadata", "application/dicom+json")


def test_a_large_object_under_its_right_person_leaves_in_little_memory(cast: Cast, sender: Program) -> None:
    whole = film(LARGE // 8192, "large")
    with cast.world.unit_of_work(write=False) as uow:
        (stored,) = (one for one in uow.studies.all_objects(0, 10) if one.size > LARGE)
    identity = RightIdentity(
        patient_id="FIC-P8", name="测试庚", alphabetic="Ce^Shi Geng", sex="F", birth_date="19600229",
        issuer="A1", accession_number="FIC-9", study_instance_uid=str(uid("large")),
        series_instance_uid=str(uid("large", "s")),
    )  # fmt: skip
    digest = sha256()
    with in_little_memory(), file_of(cast.world, stored, {stored.series_id: identity}) as file:
        for start in range(0, len(file), 1 << 20):
            digest.update(file[start : start + (1 << 20)])
    assert digest.hexdigest() == sha256(under(whole, identity)).hexdigest()

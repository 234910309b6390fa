"""A picture that is lost keeps no report from its recipients; the paper says what is not on it."""

from __future__ import annotations

from io import BytesIO

import pytest
from pypdf import PdfReader

from telemed.domain.errors import Unavailable
from tests.cast import Cast
from tests.factories.dicom import dr_bytes
from tests.integration.web.conftest import Way


def words(way: Way) -> str:
    technician = way.program("technician")
    (mail,) = technician.get("/api/v1/inbox")["rows"]
    pages = PdfReader(BytesIO(technician.http.get(mail["pdf_url"]).content)).pages
    return "".join(page.extract_text() for page in pages)


def test_a_report_is_printed_without_its_lost_picture_and_says_so(
    cast: Cast, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    way.send(dr_bytes(patient_id="FIC-P3", patient_name="测试丁"))
    cast.clock.move(seconds=31)
    cast.run_jobs()
    (row,) = way.program("reporting").get("/api/v1/worklist")["rows"]
    way.case_id = row["id"]
    way.sign()
    way.approve()
    answers: list[Exception] = [Unavailable("error.objects_unavailable"), KeyError("lost")]

    def gone(_: str) -> bytes:
        raise answers[0]

    with monkeypatch.context() as disk:
        disk.setattr(cast.world.objects, "get", gone)
        # A store that is away comes back: the report waits for it.
        cast.run_jobs()
        assert way.program("technician").get("/api/v1/inbox")["rows"] == []
        del answers[0]
        cast.clock.move(minutes=1)
        cast.run_jobs()
    assert "图像未能打印（1 幅）" in words(way)

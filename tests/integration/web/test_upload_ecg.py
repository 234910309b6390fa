"""Recordings of other formats, paper among them, over the upload page."""

from __future__ import annotations

import hashlib
from typing import Any

from tests.cast import Cast
from tests.integration.web.conftest import Way
from tests.unit.formats import samples

HEADER, SIGNALS = samples.wfdb()


def upload(way: Way, files: list[tuple[str, bytes]]) -> Any:
    http = way.program("technician").http
    answer = http.post("/api/v1/uploads", files=[("files", one) for one in files])
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_every_format_and_paper_is_taken_and_a_wfdb_header_finds_its_signals(cast: Cast, way: Way) -> None:
    files = [
        ("r.dat", SIGNALS["r.dat"]),
        ("a.scp", samples.scp()),
        ("b.xml", samples.aecg().encode()),
        ("c.xml", samples.sierra()),
        ("r.hea", HEADER),
        ("d.pdf", samples.PDF),
        ("photo.jpg", samples.picture()),
    ]
    answer = upload(way, files)
    assert (answer["accepted"], answer["refused"]) == (7, 0), answer
    for one, (name, content) in zip(answer["objects"], files, strict=True):
        assert (one["file"], one["size"]) == (name, len(content))
        assert one["sha256"] == hashlib.sha256(content).hexdigest()
    assert answer["objects"][0]["sop_instance_uid"] == answer["objects"][4]["sop_instance_uid"]
    assert len({one["sop_instance_uid"] for one in answer["objects"]}) == 6
    assert [one["status"] for one in upload(way, files)["objects"]] == ["repeat"] * 7


def test_half_a_wfdb_record_is_refused_with_what_is_missing_and_stops_no_other(way: Way) -> None:
    files = [("r.hea", HEADER), ("a.scp", samples.scp()), ("other.dat", SIGNALS["r.dat"])]
    answer = upload(way, files)
    assert [one["status"] for one in answer["objects"]] == ["refused", "new", "refused"]
    assert "r.dat" in answer["objects"][0]["problem"]

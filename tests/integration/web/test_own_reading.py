"""What a reader measures on the median beat and says of the machine's findings, one by one."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from telemed.domain.analysis import Analysis, RepresentativeBeat
from telemed.domain.events import Kind
from telemed.imaging.waveform.packed import pack
from tests.cast import Cast
from tests.integration.web.conftest import Program, Way

BEAT = np.linspace(-1, 1, 24).reshape(2, 12)
MARKS = {
    "p_onset_ms": -170.0,
    "p_offset_ms": -70.0,
    "qrs_onset_ms": -40.0,
    "qrs_offset_ms": 56.0,
    "t_offset_ms": 360.0,
}


@pytest.fixture
def measured(cast: Cast, way: Way) -> str:
    """A case whose answer has a median beat and a mean RR of one second; the answer's id."""
    analyser: Any = cast.analyser
    plain = analyser.analyse

    def analyse(*given: Any, **named: Any) -> Analysis:
        beat = RepresentativeBeat(("I", "II"), 500.0, 5, {"qrs_onset_ms": -40.0}, 9, 10, pack(BEAT))
        return replace(plain(*given, **named), measurements={"rr_mean_ms": 1000.0}, median_beat=beat)

    analyser.analyse = analyse
    way.arrive()
    (answer,) = way.program("reporting").get(way.path)["analyses"]
    assert (answer["has_median_beat"], "median_beat" in answer) == (True, False)
    return str(answer["id"])


def events(cast: Cast, kind: Kind) -> list[dict[str, Any]]:
    with cast.world.unit_of_work(write=False) as uow:
        return [event.facts for event in uow.events.after(0, 1000) if event.kind is kind]


def test_the_median_beat_comes_when_asked_for(way: Way, measured: str) -> None:
    (beat,) = way.program("reporting").get(f"{way.path}/median-beats")
    assert (beat["analysis"], beat["rr_ms"], beat["fiducial"]) == (measured, 1000.0, 5)
    units = np.frombuffer(base64.b64decode(beat["samples"]), dtype="<i2").reshape(2, 12)
    assert np.abs(units * beat["microvolts_per_unit"] / 1000 - BEAT).max() <= 0.0005
    way.program("reporting-b").get(f"{way.path}/median-beats", expect=404)


def test_moved_marks_are_kept_with_the_intervals_that_follow_from_them(
    cast: Cast, way: Way, measured: str
) -> None:
    doctor = way.program("reporting")
    body = {"analysis": measured, "marks": MARKS}
    doctor.post(f"{way.path}/measurements", body, expect=409)
    doctor.post(f"{way.path}/claim")
    for _ in range(2):
        doctor.post(f"{way.path}/measurements", body)
    (kept,) = doctor.get(f"{way.path}/own-reading")["measurements"]
    assert kept["marks"] == MARKS
    assert kept["mine"] is True
    assert kept["measurements"] == {
        "p_ms": 100.0,
        "pr_ms": 130.0,
        "qrs_ms": 96.0,
        "qt_ms": 400.0,
        "heart_rate_bpm": 60.0,
        "qtc_ms": 400.0,
        "qtc_fridericia_ms": 400.0,
    }
    without_p = {**MARKS, "p_onset_ms": None, "p_offset_ms": None}
    found = doctor.post(f"{way.path}/measurements", {"analysis": measured, "marks": without_p})
    assert "pr_ms" not in found["measurements"][0]["measurements"]
    assert set(MARKS) - set(found["measurements"][0]["marks"]) == {"p_onset_ms", "p_offset_ms"}
    # The same marks twice are one event.
    assert len(events(cast, Kind.CASE_MEASURED)) == 2


def test_marks_of_no_beat_are_refused_with_a_sentence(way: Way, measured: str) -> None:
    doctor = way.program("reporting")
    doctor.post(f"{way.path}/claim")
    for wrong in ({"qrs_offset_ms": -41}, {"p_offset_ms": None}, {"t_offset_ms": 50_000}):
        body = {"analysis": measured, "marks": MARKS | wrong}
        answer = doctor.post(f"{way.path}/measurements", body, expect=422)
        assert answer["code"] == "error.marks_out_of_order"
    doctor.post(f"{way.path}/measurements", {"analysis": "no", "marks": MARKS}, expect=422)


def test_a_verdict_is_an_event_for_each_finding_and_the_same_again_is_none(
    cast: Cast, way: Way, measured: str, program: Callable[[str], Program]
) -> None:
    doctor = way.program("reporting")

    def say(finding: str, verdict: str, expect: int = 200) -> Any:
        body = {"analysis": measured, "finding": finding, "verdict": verdict}
        return doctor.post(f"{way.path}/verdicts", body, expect=expect)

    say("MI", "accepted", expect=409)
    doctor.post(f"{way.path}/claim")
    say("no-such", "accepted", expect=422)
    say("MI", "maybe", expect=422)
    for finding, verdict in (("MI", "accepted"), ("MI", "accepted"), ("CD", "rejected"), ("CD", "edited")):
        say(finding, verdict)
    shown = doctor.get(f"{way.path}/own-reading")["verdicts"]
    assert {one["finding"]: one["verdict"] for one in shown} == {"MI": "accepted", "CD": "edited"}
    assert [(one["finding"], one["verdict"]) for one in events(cast, Kind.FINDING_JUDGED)] == [
        ("MI", "accepted"),
        ("CD", "rejected"),
        ("CD", "edited"),
    ]
    assert say("MI", "open")["verdicts"][0]["finding"] == "CD"
    # A reader's work before the signature is for readers.
    program("technician").get(f"{way.path}/own-reading", expect=403)

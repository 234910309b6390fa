"""A reader's own measurements, and what they say of each finding of the machine."""

import base64
from typing import Any

from fastapi import APIRouter
from pydantic import Field

from telemed.application import own_reading as own
from telemed.application.median_beats import ShownBeat, median_beats
from telemed.domain.access import Action
from telemed.domain.measuring import Marks
from telemed.domain.verdict import Verdict
from telemed.imaging.waveform.packed import MICROVOLTS_PER_UNIT, unpack
from telemed.imaging.waveform.wire import MISSING
from telemed.web.api.shapes import Body, Instant
from telemed.web.context import TheWorld
from telemed.web.guard import guard
from telemed.web.security import CurrentActor

router = APIRouter(prefix="/cases/{case_id}", tags=["cases"])


class MarksBody(Body):
    """Milliseconds from the point that all beats share; a wave that is not there has no marks."""

    p_onset_ms: float | None = None
    p_offset_ms: float | None = None
    qrs_onset_ms: float
    qrs_offset_ms: float
    t_offset_ms: float | None = None


class MeasureIn(Body):
    analysis: str = Field(max_length=64)
    marks: MarksBody


class VerdictIn(Body):
    """`finding` is the name of a finding or the code of a statement in the answer `analysis`."""

    analysis: str = Field(max_length=64)
    finding: str = Field(max_length=64)
    verdict: Verdict


class MeasurementOut(Body):
    analysis: str
    marks: MarksBody
    measurements: dict[str, float]
    mine: bool
    at: Instant


class VerdictOut(Body):
    analysis: str
    finding: str
    verdict: Verdict
    mine: bool
    at: Instant


class OwnReadingOut(Body):
    measurements: list[MeasurementOut]
    verdicts: list[VerdictOut]


class BeatOut(Body):
    """`samples`: base64 of int16 little endian, lead after lead; mV = sample x microvolts_per_unit / 1000."""

    analysis: str
    sop_instance_uid: str
    leads: list[str]
    sampling_rate: float
    fiducial: int
    waves: dict[str, float]
    beats: int
    of: int
    rr_ms: float | None
    microvolts_per_unit: float
    missing: int
    samples: str


@router.get("/median-beats", **guard(Action.SEE_CASE))
def read_median_beats(world: TheWorld, actor: CurrentActor, case_id: str) -> list[BeatOut]:
    """The beats that the measurements were taken from."""
    return [_beat(one) for one in median_beats(world, actor=actor, uid=case_id)]


@router.get("/own-reading", response_model_exclude_none=True, **guard(Action.WRITE_REPORT))
def read_own(world: TheWorld, actor: CurrentActor, case_id: str) -> OwnReadingOut:
    return _own(own.own_reading(world, actor=actor, uid=case_id), actor.user_id)


@router.post("/measurements", response_model_exclude_none=True, **guard(Action.WRITE_REPORT))
def keep_measurement(world: TheWorld, actor: CurrentActor, case_id: str, body: MeasureIn) -> OwnReadingOut:
    """Marks moved by the reader; the intervals are computed here, from them alone."""
    marks = Marks(**body.marks.model_dump())
    found = own.measure(world, actor=actor, uid=case_id, analysis=body.analysis, marks=marks)
    return _own(found, actor.user_id)


@router.post("/verdicts", response_model_exclude_none=True, **guard(Action.WRITE_REPORT))
def judge(world: TheWorld, actor: CurrentActor, case_id: str, body: VerdictIn) -> OwnReadingOut:
    """Accepted, edited, rejected, or `open` to take that back: one finding at a time."""
    found = own.record_verdict(
        world, actor=actor, uid=case_id, analysis=body.analysis, finding=body.finding, verdict=body.verdict
    )
    return _own(found, actor.user_id)


def _own(found: own.OwnReading, user_id: int) -> OwnReadingOut:
    def said(one: Any) -> dict[str, Any]:
        return {"analysis": one.analysis, "mine": one.by == user_id, "at": one.at}

    return OwnReadingOut(
        measurements=[
            MeasurementOut(**said(one), marks=MarksBody(**one.marks.as_json()), measurements=one.measurements)
            for one in found.measurements
        ],
        verdicts=[
            VerdictOut(**said(one), finding=one.finding, verdict=one.verdict) for one in found.verdicts
        ],
    )


def _beat(found: ShownBeat) -> BeatOut:
    beat = found.beat
    return BeatOut(
        analysis=found.analysis,
        sop_instance_uid=found.sop_instance_uid,
        leads=list(beat.leads),
        sampling_rate=beat.rate,
        fiducial=beat.fiducial,
        waves=dict(beat.waves),
        beats=beat.beats,
        of=beat.of,
        rr_ms=found.rr_ms,
        microvolts_per_unit=MICROVOLTS_PER_UNIT,
        missing=MISSING,
        samples=base64.b64encode(unpack(beat.packed, len(beat.leads))).decode("ascii"),
    )

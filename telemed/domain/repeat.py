"""Back to the technician: a reason that can be counted, a sentence, and the place in the picture it is about."""

from dataclasses import asdict, dataclass
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import Any, Self

from telemed.domain.case import Case
from telemed.domain.errors import InvalidInput
from telemed.domain.study import Study

LEADS = frozenset(
    {"I", "II", "III", "aVR", "aVL", "aVF", *(f"V{n}" for n in range(1, 10)), "V3R", "V4R", "V5R"}
)


class RepeatCode(StrEnum):
    ECG_LEAD_OFF = "ecg.lead_off"
    ECG_NOISE = "ecg.noise"
    ECG_SWAPPED = "ecg.swapped"
    ECG_PATIENT = "ecg.patient"
    IMAGE_POSITION = "image.position"
    IMAGE_MOTION = "image.motion"
    IMAGE_EXPOSURE = "image.exposure"
    IMAGE_PART = "image.part"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True)
class RepeatMark:
    """A box in shares of the picture's width and height, from its upper left corner; or leads of a recording, or the
    milliseconds between which it is bad, counted from its first sample."""

    sop_instance_uid: str
    x: float = 0
    y: float = 0
    width: float = 0
    height: float = 0
    leads: tuple[str, ...] = ()
    from_ms: int | None = None
    to_ms: int | None = None

    def demand_sound(self) -> None:
        boxed = self.width > 0 and self.height > 0
        inside = 0 <= self.x <= self.x + self.width <= 1 and 0 <= self.y <= self.y + self.height <= 1
        timed = self.from_ms is not None and self.to_ms is not None
        if timed:
            ordered = 0 <= (self.from_ms or 0) < (self.to_ms or 0)
        else:
            ordered = self.from_ms is None and self.to_ms is None
        if not (boxed or self.leads or timed) or not (inside and ordered) or not LEADS.issuperset(self.leads):
            raise InvalidInput("error.field_invalid", field="mark")

    def data(self) -> dict[str, Any]:
        return {**asdict(self), "leads": list(self.leads)}

    @classmethod
    def of(cls, data: dict[str, Any]) -> Self:
        return cls(**{**data, "leads": tuple(data["leads"])})


class Likeness(StrEnum):
    """How sure it is that a study is what a request asked for."""

    NO = "no"
    PERHAPS = "perhaps"
    CERTAIN = "certain"


def likeness(asked: Case, first: Study, came: Study, zone: tzinfo) -> Likeness:
    """`first` is what went back; `zone` is the site's, in which machines say when they recorded.

    Certain is only what was recorded after the request, of the same person, kind and part: a recording that had
    waited at the site, or shows something else, does not settle what a doctor waits for.
    """
    since = asked.repeat_asked_at
    mine = (came.institution_id, came.patient_id, came.modality)
    if since is None or mine != (asked.institution_id, asked.patient_id, asked.modality):
        return Likeness.NO
    if (came.last_object_at if came.id == first.id else came.first_object_at) <= since:
        return Likeness.NO
    made = _recorded_at(came, zone)
    if came.id == first.id or made is None or made < since:
        return Likeness.PERHAPS
    parts = {first.body_part, came.body_part}
    # A film of another part is another film, even under the same order; what names no part goes by its order.
    same_part = len(parts) == 1 and "" not in parts
    ordered = "" in parts and came.procedure_id == asked.procedure_id
    return Likeness.CERTAIN if asked.modality == "ECG" or same_part or ordered else Likeness.PERHAPS


def _recorded_at(study: Study, zone: tzinfo) -> datetime | None:
    """As its machine said it; None where it did not, or not to the minute."""
    try:
        said = datetime.strptime(study.study_date + study.study_time[:4], "%Y%m%d%H%M")
    except ValueError:
        return None
    return said.replace(tzinfo=zone)

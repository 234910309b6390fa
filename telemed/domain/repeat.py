"""Back to the technician: a reason that can be counted, a sentence, and the place in the picture it is about."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

from telemed.domain.errors import InvalidInput

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

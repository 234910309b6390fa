"""The twelve leads of one ECG in millivolts."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from telemed.imaging.waveform.quality import QualityFinding

LEADS: tuple[str, ...] = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
LIMB: tuple[str, ...] = LEADS[:6]
CHEST: tuple[str, ...] = LEADS[6:]


@dataclass(frozen=True)
class Filters:
    """What the device says it filtered, Hz; None where it is silent (003A,0220-0222)."""

    low_hz: float | None = None
    high_hz: float | None = None
    notch_hz: float | None = None


@dataclass(frozen=True)
class Annotation:
    """A statement or a measurement that the device wrote into the object (PS3.3 C.10.10)."""

    text: str = ""
    code: str = ""
    scheme: str = ""
    meaning: str = ""
    value: float | None = None
    unit: str = ""


@dataclass(frozen=True)
class Waveform:
    """A resting ECG.

    `samples` is float32 of shape (12, n), millivolts, rows in the order of `leads` (always `LEADS`); NaN
    stands for padding and for spans in which a lead was not recorded. `sampling_rate` is in Hz.
    `age_years` at the recording and `sex` ("M", "F") are the header's, None and "" where it is silent.
    `derived` names the leads that were computed from the recorded ones. `resolution_uv` is the device's
    least significant bit in microvolts when all recorded leads share it and start from zero, else None.
    """

    leads: tuple[str, ...]
    samples: NDArray[np.float32]
    sampling_rate: float
    label: str = ""
    derived: tuple[str, ...] = ()
    resolution_uv: float | None = None
    filters: Filters = field(default_factory=Filters)
    annotations: tuple[Annotation, ...] = ()
    age_years: float | None = None
    sex: str = ""

    @property
    def duration(self) -> float:
        """Seconds from the first sample to the end of the last."""
        return float(self.samples.shape[1] / self.sampling_rate)

    @cached_property
    def einthoven_mv(self) -> float:
        """`einthoven_residual`, computed once for all who ask."""
        from telemed.imaging.waveform.quality import einthoven_residual

        return einthoven_residual(self)

    @cached_property
    def quality(self) -> tuple[QualityFinding, ...]:
        """`quality_findings`, computed once for all who ask."""
        from telemed.imaging.waveform.quality import quality_findings

        return tuple(quality_findings(self))

"""What a model answered about one object: an answer with its model's identity, or the reason for none."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class ModelIdentity:
    """All that must be known of what ran, so that an answer can be judged and repeated."""

    name: str
    version: str
    sha256: str
    preprocessing: str
    precision: str
    provider: str
    runtime: str
    device: str

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ModelIdentity:
        return cls(**{name: str(data[name]) for name in cls.__dataclass_fields__})


@dataclass(frozen=True)
class Code:
    system: str
    code: str
    display: str

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Code:
        return cls(system=str(data["system"]), code=str(data["code"]), display=str(data["display"]))


@dataclass(frozen=True)
class Finding:
    """One label of a model; `flag` says that `probability` reached `threshold`."""

    name: str
    probability: float
    threshold: float
    flag: bool
    code: Code | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Finding:
        code = data.get("code")
        return cls(
            name=str(data["name"]),
            probability=float(data["probability"]),
            threshold=float(data["threshold"]),
            flag=bool(data["flag"]),
            code=Code.from_json(code) if code else None,
        )


@dataclass(frozen=True)
class Statement:
    """A sentence a reader may take over: a code and its text by language ("zh", "en").

    `level`: "stated", or "consider" for what is worth a look and no more. `coding`: the same in public code systems.
    """

    code: str
    text: Mapping[str, str]
    level: str = "stated"
    coding: tuple[Code, ...] = ()

    def as_json(self) -> dict[str, Any]:
        coding = [asdict(one) for one in self.coding]
        return {"code": self.code, "text": dict(self.text), "level": self.level, "coding": coding}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Statement:
        coding = tuple(Code.from_json(item) for item in data.get("coding") or ())
        return cls(str(data["code"]), dict(data["text"]), str(data.get("level") or "stated"), coding)


@dataclass(frozen=True)
class Wave:
    """One wave ("P", "QRS", "T") of one lead, milliseconds from the recording's first sample."""

    lead: str
    wave: str
    onset_ms: float
    peak_ms: float
    offset_ms: float

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Wave:
        times = (float(data[name]) for name in ("onset_ms", "peak_ms", "offset_ms"))
        return cls(str(data["lead"]), str(data["wave"]), *times)


@dataclass(frozen=True)
class HeatMap:
    """Where a network's evidence for a finding lay: model attention, not an outline.

    `cells` row by row from the top left, 0..1; they cover `region` of the picture as stored: left, top, right,
    bottom as shares of its width and height.
    """

    finding: str
    cells: tuple[tuple[float, ...], ...]
    region: tuple[float, float, float, float]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> HeatMap:
        left, top, right, bottom = (float(share) for share in data["region"])
        rows = tuple(tuple(float(value) for value in row) for row in data["cells"])
        return cls(str(data["finding"]), rows, (left, top, right, bottom))


@dataclass(frozen=True)
class RepresentativeBeat:
    """The median beat that the measurements were taken from.

    `packed` holds its samples (see `telemed.imaging.waveform.packed`), lead after lead, `rate` a second, zero being
    each lead's PR segment; `fiducial` is the sample that all beats share, `waves` its boundaries in milliseconds
    from there. `beats` of the recording's `of` were alike enough to be used.
    """

    leads: tuple[str, ...]
    rate: float
    fiducial: int
    waves: Mapping[str, float]
    beats: int
    of: int
    packed: str

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RepresentativeBeat:
        return cls(
            leads=tuple(str(lead) for lead in data["leads"]),
            rate=float(data["rate"]),
            fiducial=int(data["fiducial"]),
            waves={str(name): float(at) for name, at in data["waves"].items()},
            beats=int(data["beats"]),
            of=int(data["of"]),
            packed=str(data["packed"]),
        )


@dataclass(frozen=True)
class Analysis:
    """The answer of one model. Out of domain: `in_domain` False, `reason` a code, no findings.

    `model` is None only where no model exists for the kind of object (reason "no_model"). `leads` are
    measurements by lead; `waves` are there only where they were asked for, `wave_marks` always: the same packed (see
    `telemed.imaging.waveform.marks`). `heat_map` is a film's, `median_beat` an ECG's.
    """

    model: ModelIdentity | None
    in_domain: bool
    reason: str | None = None
    reason_params: Mapping[str, str | int] = field(default_factory=dict)
    quality: Mapping[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    measurements: Mapping[str, float] = field(default_factory=dict)
    statements: tuple[Statement, ...] = ()
    leads: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    waves: tuple[Wave, ...] = ()
    heat_map: HeatMap | None = None
    median_beat: RepresentativeBeat | None = None
    wave_marks: str = ""

    def __post_init__(self) -> None:
        if self.in_domain == (self.reason is not None):
            raise ValueError("an answer out of domain has a reason, an answer in domain has none")
        if self.findings and not self.in_domain:
            raise ValueError("an answer out of domain has no findings")

    def as_json(self) -> dict[str, Any]:
        """Plain dictionaries, lists, numbers and strings, ready for JSON; `from_json` reads it back."""
        data: dict[str, Any] = {
            "model": None if self.model is None else asdict(self.model),
            "in_domain": self.in_domain,
            "reason": self.reason,
            "reason_params": dict(self.reason_params),
            "quality": deepcopy(dict(self.quality)),
            "findings": [asdict(finding) for finding in self.findings],
            "measurements": dict(self.measurements),
            "statements": [statement.as_json() for statement in self.statements],
            "leads": {lead: dict(row) for lead, row in self.leads.items()},
            "waves": [asdict(wave) for wave in self.waves],
            "heat_map": None if self.heat_map is None else asdict(self.heat_map),
            "median_beat": None if self.median_beat is None else asdict(self.median_beat),
            "wave_marks": self.wave_marks,
        }
        if self.heat_map is not None:
            data["heat_map"]["cells"] = [list(row) for row in self.heat_map.cells]
            data["heat_map"]["region"] = list(self.heat_map.region)
        if self.median_beat is not None:
            data["median_beat"]["leads"] = list(self.median_beat.leads)
        # Only a model that measures has them; an answer without them has no empty fields for them.
        for name in ("leads", "waves", "heat_map", "median_beat", "wave_marks"):
            if not data[name]:
                del data[name]
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Analysis:
        model = data.get("model")
        return cls(
            model=ModelIdentity.from_json(model) if model else None,
            in_domain=bool(data["in_domain"]),
            reason=data.get("reason"),
            reason_params=dict(data.get("reason_params") or {}),
            quality=dict(data.get("quality") or {}),
            findings=tuple(Finding.from_json(item) for item in data.get("findings") or ()),
            measurements=dict(data.get("measurements") or {}),
            statements=tuple(Statement.from_json(item) for item in data.get("statements") or ()),
            leads={lead: dict(row) for lead, row in (data.get("leads") or {}).items()},
            waves=tuple(Wave.from_json(item) for item in data.get("waves") or ()),
            heat_map=HeatMap.from_json(data["heat_map"]) if data.get("heat_map") else None,
            median_beat=RepresentativeBeat.from_json(data["median_beat"])
            if data.get("median_beat")
            else None,
            wave_marks=str(data.get("wave_marks") or ""),
        )


def input_digest(objects: Iterable[tuple[str, str]]) -> str:
    """SHA-256 over (SOP instance UID, object digest), sorted by UID: the same whatever the order of arrival.

    Lengths are written before the parts, so that no two lists share one byte string. Raises ValueError for an
    empty list: a key over nothing would be shared by all that have nothing.
    """
    pairs = sorted(objects)
    if not pairs:
        raise ValueError("an input digest needs at least one object")
    return _digest(part for pair in pairs for part in pair)


def result_key(digest: str, identity: ModelIdentity) -> str:
    """The key of an AI result everywhere: input, model, preprocessing, precision, provider."""
    return _digest((digest, identity.sha256, identity.preprocessing, identity.precision, identity.provider))


def _digest(parts: Iterable[str]) -> str:
    total = hashlib.sha256()
    for part in parts:
        raw = part.encode("utf-8")
        total.update(len(raw).to_bytes(8, "big"))
        total.update(raw)
    return total.hexdigest()

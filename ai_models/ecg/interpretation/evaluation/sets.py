"""The recordings that rules are judged on: which had a say in them, and their facts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ai_models.ecg.delineation.decode import decode
from ai_models.ecg.delineation.measure import measure
from ai_models.ecg.delineation.reader import MODEL as DELINEATION
from ai_models.ecg.delineation.reader import DelineationReader
from ai_models.ecg.delineation.tensors import conditioned
from ai_models.ecg.gate import judge
from ai_models.ecg.interpretation.evaluation.truth import Labels, all_labels
from ai_models.ecg.interpretation.facts import gather
from ai_models.ecg.interpretation.rules import RuleSet
from ai_models.ecg.reader import MODEL as CLASSIFICATION
from ai_models.ecg.reader import EcgReader
from ai_models.ecg.signal import LEADS
from ai_models.ecg.training import data
from ai_models.ecg.training.faults import Samples
from ai_models.engine import Engine
from ai_models.registry import Registry
from telemed.imaging.waveform import Waveform

CHOSEN_ON = ("PTB-XL folds 1-8", "LUDB, first half")
HELD_OUT = ("PTB-XL fold 9", "LUDB, second half", "China")


def set_of(recording: data.Recording) -> str:
    """Where a recording belongs; LUDB is halved by the digest of its key, one record being one person."""
    if recording.source == "ptbxl":
        return CHOSEN_ON[0] if recording.fold <= 8 else HELD_OUT[0]
    if recording.source == "china":
        return HELD_OUT[2]
    half = hashlib.sha256(f"statements:{recording.key}".encode()).digest()[0] % 2
    return HELD_OUT[1] if half else CHOSEN_ON[1]


@dataclass(frozen=True)
class Judged:
    """A recording of one person, `group`, with its labels; out of domain `facts` are None, and `reason` says why."""

    key: str
    part: str
    group: str
    labels: Labels
    facts: dict[str, float] | None
    reason: str | None = None


@dataclass(frozen=True)
class Crossed:
    """Answers of networks that did not train on the recording, from what the trainings wrote; empty where absent."""

    probabilities: dict[str, list[float]]
    delineations: dict[str, NDArray[np.float32]]

    @classmethod
    def read(cls, classification: Path | None, delineation: Path | None) -> Crossed:
        """`classification`/cross-validate.json and `delineation`/fold-*.npz."""
        probabilities: dict[str, list[float]] = {}
        if classification is not None:
            probabilities = json.loads((classification / "cross-validate.json").read_text("utf-8"))
        stored: dict[str, NDArray[np.float32]] = {}
        for path in sorted(delineation.glob("fold-*.npz")) if delineation is not None else ():
            with np.load(path) as rows:
                stored |= {key: rows[key].astype(np.float32) for key in rows}
        return cls(probabilities, stored)


def judged(
    rules: RuleSet,
    root: Path,
    parts: tuple[str, ...],
    crossed: Crossed,
    fault: Callable[[Samples], Samples] | None = None,
) -> Iterator[Judged]:
    """Facts of every recording of `parts`, by the networks that `rules` name; crossed answers where there are any.

    With `fault` the recordings are changed before anything looks at them, and `crossed` has to be empty.
    """
    registry, engine, labels = Registry(), Engine(), all_labels(root)
    classify = EcgReader(engine, registry.get(CLASSIFICATION, rules.networks[CLASSIFICATION]))
    delineate = DelineationReader(engine, registry.get(DELINEATION, rules.networks[DELINEATION]))
    for recording in chain(data.ptbxl(root), data.ludb(root), data.china(root)):
        part, said = set_of(recording), labels[recording.key]
        if part not in parts:
            continue
        if fault is not None:
            recording = replace(recording, samples=fault(recording.samples))
        waveform = Waveform(LEADS, recording.samples, recording.rate, age_years=said.age, sex=said.sex)
        verdict = judge(waveform)
        if verdict.samples is None:
            yield Judged(recording.key, part, recording.group, said, None, verdict.reason)
            continue
        if recording.key in crossed.probabilities:
            found = dict(zip(data.LABELS, crossed.probabilities[recording.key], strict=True))
        else:
            found = {finding.name: finding.probability for finding in classify.read(waveform).findings}
        if recording.key in crossed.delineations:
            probability = crossed.delineations[recording.key]
            signal = conditioned(verdict.samples, recording.rate)[:, : probability.shape[-1]]
            measured = measure(verdict.samples, recording.rate, probability, decode(probability, signal))
        else:
            measured = delineate.measured(verdict.samples, recording.rate)
        facts = gather(
            measured,
            found,
            verdict.samples,
            recording.rate,
            quality_problems=len(verdict.quality["problems"]),
            age_years=said.age,
            sex=said.sex,
        )
        yield Judged(recording.key, part, recording.group, said, facts)

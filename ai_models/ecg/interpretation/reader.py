"""Statements on a 12-lead ECG from the answers of both networks."""

from __future__ import annotations

from ai_models.ecg.delineation.measure import Measured
from ai_models.ecg.gate import Verdict, judge
from ai_models.ecg.interpretation.facts import gather
from ai_models.ecg.interpretation.rules import RuleSet
from telemed.domain.analysis import Analysis
from telemed.imaging.waveform import Waveform


def facts_of(
    classified: Analysis, measured: Measured, waveform: Waveform, verdict: Verdict | None = None
) -> dict[str, float]:
    """The facts of a recording in domain, from the answer of the classification and the measurements."""
    verdict = verdict if verdict is not None else judge(waveform)
    assert verdict.samples is not None
    return gather(
        measured,
        {finding.name: finding.probability for finding in classified.findings},
        verdict.samples,
        verdict.rate,
        quality_problems=len(classified.quality["problems"]),
        age_years=waveform.age_years,
        sex=waveform.sex,
        at=verdict.resampled,
    )


def interpret(
    rules: RuleSet,
    waveform: Waveform,
    classified: Analysis,
    delineated: Analysis,
    measured: Measured | None,
    verdict: Verdict | None = None,
) -> Analysis:
    """The statements on a recording that both networks have answered for; out of domain where one of them is.

    `quality.undecided` counts rules that could not be judged because something was not measurable.
    """
    assert classified.model is not None and delineated.model is not None
    identity = rules.identity((classified.model, delineated.model))
    for answer in (classified, delineated):
        if not answer.in_domain:
            return Analysis(identity, False, answer.reason, answer.reason_params, answer.quality)
    if measured is None:
        raise ValueError("a recording in domain comes with its measurements")
    facts = facts_of(classified, measured, waveform, verdict)
    said = rules.judged(facts)
    undecided = sum(value is None for value in said.values())
    return Analysis(
        identity,
        True,
        quality={**delineated.quality, "undecided": undecided},
        statements=rules.spoken(said),
    )

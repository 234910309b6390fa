"""What the machine's answers propose of a list: from all answers about one recording, never from two of them."""

from datetime import UTC, datetime
from typing import Any

from telemed.application.proposals import proposed
from telemed.application.usual_critical_values import LINES
from telemed.domain.critical import CriticalRule

RULES = [
    CriticalRule(
        uid=line.code,
        consortium_id=1,
        code=line.code,
        edition=1,
        modality=line.modality,
        tier=line.tier,
        text_zh=line.text_zh,
        text_en=line.text_en,
        created_at=datetime(2026, 11, 20, tzinfo=UTC),
        findings=list(line.findings),
        limits=line.limits,
    )
    for line in LINES
    if line.modality == "ECG"
]


def answer(*, place: str = "1.2.3", in_domain: bool = True, **parts: Any) -> tuple[str, dict[str, Any]]:
    return place, {"in_domain": in_domain, "findings": [], "statements": [], "measurements": {}} | parts


def flag(name: str, on: bool = True) -> dict[str, Any]:
    return {"name": name, "flag": on}


def test_a_pause_is_proposed_from_its_limit_on() -> None:
    assert proposed(RULES, [answer(measurements={"longest_pause_ms": 3000})]) == {"ecg.pause"}
    assert proposed(RULES, [answer(measurements={"longest_pause_ms": 2998})]) == frozenset()


def test_a_finding_and_a_measurement_of_two_models_meet_in_one_recording() -> None:
    fibrillation = answer(findings=[flag("AFIB")])
    fast = {"heart_rate_bpm": 204, "rr_min_ms": 244}
    assert proposed(RULES, [fibrillation, answer(measurements=fast)]) == {
        *("ecg.af_fast", "ecg.svt", "ecg.preexcited_af", "ecg.warning.af_new")
    }
    of_another = answer(place="1.2.4", measurements=fast)
    assert proposed(RULES, [fibrillation, of_another]) == {"ecg.svt", "ecg.warning.af_new"}


def test_a_statement_counts_by_its_code_and_what_is_not_flagged_does_not() -> None:
    wide = answer(statements=[{"code": "ecg.wide_qrs_tachycardia"}], measurements={"heart_rate_bpm": 152})
    assert proposed(RULES, [wide]) == {"ecg.vt"}
    assert proposed(RULES, [answer(findings=[flag("AFIB", on=False)])]) == frozenset()


def test_both_corrections_have_to_call_qt_long() -> None:
    assert "ecg.qtc" in proposed(RULES, [answer(measurements={"qtc_ms": 560, "qtc_fridericia_ms": 552})])
    assert "ecg.qtc" not in proposed(RULES, [answer(measurements={"qtc_ms": 560, "qtc_fridericia_ms": 470})])


def test_out_of_domain_proposes_nothing() -> None:
    assert proposed(RULES, [answer(in_domain=False, measurements={"longest_pause_ms": 5000})]) == frozenset()


def test_every_measurement_and_statement_that_the_list_names_exists() -> None:
    from ai_models.ecg.interpretation.names import MEASURED
    from ai_models.ecg.interpretation.rules import rule_set

    said = {rule.code for rule in rule_set().rules} | {"AFIB"}
    for rule in RULES:
        assert set(rule.limits) <= set(MEASURED)
        assert set(rule.findings) <= said


def test_a_rate_is_that_of_the_model_that_measured_most() -> None:
    waves = answer(measurements={"heart_rate_bpm": 101, "pr_ms": 160, "qrs_ms": 150, "qt_ms": 380})
    twice_counted = answer(measurements={"heart_rate_bpm": 202})
    assert proposed(RULES, [twice_counted]) == {"ecg.svt"}
    assert proposed(RULES, [waves, twice_counted]) == proposed(RULES, [twice_counted, waves]) == frozenset()

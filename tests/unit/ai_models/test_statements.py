"""Rules as data: the small language, what is refused, and statements through the product's own path."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ai_models.analyser import Analyser
from ai_models.ecg.delineation.reader import DelineationReader
from ai_models.ecg.interpretation.conditions import BadRule, compiled
from ai_models.ecg.interpretation.evaluation import electrodes, stricter, usual
from ai_models.ecg.interpretation.evaluation.evaluate import recorded
from ai_models.ecg.interpretation.evaluation.figures import Tally, cell, wilson
from ai_models.ecg.interpretation.evaluation.truth import Labels
from ai_models.ecg.interpretation.names import NAMES
from ai_models.ecg.interpretation.rhythm_facts import typical_pr_ms
from ai_models.ecg.interpretation.rules import NAME, RuleSet, read_rules, rule_set
from ai_models.ecg.signal import LEADS
from ai_models.engine import Engine
from ai_models.errors import ModelRefused
from telemed.imaging.waveform import Waveform
from tests.unit.ai_models.synthetic import WAVES, samples, waveform

FACTS = frozenset({"a", "b"})


def holds(node: Any, **facts: float) -> bool | None:
    return compiled(node, FACTS, frozenset({"r"}))(facts, {"r": None})


@pytest.mark.parametrize(
    ("node", "facts", "expected"),
    [
        (["a", ">=", 1], {"a": 1}, True),
        (["a", ">", 1], {"a": 1}, False),
        (["a", "<", 1], {}, None),
        (["a", "<", 1], {"a": float("nan")}, None),
        ({"all": [["a", ">", 0], ["b", ">", 0]]}, {"a": 1}, None),
        ({"all": [["a", ">", 0], ["b", ">", 0]]}, {"a": 0}, False),
        ({"any": [["a", ">", 0], ["b", ">", 0]]}, {"a": 1}, True),
        ({"any": [["a", ">", 0], ["b", ">", 0]]}, {"a": 0}, None),
        ({"none": [["a", ">", 0]]}, {}, None),
        ({"none": [["a", ">", 0]]}, {"a": 0}, True),
        ({"least": [2, [["a", ">", 0], ["b", ">", 0], ["b", ">", 5]]]}, {"a": 1, "b": 1}, True),
        ({"rule": "r"}, {}, None),
    ],
)
def test_what_cannot_be_known_is_neither_true_nor_false(
    node: Any, facts: dict[str, float], expected: bool | None
) -> None:
    assert holds(node, **facts) is expected


@pytest.mark.parametrize(
    "node",
    [
        ["c", ">", 1],
        ["a", "==", 1],
        ["a", ">", "b"],
        ["a", ">", True],
        ["a", ">", float("nan")],
        ["a", ">"],
        {"all": []},
        {"all": [["a", ">", 0]], "any": [["a", ">", 0]]},
        {"least": [3, [["a", ">", 0]]]},
        {"rule": "later"},
        {"not": [["a", ">", 0]]},
        "a > 0",
    ],
)
def test_a_rule_that_cannot_mean_anything_is_refused(node: Any) -> None:
    with pytest.raises(BadRule):
        holds(node)


@pytest.fixture
def rules() -> RuleSet:
    return rule_set()


@pytest.mark.parametrize(
    "spoil",
    [
        {"code": "ecg.sinus_rhythm"},
        {"level": "perhaps"},
        {"text": {"zh": "只有中文"}},
        {"source": ""},
        {"when": ["no_such_fact", ">", 1]},
        {"narrower": ["ecg.not_there"]},
    ],
)
def test_a_spoiled_rule_file_is_refused_with_its_place(
    tmp_path: Path, rules: RuleSet, spoil: dict[str, Any]
) -> None:
    folder = tmp_path / rules.folder.name
    shutil.copytree(rules.folder, folder)
    data = json.loads((folder / "rules.json").read_text("utf-8"))
    data["rules"][-1] |= spoil
    (folder / "rules.json").write_text(json.dumps(data), "utf-8")
    with pytest.raises(ModelRefused) as refused:
        read_rules(folder)
    assert "rules.json" in str(refused.value.params["file"])


def test_every_shipped_rule_has_texts_a_source_and_its_row_on_the_card(rules: RuleSet) -> None:
    kept = json.loads((rules.folder / "evaluation.json").read_text("utf-8"))
    assert kept["rules"] == rules.sha256
    assert set(kept["statements"]) == {rule.code for rule in rules.rules}
    for language, key in (("zh-CN", "zh"), ("en", "en")):
        card = rules.card(language).read_text("utf-8")
        assert rules.sha256 in card
        assert "{{" not in card
        for rule in rules.rules:
            assert rule.text[key] in card


def test_without_any_fact_nothing_is_said(rules: RuleSet) -> None:
    assert rules.statements({}) == ()
    assert set(rules.judged({}).values()) == {None}


def test_a_narrower_statement_is_said_in_place_of_the_wider(rules: RuleSet) -> None:
    facts = dict.fromkeys(NAMES, 0.0) | {"p_MI": 0.9, "inferior.q_leads": 3.0, "qrs_typical_lead_ms": 90.0}
    said = rules.judged(facts)
    codes = [statement.code for statement in rules.statements(facts)]
    assert said["ecg.infarction"] is True
    assert "ecg.infarction_inferior" in codes
    assert "ecg.infarction" not in codes


def test_withheld_rules_are_said_to_nobody(rules: RuleSet) -> None:
    withheld = {rule.code for rule in rules.rules if rule.level == "withheld"}
    facts = dict.fromkeys(NAMES, 0.0) | {"heart_rate_bpm": 70.0}
    assert rules.judged(facts)["ecg.atrial_flutter"] is True
    assert "ecg.atrial_flutter" in withheld
    assert not withheld & {statement.code for statement in rules.statements(facts)}


@pytest.fixture(scope="module")
def analyser(engine: Engine) -> Analyser:
    return Analyser(engine)


def codes(analyser: Analyser, recording: Waveform) -> set[str]:
    answer = analyser.analyse(NAME, recording)
    assert answer.in_domain
    return {statement.code for statement in answer.statements}


@pytest.mark.parametrize(("bpm", "rhythm"), [(45.0, {"ecg.sinus_bradycardia"}), (72.0, set())])
def test_rate_and_rhythm_of_a_made_heart(analyser: Analyser, bpm: float, rhythm: set[str]) -> None:
    said = codes(analyser, waveform(bpm=bpm))
    assert "ecg.sinus_rhythm" in said
    assert said & {"ecg.sinus_bradycardia", "ecg.sinus_tachycardia"} == rhythm


@pytest.mark.parametrize(("bpm", "fast"), [(100.0, False), (101.0, True)])
def test_tachycardia_begins_above_a_hundred(rules: RuleSet, bpm: float, fast: bool) -> None:
    sinus = {"p_share": 1.0, "II.p_mv": 0.1, "aVR.p_mv": -0.1, "p_AFIB": 0.0, "spike_share": 0.0}
    said = rules.judged(sinus | {"heart_rate_bpm": bpm, "rr_cv": 0.02})
    assert said["ecg.sinus_rhythm"] is True
    assert said["ecg.sinus_tachycardia"] is fast


def test_a_heart_without_p_is_not_called_sinus_rhythm(
    analyser: Analyser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.unit.ai_models.synthetic.WAVES", WAVES[1:])
    said = codes(analyser, waveform())
    assert "ecg.sinus_rhythm" not in said
    assert "ecg.normal" not in said


def test_a_spike_before_each_qrs_is_pacing(analyser: Analyser) -> None:
    recording = samples()
    for beat in np.arange(0.4, 10.0, 60.0 / 72.0):
        recording[:, round((beat - 0.06) * 500)] += 1.5
    # One instant in all leads breaks no relation of the limb leads: they are derived again from I and II.
    i, ii = recording[0], recording[1]
    recording[2:6] = [ii - i, -(i + ii) / 2, i - ii / 2, ii - i / 2]
    assert "ecg.paced" in codes(analyser, replace(waveform(), samples=recording))


def test_a_child_is_out_of_every_models_domain_and_an_unknown_age_is_not(analyser: Analyser) -> None:
    child = replace(waveform(), age_years=9.0)
    for model in analyser.models_for("ECG"):
        answer = analyser.analyse(model.name, child, version=model.version)
        assert (answer.in_domain, answer.reason, answer.statements) == (False, "waveform.child", ())
    assert analyser.analyse(NAME, waveform()).in_domain
    assert analyser.analyse(NAME, replace(waveform(), age_years=40.0)).in_domain


@pytest.mark.parametrize("rate", [100.0, 250.0, 1000.0])
@pytest.mark.parametrize("kind", ["noise", "still", "short"])
def test_what_holds_no_clear_heart_gets_an_answer_and_no_normal(
    analyser: Analyser, rate: float, kind: str
) -> None:
    if kind == "short":
        recording = waveform(seconds=5.2, rate=rate, bpm=40.0)
    else:
        scale = 0.2 if kind == "noise" else 0.03
        i, ii, *chest = np.random.default_rng(7).normal(0, scale, (8, int(10 * rate)))
        rows = [i, ii, ii - i, -(i + ii) / 2, i - ii / 2, ii - i / 2, *chest]
        recording = Waveform(LEADS, np.asarray(rows, dtype=np.float32), rate)
    answer = analyser.analyse(NAME, recording)
    assert "ecg.normal" not in {statement.code for statement in answer.statements}
    assert answer.in_domain or answer.reason


def test_the_rules_are_listed_approved_and_told_apart_like_a_model(
    analyser: Analyser, rules: RuleSet
) -> None:
    shown = next(model for model in analyser.models_for("ECG") if model.name == NAME)
    assert (shown.version, shown.sha256) == (rules.version, rules.sha256)
    assert shown.card("zh-CN") != shown.card("en")
    identity = analyser.analyse(NAME, waveform()).model
    assert identity is not None
    assert identity.sha256 == rules.sha256
    # A network of another digest is another result.
    for name, version in rules.networks.items():
        assert f"{name}-{version}@" in identity.preprocessing
    assert analyser.refuse(NAME, "waveform.no_waveform", {}).model == identity


def test_two_models_that_need_the_same_network_ask_it_once(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    run = engine.run

    def counted(model: str, *args: Any, **kwargs: Any) -> Any:
        asked.append(model)
        return run(model, *args, **kwargs)

    monkeypatch.setattr(engine, "run", counted)
    analyser, recording = Analyser(engine), waveform()
    for model in analyser.models_for("ECG"):
        analyser.analyse(model.name, recording, version=model.version)
    assert sorted(asked) == ["ecg-delineation", "ecg-superclass"]


def test_wilson_against_a_published_example() -> None:
    # Newcombe RG, Stat Med 1998;17:857, table I: 81 of 263, method 3.
    share, low, high = wilson(81, 263)
    assert (round(share, 4), round(low, 4), round(high, 4)) == (0.3080, 0.2553, 0.3662)


def test_a_set_judges_only_what_it_labels() -> None:
    silent = Labels("ptbxl", frozenset({"IMI", "class:MI"}), None, "")
    assert silent.says("ecg.sinus_rhythm") is None
    assert silent.says("ecg.left_axis") is None
    assert silent.says("ecg.infarction_inferior") is True
    assert silent.says("ecg.normal") is False
    assert Labels("ludb", frozenset({"Rhythm: Sinus rhythm"}), None, "").says("ecg.low_voltage") is None
    normal = Labels("ptbxl", frozenset({"NORM", "SR", "class:NORM"}), 40, "M")
    assert normal.says("ecg.normal") is True
    assert Labels("ptbxl", normal.names | {"PAC"}, 40, "M").says("ecg.normal") is False


def person(n: int, *, normal: bool = True, **facts: float) -> usual.Known:
    """Within the textbook limits, every fact with a range at 1, a man and a woman in turn."""
    names = (*usual.NOT_ABOVE, *usual.NOT_BELOW, *usual.NOT_ABOVE_BY_SEX, *usual.COUNTED)
    everything = dict.fromkeys(names, 1.0) | {"p_NORM": 1.0}
    own = {name.replace("__", "."): value for name, value in facts.items()}
    return usual.Known(f"k{n}", "made", f"g{n}", everything | {"male": float(n % 2)} | own, True, normal)


def test_a_usual_range_is_what_the_normal_recordings_show_and_no_abnormal_one_widens_it() -> None:
    people = [person(n) for n in range(6)] + [person(6, pr_ms=150.4), person(7, normal=False, pr_ms=260.0)]
    found = usual.ranges(people)
    assert ["pr_ms", "<=", 151.0] in found
    assert ["pr_ms", ">=", 1.0] in found
    holds = compiled({"all": found}, NAMES, frozenset())
    assert holds(people[6].facts, {}) is True
    assert holds(people[7].facts, {}) is False


def test_a_voltage_has_an_end_for_each_sex_and_without_a_sex_both_hold() -> None:
    people = [person(n, cornell_mv=2.4 if n % 2 else 1.6) for n in range(6)]
    holds = compiled({"all": usual.ranges(people)}, NAMES, frozenset())
    man = person(1, cornell_mv=2.2).facts
    assert holds(man, {}) is True
    assert holds(man | {"male": 0.0}, {}) is False
    assert holds({name: value for name, value in man.items() if name != "male"}, {}) is not True


def test_nobody_is_judged_by_ranges_that_he_himself_widened() -> None:
    people = [person(n) for n in range(40)] + [person(40, pr_ms=199.0)]
    assert {usual.fold_of(one.group) for one in people} == set(range(usual.FOLDS))
    tally = usual.crossed(people)["made"]
    assert (tally.right, tally.missed, tally.wrong) == (40, ["k40"], [])


def test_who_is_unusual_in_many_facts_at_once_gets_no_normal_draft_though_each_is_in_range() -> None:
    counted = list(usual.COUNTED)
    own = {name: 20 + n for n, name in enumerate(counted)}
    people = [person(n, **{counted[n % len(counted)].replace(".", "__"): 1.2}) for n in range(19)]
    people += [person(n, **{name.replace(".", "__"): 1.2}) for name, n in own.items()]
    ordinary = person(0).facts
    holds = compiled({"all": usual.ranges(people)}, NAMES, frozenset())
    assert holds(ordinary | {counted[3]: 1.2}, {}) is True
    strange = ordinary | {name: 1.2 for name in counted if name.endswith(("t_mv", "r_mv"))}
    assert holds(strange, {}) is False
    # Half of it unmeasured: not known to be usual, so not said.
    assert holds({name: strange[name] for name in strange if not name.endswith("s_mv")}, {}) is not True


def test_a_limit_of_doubt_is_chosen_inside_and_judged_outside() -> None:
    def doubted(value: float) -> dict[str, float]:
        return dict.fromkeys(stricter.ABNORMAL, value) | {"p_NORM": 1 - value}

    people = [person(n, **doubted(0.02)) for n in range(60)]
    people += [person(60 + n, **doubted(0.4)) for n in range(20)]
    people += [person(80 + n, normal=False, **doubted(0.3)) for n in range(6)]
    assert stricter.limit(people, 1.0) == pytest.approx(0.02)
    assert stricter.limit(people, 0.5) == pytest.approx(0.4)
    loose, strict = stricter.nested(people, 0.5), stricter.nested(people, 1.0)
    assert len(loose.wrong) == 6
    assert (strict.right, strict.wrong) == (60, [])


def test_the_shipped_normal_rule_is_what_its_source_says(rules: RuleSet) -> None:
    written = json.loads((rules.folder / "rules.json").read_text("utf-8"))["rules"]
    parts = next(rule for rule in written if rule["code"] == "ecg.normal")["when"]["all"]
    most, beyond = parts[-1]["none"][0]["least"]
    assert most >= 2
    assert [condition[0] for condition in beyond[::2]] == list(usual.COUNTED)
    assert len(parts) == 2 + len(usual.NOT_ABOVE) + len(usual.NOT_BELOW) + 2 * len(usual.NOT_ABOVE_BY_SEX)


def test_the_shipped_normal_draft_says_on_its_card_how_often_it_is_wrong(rules: RuleSet) -> None:
    rows = recorded()
    assert rows["rules"] == rules.sha256
    crossed = rows["normal_crossed"]["all"]
    assert crossed["right"] + len(crossed["wrong"]) == crossed["said"]
    assert crossed["right"] / crossed["said"] >= 0.95
    for language in ("en", "zh-CN"):
        card = rules.card(language).read_text("utf-8")
        assert cell(crossed["right"], crossed["said"]) in card
        assert cell(crossed["right"], crossed["true"]) in card
        assert all(key in card for key in crossed["wrong"])
        held_out = rows["statements"]["ecg.normal"]["held out"]
        assert cell(held_out["right"], held_out["said"]) in card
        for row in rows["normal_stricter"].values():
            assert cell(row["right"], row["said"]) in card


def test_what_a_statement_leaves_open_makes_it_neither_wrong_nor_found() -> None:
    flutter = Labels("china", frozenset({"164890007"}), None, "")
    assert flutter.says("ecg.atrial_fibrillation") is False
    assert flutter.leaves_open("ecg.atrial_fibrillation")
    assert not flutter.leaves_open("ecg.sinus_rhythm")
    tally = Tally()
    tally.add("a", True, False, left_open=True)
    tally.add("b", False, False, left_open=True)
    tally.add("c", True, True)
    tally.add("d", True, False)
    found = tally.as_json()
    assert (found["n"], found["said"], found["true"], found["wrong"]) == (4, 3, 1, ["d"])
    assert found["ppv"][0] == round(2 / 3, 3)
    assert found["sensitivity"][0] == 1.0


@pytest.mark.parametrize(("over", "said"), [(0.05, False), (0.06, True), (None, None)])
def test_a_p_clearly_higher_in_i_than_in_ii_asks_for_the_electrodes(
    rules: RuleSet, over: float | None, said: bool | None
) -> None:
    sinus = {"p_share": 1.0, "II.p_mv": 0.05, "aVR.p_mv": -0.1, "p_AFIB": 0.0, "spike_share": 0.0}
    facts = sinus if over is None else sinus | {"p_i_over_ii_mv": over}
    assert rules.judged(facts)["ecg.left_arm_leg"] is said


def test_exchanged_left_arm_and_leg_are_said_of_a_made_heart_and_take_its_normal_draft(
    analyser: Analyser,
) -> None:
    as_it_is = waveform()
    assert "ecg.left_arm_leg" not in codes(analyser, as_it_is)
    said = codes(analyser, replace(as_it_is, samples=electrodes.exchanged(as_it_is.samples)))
    assert "ecg.left_arm_leg" in said
    assert "ecg.normal" not in said


RBBB_FACTS = {"qrs_typical_lead_ms": 130.0, "spike_share": 0.0, "I.late_s_ms": 50.0, "V6.late_s_ms": 50.0}


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"V1.late_r_mv": 0.5, "V1.late_mv": 0.1, "V1.area_mv": 0.05}, True),  # R'
        ({"V1.late_r_mv": 0.0, "V1.late_mv": 0.1, "V1.area_mv": 0.3}, True),  # a broad R
        ({"V1.late_r_mv": 0.0, "V1.late_mv": 0.1, "V1.area_mv": 0.1}, False),
        ({"V1.late_r_mv": 0.0, "V1.late_mv": 0.1, "V1.area_mv": 0.3, "V6.late_s_ms": 20.0}, False),
    ],
)
def test_a_right_bundle_branch_block_shows_by_a_second_or_a_broad_r(
    rules: RuleSet, facts: dict[str, float], said: bool
) -> None:
    assert rules.judged(RBBB_FACTS | facts)["ecg.rbbb"] is said


def test_a_premature_beat_of_another_form_is_ventricular_only_where_it_is_wider(rules: RuleSet) -> None:
    facts = {"spike_share": 0.0, "p_AFIB": 0.0, "p_share": 1.0, "rr_cv": 0.1, "premature_other": 1.0}
    assert rules.judged(facts | {"premature_wide": 0.0})["ecg.pvc"] is False
    assert rules.judged(facts | {"premature_wide": 1.0})["ecg.pvc"] is True


def test_pr_of_the_typical_lead_is_no_longer_than_the_global_one(engine: Engine) -> None:
    found = DelineationReader(engine).measured(samples(), 500.0)
    typical = typical_pr_ms(found)
    assert typical is not None
    # Of the made heart P begins 160 + 2.5 x 22 ms before R, Q 26 + 2.5 x 8 ms, as far as a Gaussian begins anywhere.
    assert 120 <= typical <= found.measurements["pr_ms"] + 4


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"qrs_typical_lead_ms": 130.0, "qrs_ms": 160.0}, True),
        # Complexes without clear borders: no lead's own width is found, the global one is wide.
        ({"qrs_typical_lead_ms": 60.0, "qrs_ms": 230.0}, True),
        ({"qrs_typical_lead_ms": 90.0, "qrs_ms": 130.0}, False),
        # A chaos of forms has no representative beat to be measured.
        ({"other_forms": 19.0, "p_share": 0.0}, True),
        ({"qrs_typical_lead_ms": 130.0, "qrs_ms": 160.0, "heart_rate_bpm": 100.0}, False),
    ],
)
def test_a_tachycardia_is_wide_by_any_of_three_signs(
    rules: RuleSet, facts: dict[str, float], said: bool
) -> None:
    known = {"heart_rate_bpm": 160.0, "spike_share": 0.0, "other_forms": 0.0, "p_share": 0.0}
    assert rules.judged(known | facts)["ecg.wide_qrs_tachycardia"] is said

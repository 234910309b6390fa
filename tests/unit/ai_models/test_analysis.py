from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ai_models.ecg.reader import EcgReader
from telemed.domain.analysis import Analysis, ModelIdentity, input_digest, result_key
from tests.unit.ai_models import synthetic

IDENTITY = ModelIdentity("ecg", "1.0.0", "a" * 64, "p/1", "fp32", "CPUExecutionProvider", "runtime 1", "cpu")


def test_an_answer_survives_json(reader: EcgReader) -> None:
    for seconds in (10.0, 2.0):
        answer = reader.read(synthetic.waveform(seconds=seconds))
        assert Analysis.from_json(json.loads(json.dumps(answer.as_json()))) == answer


def test_an_answer_without_a_model_survives_json() -> None:
    answer = Analysis(model=None, in_domain=False, reason="no_model")
    assert Analysis.from_json(json.loads(json.dumps(answer.as_json()))) == answer


def test_an_answer_out_of_domain_needs_a_reason() -> None:
    with pytest.raises(ValueError, match="reason"):
        Analysis(IDENTITY, in_domain=False)
    with pytest.raises(ValueError, match="reason"):
        Analysis(IDENTITY, in_domain=True, reason="waveform.gaps")


def test_the_order_of_arrival_does_not_change_the_input_digest() -> None:
    assert input_digest([("2.25.1", "aa"), ("2.25.2", "bb")]) == input_digest(
        [("2.25.2", "bb"), ("2.25.1", "aa")]
    )
    assert input_digest([("2.25.1", "aa")]) != input_digest([("2.25.1", "ab")])
    assert input_digest([("2.25.1", "1aa")]) != input_digest([("2.25.11", "aa")])
    with pytest.raises(ValueError, match="at least one"):
        input_digest([])


@pytest.mark.parametrize("field", ["sha256", "preprocessing", "precision", "provider"])
def test_what_decides_an_answer_is_in_its_key(field: str) -> None:
    assert result_key("d", replace(IDENTITY, **{field: "other"})) != result_key("d", IDENTITY)


def test_the_key_changes_with_the_input_and_not_with_the_machine() -> None:
    assert result_key("d", IDENTITY) != result_key("e", IDENTITY)
    assert result_key("d", replace(IDENTITY, device="another", runtime="r 2")) == result_key("d", IDENTITY)

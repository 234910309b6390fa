"""The engine answers the same for the same input, whatever runs beside it."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from ai_models.ecg.reader import MODEL
from ai_models.ecg.tensors import ecg_tensors
from ai_models.engine import Engine
from ai_models.errors import InvalidTensor, UnknownModel
from ai_models.registry import Registry, read_weights
from ai_models.runner import Tensor
from ai_models.session import open_session
from tests.unit.ai_models import synthetic


def inputs(bpm: float = 72.0) -> dict[str, Tensor]:
    return dict(ecg_tensors(synthetic.samples(bpm=bpm), 500.0).inputs())


def test_the_same_request_is_answered_bit_for_bit(engine: Engine) -> None:
    first = engine.run(MODEL, inputs())["probability"]
    assert engine.run(MODEL, inputs())["probability"].tobytes() == first.tobytes()


def test_another_session_of_the_same_bytes_answers_bit_for_bit(engine: Engine) -> None:
    assert (
        Engine().run(MODEL, inputs())["probability"].tobytes()
        == engine.run(MODEL, inputs())["probability"].tobytes()
    )


def test_a_batch_answers_as_its_parts_do_bit_for_bit(engine: Engine) -> None:
    rows = [inputs(bpm) for bpm in (50.0, 65.0, 72.0, 90.0, 120.0)]
    alone = np.concatenate([engine.run(MODEL, row)["probability"] for row in rows])
    together = engine.run(
        MODEL, {name: np.concatenate([row[name] for row in rows]) for name in ("windows", "rhythm")}
    )["probability"]
    assert together.tobytes() == alone.tobytes()
    assert len({row.tobytes() for row in alone}) == len(rows)


def test_many_callers_at_once_get_their_own_answers(engine: Engine) -> None:
    rates = [45.0 + step for step in range(24)]
    alone = [engine.run(MODEL, inputs(rate))["probability"].tobytes() for rate in rates]
    with ThreadPoolExecutor(8) as pool:
        together = list(
            pool.map(lambda rate: engine.run(MODEL, inputs(rate))["probability"].tobytes(), rates)
        )
    assert together == alone


@pytest.mark.parametrize("name", ["chest-tb", MODEL])
def test_a_session_keeps_no_second_copy_of_its_weights(name: str) -> None:
    manifest = Registry().get(name)
    data = read_weights(manifest)
    known = sys.getrefcount(data)
    session = open_session(manifest, data)
    assert sys.getrefcount(data) == known and session.inner._model_bytes is None


def spoiled(name: str, value: Any) -> dict[str, Tensor]:
    return inputs() | {name: value}


@pytest.mark.parametrize(
    ("tensors", "code"),
    [
        ({"windows": np.zeros((1, 1, 12, 300), np.float32)}, "tensor.missing"),
        (spoiled("other", np.zeros(1, np.float32)), "tensor.unknown"),
        (spoiled("windows", np.zeros((1, 5, 12, 300), np.float64)), "tensor.datatype"),
        (spoiled("windows", np.zeros((1, 5, 11, 300), np.float32)), "tensor.shape"),
        (spoiled("windows", np.zeros((12, 300), np.float32)), "tensor.shape"),
        (spoiled("windows", np.zeros((1, 0, 12, 300), np.float32)), "tensor.shape"),
        (spoiled("windows", np.full((1, 5, 12, 300), np.nan, np.float32)), "tensor.not_finite"),
        (spoiled("rhythm", np.full((1, 3), np.inf, np.float32)), "tensor.not_finite"),
        (spoiled("rhythm", np.zeros((2, 3), np.float32)), "tensor.batch"),
    ],
)
def test_a_tensor_that_the_model_cannot_take_is_named(
    engine: Engine, tensors: dict[str, Tensor], code: str
) -> None:
    with pytest.raises(InvalidTensor) as error:
        engine.run(MODEL, tensors)
    assert error.value.code == code


def test_an_unknown_model_is_an_error(engine: Engine) -> None:
    with pytest.raises(UnknownModel):
        engine.run("chest", inputs())

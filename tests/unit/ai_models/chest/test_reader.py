"""A film's way through header, gate and network, with a stand-in for the network and with the shipped ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ai_models.chest.bottleneck import MATRIX
from ai_models.chest.reader import TASK, FilmReader
from ai_models.chest.readers import FilmReaders
from ai_models.chest.training import strange
from ai_models.engine import Engine
from ai_models.errors import ModelRefused
from ai_models.manifest import Manifest
from ai_models.registry import Registry
from telemed.demo.phantom import chest_phantom
from telemed.domain.analysis import Analysis, ModelIdentity
from telemed.imaging.film import Film, FilmFacts

NAMES = ("chest-tb", "chest-pneumonia-child")
FACTS = {
    "chest-tb": FilmFacts("DX", 40.0, "PA", "CHEST", 400, 400),
    "chest-pneumonia-child": FilmFacts("DX", 3.0, "AP", "CHEST", 400, 400),
}
Y, X = np.mgrid[0:400, 0:400] / 400
PICTURE = np.rint(255 * (0.5 + 0.4 * np.sin(9 * X) * np.cos(7 * Y))).astype(np.uint8)


class StandIn:
    """Answers with given numbers and counts how often it was asked."""

    def __init__(self, probability: float, gate: tuple[float, ...]) -> None:
        self.probability, self.gate, self.asked = probability, gate, 0

    def run(self, model: str, inputs: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        self.asked += 1
        assert inputs["film"].shape == (1, 1, 120, 120)
        return {
            "probability": np.asarray([[self.probability]], np.float32),
            "map": np.linspace(0, 1, 225, dtype=np.float32).reshape(1, 15, 15),
            "gate": np.asarray([self.gate], np.float32),
        }

    def identity(self, model: str, version: str | None = None) -> ModelIdentity:
        return ModelIdentity(model, version or "1.0.0", "ab" * 32, "none", "fp32", "none", "none", "none")


@pytest.fixture(params=NAMES)
def manifest(request: pytest.FixtureRequest) -> Manifest:
    return Registry().get(request.param)


def own(manifest: Manifest) -> tuple[float, ...]:
    return (1.0, 0.0, 0.0, 0.0) if manifest.domain["kind"] == "adult" else (0.0, 1.0, 0.0, 0.0)


def test_in_domain_there_is_one_finding_and_a_map_of_at_least_14_cells(manifest: Manifest) -> None:
    runner: Any = StandIn(0.93, own(manifest))
    answer = FilmReader(runner, manifest).read(Film(FACTS[manifest.name], PICTURE))
    (finding,) = answer.findings
    assert (finding.name, finding.flag) == (manifest.labels[0].name, True)
    assert finding.threshold == manifest.labels[0].threshold
    assert answer.heat_map is not None
    assert min(len(answer.heat_map.cells), *(len(row) for row in answer.heat_map.cells)) >= 14
    assert answer.heat_map.region == (4 / 128, 4 / 128, 124 / 128, 124 / 128)
    assert Analysis.from_json(json.loads(json.dumps(answer.as_json()))) == answer


def test_the_header_is_asked_first_and_the_network_never_after_a_no(manifest: Manifest) -> None:
    runner: Any = StandIn(0.93, own(manifest))
    other = FACTS[NAMES[1 - NAMES.index(manifest.name)]]
    answer = FilmReader(runner, manifest).read(Film(other, PICTURE))
    assert (answer.in_domain, answer.reason, answer.findings) == (False, "film.age", ())
    assert (runner.asked, answer.heat_map) == (0, None)


def test_a_lying_header_does_not_help(manifest: Manifest) -> None:
    runner: Any = StandIn(0.93, own(manifest)[::-1])
    answer = FilmReader(runner, manifest).read(Film(FACTS[manifest.name], PICTURE))
    assert (answer.in_domain, answer.findings, answer.heat_map) == (False, (), None)
    assert answer.reason in ("film.turned", "film.not_chest")
    assert set(answer.quality["gate"]) == {"adult", "child", "turned", "other"}


def test_an_answer_that_is_no_number_is_refused(manifest: Manifest) -> None:
    runner: Any = StandIn(float("nan"), own(manifest))
    with pytest.raises(ModelRefused, match=r"model\.bad_output"):
        FilmReader(runner, manifest).read(Film(FACTS[manifest.name], PICTURE))


def test_the_film_goes_to_the_network_of_its_header_and_else_each_says_why(engine: Engine) -> None:
    readers = FilmReaders(engine, engine.registry)
    assert (readers.reads("DX"), readers.reads("CR"), readers.reads("CT")) == (True, True, False)
    for name, facts in FACTS.items():
        (answer,) = readers.read(Film(facts, PICTURE))
        assert answer.model is not None
        assert answer.model.name == name
    unknown = readers.read(Film(FilmFacts("DX", None, None, "", 400, 400), PICTURE))
    assert [answer.reason for answer in unknown] == ["film.no_age"] * len(NAMES)


def phantom() -> np.ndarray:
    return (chest_phantom("PA") >> 4).astype(np.uint8)


@pytest.mark.parametrize("family", sorted(strange.FOREIGN))
def test_what_is_no_film_is_gated_by_the_shipped_networks(
    engine: Engine, manifest: Manifest, family: str
) -> None:
    reader = FilmReader(engine, manifest)
    chance = np.random.default_rng(5)
    for _ in range(5):
        answer = reader.read(Film(FACTS[manifest.name], strange.foreign(chance, family)))
        assert not answer.in_domain, family


def test_a_drawn_phantom_and_an_ecg_print_are_gated(engine: Engine, manifest: Manifest) -> None:
    reader = FilmReader(engine, manifest)
    assert not reader.read(Film(FACTS[manifest.name], phantom())).in_domain
    paper = np.full((400, 400), 245, np.uint8)
    paper[::16], paper[:, ::16] = 190, 190
    for row in range(4):
        beat = 50 + 100 * row - 30 * ((np.arange(400) % 70) < 3)
        paper[beat, np.arange(400)] = 0
    assert not reader.read(Film(FACTS[manifest.name], paper)).in_domain


def test_the_shipped_graph_is_the_trained_one(engine: Engine, manifest: Manifest) -> None:
    """Outputs of the trained networks on pictures made by a formula, written down at the export."""
    kept = json.loads((manifest.folder / "evaluation.json").read_text("utf-8"))["parity"]
    assert kept["largest_difference"] < 1e-3
    k, y, x = np.mgrid[0:2, 0:120, 0:120] / 120
    waves = np.sin(9 * x + 6 * k) * np.cos(7 * y - 4 * k * x) + 0.4 * np.sin(40 * x * y)
    found = engine.run(manifest.name, {"film": (0.5 + waves / 2.8).astype(np.float32)[:, None]})
    for name, wanted in kept["made_up"].items():
        assert np.abs(found[name] - np.asarray(wanted)).max() < 1e-3, name


def test_weights_are_small_and_both_cards_name_them(manifest: Manifest) -> None:
    assert manifest.task == TASK
    assert manifest.weights.stat().st_size <= 8_000_000
    for language in ("zh-CN", "en"):
        card = manifest.card(language).read_text("utf-8")
        assert manifest.sha256 in card
        assert "{{" not in card
    assert Path(manifest.folder / "evaluation.json").is_file()
    assert MATRIX == 128

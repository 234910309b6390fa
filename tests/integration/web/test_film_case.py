"""A film with a model's answer: shown with its case, the map asked for on its own, the priority never lowered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from telemed.domain.analysis import Analysis, Finding, HeatMap
from telemed.imaging.film import Film
from tests.cast import TOWNSHIP_A1, Cast, FakeModel
from tests.factories.dicom import dr_bytes
from tests.integration.web.conftest import Way

MAP = HeatMap("tb", ((0.1, 0.9), (0.2, 0.3)), (0.03, 0.03, 0.97, 0.97))


@dataclass(frozen=True)
class FilmModel(FakeModel):
    name: str = "fictional-film"
    sha256: str = "cd" * 32
    task: str = "film-finding"


def with_film_models(cast: Cast, answer: Analysis, *fitting: str) -> list[str]:
    """Two film models in service of which the header of every film fits those named; returns who is asked."""
    models = [FilmModel(), FilmModel(name="other-film", sha256="ef" * 32)]
    asked: list[str] = []
    analyser: Any = cast.analyser

    def analyse_film(model: str, film: Film, **_: Any) -> Analysis:
        asked.append(model)
        assert film.facts.modality == "DX"
        return answer

    ecg = analyser.models_for
    analyser.models_for = lambda modality: models if modality == "DX" else ecg(modality)
    analyser.fits = lambda model, film, version=None: model in fitting
    analyser.analyse_film = analyse_film
    return asked


def approve(cast: Cast, way: Way) -> None:
    site = cast.sites[TOWNSHIP_A1].uid
    for sha256, name in (("cd" * 32, "fictional-film"), ("ef" * 32, "other-film")):
        way.program("admin").post(f"/api/v1/models/{name}/approve", {"sha256": sha256, "institution": site})


def send_film(cast: Cast, way: Way) -> dict[str, Any]:
    way.send(dr_bytes(patient_id="FIC-P3", patient_name="测试丁"))
    cast.clock.move(seconds=31)
    cast.run_jobs()
    row: dict[str, Any] = way.program("reporting").get("/api/v1/worklist")["rows"][0]
    way.case_id = row["id"]
    return row


def test_a_film_is_read_by_the_model_of_its_header_and_its_map_comes_when_asked_for(
    cast: Cast, way: Way
) -> None:
    identity = cast.analyser._identity()
    finding = Finding("tb", 0.8, 0.4, True)
    asked = with_film_models(cast, Analysis(identity, True, findings=(finding,), heat_map=MAP), "other-film")
    approve(cast, way)
    row = send_film(cast, way)
    assert asked == ["other-film"]
    assert row["ai"] == {"state": "done", "flags": ["tb"]}
    reporting = way.program("reporting")
    (answer,) = reporting.get(way.path)["analyses"]
    assert (answer["has_heat_map"], "heat_map" in answer) == (True, False)
    assert answer["findings"][0]["probability"] == 0.8
    (shown,) = reporting.get(f"{way.path}/heat-maps")
    assert (shown["finding"], shown["cells"], shown["region"]) == (
        "tb",
        [list(cells) for cells in MAP.cells],
        list(MAP.region),
    )
    assert shown["sop_instance_uid"] == answer["sop_instance_uid"]
    way.program("reporting-b").get(f"{way.path}/heat-maps", expect=404)
    # Once its recordings are another person's, nothing of them is drawn under this name.
    with cast.world.unit_of_work() as uow:
        uow.cases.get(1).close()
        uow.commit()
    assert reporting.get(f"{way.path}/heat-maps") == []


def test_without_an_approval_nothing_looks_at_a_film(cast: Cast, way: Way) -> None:
    asked = with_film_models(cast, Analysis(cast.analyser._identity(), True), "other-film")
    row = send_film(cast, way)
    assert (row["ai"]["state"], asked) == ("off", [])
    assert way.program("reporting").get(f"{way.path}/heat-maps") == []


def test_a_film_of_no_models_domain_shows_each_ones_reason_and_keeps_its_place(cast: Cast, way: Way) -> None:
    identity = cast.analyser._identity()
    asked = with_film_models(cast, Analysis(identity, False, "film.no_age"))
    approve(cast, way)
    row = send_film(cast, way)
    assert asked == ["fictional-film", "other-film"]
    assert row["ai"]["state"] == "out_of_domain"
    assert row["effective_priority"] == row["priority"]
    case = way.program("reporting").get(way.path)
    assert "年龄" in case["ai_reason"]
    assert [one["has_heat_map"] for one in case["analyses"]] == [False]

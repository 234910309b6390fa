"""What models say becomes objects of the study: found and fetched, never counted, forwarded only by a rule."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from pydicom import Dataset, dcmread

from telemed.application.file_made import file_made
from telemed.application.jobs import JobKind
from telemed.domain.analysis import Analysis, Finding
from telemed.domain.events import Kind
from telemed.domain.study import ObjectRole, StoredObject
from tests.cast import TOWNSHIP_A1, Cast
from tests.factories.dicom import dr_bytes
from tests.integration.web.conftest import Way
from tests.integration.web.test_corrections import FILM
from tests.integration.web.test_film_case import MAP, approve, with_film_models
from tests.integration.web.test_reassign import correct, order_for_right


def choose(cast: Cast, way: Way, made_objects: str) -> None:
    site = cast.sites[TOWNSHIP_A1].uid
    path = f"/api/v1/admin/institutions/{site}/made-objects"
    answer = way.program("admin").put(path, {"made_objects": made_objects})
    assert answer["made_objects"] == made_objects


def made(cast: Cast) -> list[StoredObject]:
    with cast.world.unit_of_work(write=False) as uow:
        return [one for one in uow.studies.all_objects(0, 100) if one.role is ObjectRole.DERIVED]


def fetched(way: Way, study: str, who: str = "reporting") -> list[Dataset]:
    found = []
    for row in way.program(who).get(f"/dicom-web/studies/{study}/instances"):
        series, sop = row["0020000E"]["Value"][0], row["00080018"]["Value"][0]
        place = f"/dicom-web/studies/{study}/series/{series}/instances/{sop}"
        answer = way.program(who).get(place, headers={"Accept": "application/dicom"})
        found.append(dcmread(BytesIO(answer.content)))
    return found


def events(cast: Cast, kind: Kind) -> list[dict[str, Any]]:
    with cast.world.unit_of_work(write=False) as uow:
        return [event.facts for event in uow.events.after(0, 500) if event.kind is kind]


def test_a_report_joins_the_study_and_is_no_part_of_the_examination(cast: Cast, way: Way) -> None:
    cast.analyser.flags = ("AFIB",)
    way.arrive()
    reporting = way.program("reporting")
    (report,) = [one for one in fetched(way, way.study_uid) if one.Modality == "SR"]
    assert (report.PatientID, str(report.PatientName)) == ("FIC-P1", "测试甲")
    assert report.ManufacturerModelName == "fictional-ecg"
    (study,) = reporting.get(f"/dicom-web/studies?StudyInstanceUID={way.study_uid}&includefield=all")
    assert study["00080061"]["Value"] == ["ECG", "SR"]
    # The reader's page, the technician's tick and the study itself know of the recording alone.
    (series,) = reporting.get(way.path)["series"]
    assert [one["sop_instance_uid"] for one in series["instances"]] == [way.sop_uid]
    exam = way.program("technician").get(f"/api/v1/studies/{way.study_uid}")
    assert (exam["arrived"], exam["state"]) == (1, "waiting")
    assert len(cast.analyser.asked) == 1
    with cast.world.unit_of_work(write=False) as uow:
        case = uow.cases.get(1)
        study_row = uow.studies.get(case.study_id)
        assert (study_row.generation, study_row.object_count, case.generation) == (1, 1, 1)
        assert len(uow.cases.of_study(case.study_id)) == 1
    (fact,) = events(cast, Kind.OBJECT_MADE)
    assert (fact["what"], fact["model"], fact["source"]) == ("report", "fictional-ecg", way.sop_uid)
    # Durable like any other: placed, and its event beside it.
    assert [one.placed for one in made(cast)] == [True]
    # Made again it is the same object, and nothing is written.
    file_made(cast.world, case_id=1)
    assert len(made(cast)) == 1
    way.program("reporting-b").get(f"/dicom-web/studies/{way.study_uid}/instances", expect=404)


def test_a_site_that_wants_none_gets_none_and_one_that_wants_all_gets_the_picture_too(
    cast: Cast, way: Way
) -> None:
    choose(cast, way, "none")
    finding = Finding("tb", 0.8, 0.4, True)
    answer = Analysis(cast.analyser._identity(), True, findings=(finding,), heat_map=MAP)
    with_film_models(cast, answer, "other-film")
    approve(cast, way)
    way.send(dr_bytes(patient_id="FIC-P3", patient_name="测试丁"))
    cast.clock.move(seconds=31)
    cast.run_jobs()
    assert made(cast) == []
    choose(cast, way, "all")
    file_made(cast.world, case_id=1)
    cast.run_jobs()
    objects = fetched(way, way.study_uid)
    assert sorted(one.Modality for one in objects) == ["DX", "OT", "SR"]
    (picture,) = [one for one in objects if one.Modality == "OT"]
    assert picture.ImageType[0] == "DERIVED"
    # A picture of the study is a film of the study.
    parts = way.program("reporting").get(
        f"/dicom-web/studies/{way.study_uid}/rendered",
        headers={"Accept": 'multipart/related; type="image/jpeg"'},
    )
    assert parts.content.count(b"Content-Type: image/jpeg") == 1
    way.program("technician").put("/api/v1/admin/institutions/x/made-objects", {"made_objects": "all"}, 403)


def test_what_was_made_goes_where_its_recording_goes(cast: Cast, way: Way) -> None:
    answer = Analysis(cast.analyser._identity(), True, findings=(Finding("tb", 0.8, 0.4, True),))
    with_film_models(cast, answer, "other-film")
    approve(cast, way)
    way.order(modality="DX")
    films = [dr_bytes(seed=number, InstanceNumber=number, **FILM) for number in (1, 2)]
    stays, goes = [way.send(film)["objects"][0]["sop_instance_uid"] for film in films]
    cast.clock.move(minutes=2)
    cast.run_jobs()
    assert sorted(one.source_uid for one in made(cast)) == sorted([stays, goes])
    order_for_right(way)
    moved = correct(way, sop_instance_uid=goes, accession_number="")
    cast.run_jobs()
    there = fetched(way, moved["study_instance_uid"])
    here = fetched(way, way.study_uid)
    for objects, patient, source in ((there, "FIC-P2", goes), (here, "FIC-P1", stays)):
        assert sorted(one.Modality for one in objects) == ["DX", "SR"]
        assert {one.PatientID for one in objects} == {patient}
        (report,) = [one for one in objects if one.Modality == "SR"]
        (row,) = [one for one in made(cast) if one.sop_instance_uid == report.SOPInstanceUID]
        assert row.source_uid == source
    # It was carried along, not made anew.
    assert len(made(cast)) == 2
    # Alone it goes nowhere.
    sop = next(one.SOPInstanceUID for one in there if one.Modality == "SR")
    correct(way, sop_instance_uid=sop, accession_number="", expect=404)


def test_a_whole_study_of_another_person_takes_its_report_along(cast: Cast, way: Way) -> None:
    way.arrive()
    order_for_right(way)
    correct(way)
    cast.run_jobs()
    objects = fetched(way, way.study_uid)
    assert sorted(one.Modality for one in objects) == ["ECG", "SR"]
    assert {one.PatientID for one in objects} == {"FIC-P2"}
    assert len(made(cast)) == 1


@pytest.mark.parametrize(("with_made", "queued"), [(False, ["1.2.840.10008.5.1.4.1.1.9.1.1"]), (True, None)])
def test_a_rule_forwards_it_only_where_it_says_so(
    cast: Cast, way: Way, with_made: bool, queued: list[str] | None
) -> None:
    admin, site = way.program("admin"), cast.sites[TOWNSHIP_A1].uid
    node = {"ae_title": "ARCHIVE", "host": "127.0.0.1", "port": 9, "institution": site}
    uid = admin.post("/api/v1/admin/nodes", node, expect=201)["id"]
    rule = {"node": uid, "with_made": with_made, "institution": site}
    assert admin.post("/api/v1/admin/forward-rules", rule, expect=201)["with_made"] is with_made
    way.arrive()
    with cast.world.unit_of_work(write=False) as uow:
        waiting = [stored.sop_class_uid for _, stored in uow.forwards.waiting(1, cast.world.clock.now(), 10)]
        assert uow.jobs.open_of(JobKind.FORWARD_OBJECTS) == 1
    assert waiting == (queued or ["1.2.840.10008.5.1.4.1.1.9.1.1", "1.2.840.10008.5.1.4.1.1.88.33"])

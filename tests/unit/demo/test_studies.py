"""The example studies are valid, deterministic and plainly fictional."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import config, dcmread
from pydicom.data import get_testdata_file

from telemed.demo.studies import ExampleStudy, example_studies
from telemed.imaging.header import read_header, verify_structure
from telemed.imaging.pixels import rendered
from telemed.imaging.waveform import quality, read_waveform

SOURCE = Path(str(get_testdata_file("waveform_ecg.dcm", download=False)))


@pytest.fixture(scope="module")
def studies() -> Iterator[list[ExampleStudy]]:
    before = config.settings.writing_validation_mode
    config.settings.writing_validation_mode = config.RAISE
    yield example_studies()
    config.settings.writing_validation_mode = before


def test_every_object_is_whole_and_read_back(studies: list[ExampleStudy]) -> None:
    seen = set()
    for study in studies:
        for data in study.files():
            verify_structure(data)
            header = read_header(data)
            seen.add(header.sop_instance_uid)
            assert header.study_instance_uid == study.study_instance_uid
            assert header.accession_number == study.accession_number
            assert header.patient_id == study.patient.patient_id
            assert header.patient_name.display == study.patient.display
            assert header.modality == study.modality
            assert all(
                uid.startswith("2.25.") for uid in (header.sop_instance_uid, header.series_instance_uid)
            )
    assert len(seen) == sum(len(study.datasets) for study in studies) == 9
    assert len({study.name for study in studies}) == len(studies)
    assert len({study.study_instance_uid for study in studies}) == len(studies)


def test_every_ecg_has_twelve_leads_of_good_quality(studies: list[ExampleStudy]) -> None:
    ecgs = [study for study in studies if study.modality == "ECG"]
    assert len(ecgs) == 6
    for study in ecgs:
        waveform = read_waveform(study.files()[0])
        assert waveform.duration == 10.0
        assert quality(waveform) == []
        assert np.ptp(waveform.samples, axis=1).min() > 0.2


def test_the_same_day_and_seed_give_the_same_bytes(studies: list[ExampleStudy]) -> None:
    again = example_studies()
    assert [study.files() for study in again] == [study.files() for study in studies]


def test_another_day_gives_other_studies_not_other_content(studies: list[ExampleStudy]) -> None:
    uids = {study.study_instance_uid for study in studies}
    assert not uids & {study.study_instance_uid for study in example_studies(day=date(2026, 11, 22))}
    assert not uids & {study.study_instance_uid for study in example_studies(seed=2)}


def test_nothing_of_the_original_header_is_carried_along(studies: list[ExampleStudy]) -> None:
    source, reissued = dcmread(SOURCE), studies[0].files()[0]
    np.testing.assert_array_equal(read_waveform(reissued).samples, read_waveform(SOURCE.read_bytes()).samples)
    for keyword in (
        "InstitutionName", "AccessionNumber", "PatientID", "AdmissionID", "SOPInstanceUID", "StudyInstanceUID",
        "SeriesInstanceUID", "Manufacturer",
    ):  # fmt: skip
        assert str(source[keyword].value).encode() not in reissued
    assert not [element for element in dcmread(BytesIO(reissued)) if element.tag.is_private]


def test_films_are_marked_as_a_phantom_and_look_the_same_inverted(studies: list[ExampleStudy]) -> None:
    films = [data for study in studies if study.modality == "DX" for data in study.files()]
    for data in films:
        header = read_header(data)
        assert "PHANTOM" in header.series_description
        assert "PHANTOM" in header.body_part
        assert (header.rows, header.columns) == (1800, 1500)
    assert dcmread(BytesIO(films[2])).PhotometricInterpretation == "MONOCHROME1"
    frontal, inverted = (
        np.asarray(Image.open(BytesIO(rendered(data, format="png", max_size=300)))).astype(int)
        for data in (films[0], films[2])
    )
    assert np.abs(frontal - inverted).mean() < 2
    assert frontal.std() > 40


def test_one_study_comes_without_an_order_and_one_in_two_films(studies: list[ExampleStudy]) -> None:
    assert [study.name for study in studies if not study.accession_number] == ["dr-without-order"]
    assert [len(study.datasets) for study in studies if study.name == "dr-two-views"] == [2]

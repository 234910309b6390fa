"""The DICOMweb services as an unmodified client of others uses them, over TCP."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset, dcmread

from telemed.web.app import create_app
from telemed.web.server import Server
from tests.cast import Cast
from tests.factories.dicom import dr_bytes, ecg_bytes, uid
from tests.integration.web.conftest import Joined, Program
from tests.integration.web.test_wado import compressed

dicomweb_client = pytest.importorskip(
    "dicomweb_client", reason="dicomweb-client is not installed: pip install dicomweb-client"
)


@pytest.fixture
def address(cast: Cast) -> Iterator[str]:
    """A house without a public address of its own: what it tells must lead to where it was asked."""
    app = create_app(Joined(cast.world, replace(cast.settings, public_url="")))
    server = Server(app, "127.0.0.1", 0)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
    assert not thread.is_alive()


@pytest.fixture
def client(address: str, program: Callable[[str], Program]) -> Iterator[Any]:
    token = program("technician").http.headers["Authorization"]
    made = dicomweb_client.DICOMwebClient(f"{address}/dicom-web", headers={"Authorization": token})
    yield made
    made._session.close()


def film(number: int) -> bytes:
    return dr_bytes(
        patient_id="FIC-P5",
        patient_name="测^试辰",
        study_uid=uid("films"),
        series_uid=uid("films", "series"),
        sop_uid=uid("films", number),
        InstanceNumber=number,
    )


def opened(data: bytes) -> Dataset:
    return dcmread(io.BytesIO(data))


STUDY, SERIES = str(uid("films")), str(uid("films", "series"))


@pytest.fixture
def archive(client: Any) -> Any:
    """Two films, the second one RLE compressed, and an ECG: all sent by the client itself."""
    stored = client.store_instances([opened(film(1)), opened(compressed(film(2)))])
    assert len(stored.ReferencedSOPSequence) == 2
    assert "FailedSOPSequence" not in stored
    client.store_instances(
        [opened(ecg_bytes(patient_id="FIC-P6", patient_name="虚^构", study_uid=uid("curves")))]
    )
    return client


def test_it_stores_into_the_study_that_it_names_and_no_other(client: Any) -> None:
    kept = client.store_instances([opened(film(1))], study_instance_uid=STUDY)
    assert kept.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == uid("films", 1)
    other = opened(ecg_bytes(patient_id="FIC-P6", study_uid=uid("curves")))
    mixed = client.store_instances([opened(film(2)), other], study_instance_uid=STUDY)
    assert mixed.FailedSOPSequence[0].FailureReason == 0xA900


def test_it_searches_at_every_level(archive: Any) -> None:
    studies = archive.search_for_studies(search_filters={"PatientName": "ceshi*"}, fuzzymatching=True)
    assert [one["0020000D"]["Value"] for one in studies] == [[STUDY]]
    everything = archive.search_for_studies(get_remaining=True, limit=1, fields=["SOPClassesInStudy"])
    assert [one["0020000D"]["Value"][0] for one in everything] == [str(uid("curves")), STUDY]
    assert all("00080062" in one for one in everything)
    (series,) = archive.search_for_series(STUDY, search_filters={"Modality": "DX"})
    assert series["0020000E"]["Value"] == [SERIES]
    objects = archive.search_for_instances(STUDY, SERIES)
    assert [one["00080018"]["Value"][0] for one in objects] == [str(uid("films", n)) for n in (1, 2)]
    assert len(archive.search_for_instances()) == 3
    assert archive.search_for_studies(search_filters={"PatientID": "nobody"}) == []
    described = Dataset.from_json(objects[0])
    assert (described.Rows, described.InstanceNumber) == (48, 1)


def test_it_retrieves_studies_series_and_instances(archive: Any) -> None:
    sent = [opened(film(1)), opened(compressed(film(2)))]
    assert archive.retrieve_study(STUDY) == sent
    assert list(archive.iter_series(STUDY, SERIES)) == sent
    plain = archive.retrieve_instance(
        STUDY, SERIES, str(uid("films", 2)), media_types=(("application/dicom", "1.2.840.10008.1.2.1"),)
    )
    assert np.array_equal(plain.pixel_array, opened(film(2)).pixel_array)
    assert plain.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"


def test_it_retrieves_metadata_frames_and_bulk_data(archive: Any) -> None:
    described = archive.retrieve_study_metadata(STUDY)
    assert [one["00200013"]["Value"] for one in described] == [[1], [2]]
    for number in (1, 2):
        samples = opened(film(number)).PixelData
        (frame,) = archive.retrieve_instance_frames(
            STUDY, SERIES, str(uid("films", number)), [1], media_types=("application/octet-stream",)
        )
        assert frame == samples
    (stream,) = archive.retrieve_instance_frames(STUDY, SERIES, str(uid("films", 2)), [1])
    assert stream in compressed(film(2))
    address = described[0]["7FE00010"]["BulkDataURI"]
    assert archive.retrieve_bulkdata(address) == [opened(film(1)).PixelData]
    (curve,) = archive.retrieve_study_metadata(str(uid("curves")))
    wave = curve["54000100"]["Value"][0]["54001010"]["BulkDataURI"]
    assert len(archive.retrieve_bulkdata(wave)[0]) == 5000 * 12 * 2


def test_it_retrieves_pictures(archive: Any) -> None:
    where = (STUDY, SERIES, str(uid("films", 1)))
    for kind, form in (("image/jpeg", "JPEG"), ("image/png", "PNG")):
        picture = Image.open(io.BytesIO(archive.retrieve_instance_rendered(*where, media_types=(kind,))))
        assert (picture.format, picture.size) == (form, (64, 48))
    frame = archive.retrieve_instance_frames_rendered(*where, [1], media_types=("image/png",))
    assert Image.open(io.BytesIO(frame)).size == (64, 48)

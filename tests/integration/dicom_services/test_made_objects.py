"""What models said, fetched by another program: DCMTK gets it, reads it, and draws the picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset, dcmread

from telemed.domain.analysis import Analysis, Finding, HeatMap, Statement
from telemed.domain.people import MadeObjects
from telemed.imaging.waveform import read_waveform
from telemed.imaging.waveform.marks import pack_marks
from tests.cast import TOWNSHIP_A1, approve_model
from tests.factories.dicom import dr_bytes, ecg_bytes, uid
from tests.integration.dicom_services.conftest import AE_TITLE, OpenNode, dcmtk
from tests.integration.web.test_film_case import FilmModel, with_film_models

STUDY = str(uid("made", "fetched"))
BEATS = np.array([[1.0, 1.05, 1.1], [1.9, 1.95, 2.0]])
MAP = HeatMap("tb", ((0.0, 0.0), (0.0, 1.0)), (0.0, 0.0, 1.0, 1.0))


def answering(door: OpenNode) -> None:
    """The stand-ins of both kinds answer with all that an answer can hold, and the site wants every object of it."""
    cast = door.cast
    analyser: Any = cast.analyser
    identity = analyser._identity()
    film = Analysis(identity, True, findings=(Finding("tb", 0.8, 0.4, True),), heat_map=MAP)
    with_film_models(cast, film, "fictional-film")
    curve = Analysis(
        identity,
        True,
        findings=(Finding("AFIB", 0.1, 0.5, False),),
        measurements={"heart_rate_bpm": 72.0, "qrs_ms": 96.0},
        leads={"V2": {"r_mv": 0.5, "s_mv": -1.2, "st_j_mv": 0.1}},
        statements=(Statement("ecg.left_axis", {"zh": "电轴左偏", "en": "Left axis deviation"}),),
        wave_marks=pack_marks([{"P": BEATS[:0], "QRS": BEATS, "T": BEATS + 0.2}] * 12),
    )
    analyser.analyse = lambda *_, **__: curve
    with cast.world.unit_of_work() as uow:
        site = uow.institutions.get(cast.sites[TOWNSHIP_A1].id)
        site.made_objects = MadeObjects.ALL
        approve_model(cast.world, uow, site, cast.people["admin"], FilmModel())
        uow.commit()


def got(door: OpenNode, folder: Path) -> dict[str, tuple[Path, Dataset]]:
    """What getscu fetches of the study, by modality; the recording goes by "ECG", its annotated copy by "marks"."""
    folder.mkdir()
    dcmtk(
        "getscu", "-S", "+B", "-od", folder, "-aet", "A1_DR", "-aec", AE_TITLE, "-k", "QueryRetrieveLevel=STUDY",
        "-k", f"StudyInstanceUID={STUDY}", "127.0.0.1", door.port,
    )  # fmt: skip
    found = {}
    for path in folder.iterdir():
        ds = dcmread(path)
        marked = ds.Modality == "ECG" and "ContributingEquipmentSequence" in ds
        found["marks" if marked else str(ds.Modality)] = (path, ds)
    return found


@pytest.mark.dcmtk
def test_a_recording_s_objects_are_fetched_and_read(door: OpenNode, tmp_path: Path) -> None:
    answering(door)
    file = ecg_bytes(patient_id="R-2", study_uid=STUDY)
    door.put(file)
    door.cast.clock.move(seconds=60)
    door.cast.run_jobs()
    found = got(door, tmp_path / "ecg")
    assert found.keys() == {"ECG", "SR", "marks"}
    said = dcmtk("dsrdump", found["SR"][0])
    for line in (
        '<contains NUM:(,,"Heart rate")="72.0" (/min,UCUM,"per minute")>',
        '<has concept mod CODE:(,,"Lead ID")=(2:4,MDC,"Lead V2")>',
        '<contains NUM:(,,"J point Amplitude, per lead")="0.1" (mV,UCUM,"millivolt")>',
    ):
        assert line in said, line
    path, marks = found["marks"]
    waves = [one for one in marks.WaveformAnnotationSequence if "TemporalRangeType" in one]
    # Onset to offset and peaks, of QRS and T, in twelve channels.
    assert len(waves) == 12 * 2 * 2
    assert dcmtk("dcmdump", path).count("MULTISEGMENT") == 12 * 2
    assert np.array_equal(read_waveform(path.read_bytes()).samples, read_waveform(file).samples)


@pytest.mark.dcmtk
def test_a_film_s_attention_picture_is_fetched_and_drawn_by_another_program(
    door: OpenNode, tmp_path: Path
) -> None:
    answering(door)
    film = np.full((480, 640), 2000, np.uint16)
    door.put(dr_bytes(film, patient_id="R-2", study_uid=STUDY))
    door.cast.clock.move(seconds=60)
    door.cast.run_jobs()
    found = got(door, tmp_path / "film")
    assert found.keys() == {"DX", "SR", "OT"}
    drawn = tmp_path / "picture.png"
    dcmtk("dcm2pnm", "+on", found["OT"][0], drawn)
    picture = np.asarray(Image.open(drawn).convert("RGB")).astype(int)
    warm = picture[..., 0] - picture[..., 2]
    assert warm[470, 630] > 60
    assert abs(warm[10, 10]) < 10

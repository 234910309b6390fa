"""Files become objects, durably, once, and with what speaks against them."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from telemed.adapters.objects.disk import RealDisk
from telemed.application.complete import complete_study
from telemed.application.import_ecg import GivenPatient, Imported, ImportFile, import_files
from telemed.application.objects import place_object, read_object
from telemed.domain.study import Reception
from telemed.imaging.source_block import read_source
from tests.factories.dicom import ecg_bytes, group
from tests.receiving import Site, site
from tests.unit.formats import samples

if TYPE_CHECKING:
    from collections.abc import Iterator

SHARED = Path(__file__).parents[3] / "shared" / "data" / "ecg" / "formats"
HEADER, SIGNALS = samples.wfdb()


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as here:
        yield here


def take(here: Site, *files: tuple[str, bytes], **given: str) -> list[Imported]:
    return import_files(
        here.world,
        institution_id=here.institution_id,
        consortium_id=here.consortium_id,
        files=[ImportFile(name, data) for name, data in files],
        patient=GivenPatient(**given),  # type: ignore[arg-type]
    )


def test_every_kind_of_file_becomes_a_study_of_its_own(town: Site) -> None:
    answers = take(
        town,
        ("a.scp", samples.scp()),
        ("b.xml", samples.aecg().encode()),
        ("c.xml", samples.sierra()),
        ("r.hea", HEADER),
        ("r.dat", SIGNALS["r.dat"]),
        ("d.pdf", samples.PDF),
        ("e.jpg", samples.picture()),
        ("f.png", samples.picture("PNG")),
        ("g", ecg_bytes(group())),
    )
    assert [answer.fault for answer in answers] == [None] * 8
    assert answers[3].names == ("r.hea", "r.dat")
    assert {answer.received.reception for answer in answers if answer.received} == {Reception.NEW}
    assert town.count("study") == town.count("stored_object") == 8
    assert town.column("study", "modality") == ["ECG"] * 8
    assert town.half_written() == []
    assert len(town.spool_files()) == 8
    assert town.waker.woken > 0


def test_the_same_file_again_is_a_repeat_and_leaves_nothing_behind(town: Site) -> None:
    for reception in (Reception.NEW, Reception.REPEAT, Reception.REPEAT):
        (answer,) = take(town, ("a.scp", samples.scp()))
        assert answer.received is not None
        assert answer.received.reception is reception
    assert town.count("study") == town.count("stored_object") == len(town.spool_files()) == 1


def test_the_same_file_for_another_patient_is_put_before_a_person(town: Site) -> None:
    take(town, ("a.scp", samples.scp()), patient_id="1")
    (answer,) = take(town, ("a.scp", samples.scp()), patient_id="2")
    assert answer.received is not None
    assert answer.received.reception is Reception.CONFLICT
    assert town.count("study") == 1


def test_a_bad_file_stops_no_other_and_says_why(town: Site) -> None:
    whole = samples.scp()
    answers = take(
        town,
        ("cut.scp", whole[:-100]),
        ("letter.txt", b"Dear colleague,\n"),
        ("good.scp", whole),
        ("empty.xml", b"<AnnotatedECG/>"),
        ("alone.hea", HEADER),
    )
    codes = [answer.fault.code if answer.fault else None for answer in answers]
    assert codes == [
        "format.scp_cut",
        "format.unknown",
        None,
        "format.aecg_empty",
        "format.wfdb_signal_missing",
    ]
    assert town.count("stored_object") == len(town.spool_files()) == 1
    assert town.half_written() == []


def test_signals_are_found_beside_their_own_header_only(town: Site) -> None:
    answers = take(town, ("x/r.hea", HEADER), ("y/r.dat", SIGNALS["r.dat"]))
    assert [answer.fault and answer.fault.code for answer in answers] == [
        "format.wfdb_signal_missing",
        "format.wfdb_header_missing",
    ]


def test_a_recording_that_contradicts_itself_is_kept_and_the_technician_is_told(town: Site) -> None:
    leads = dict(samples.in_units(10, 4.0))
    leads["aVR"] = -leads["aVR"]
    (answer,) = take(town, ("x.xml", samples.aecg(leads).encode()))
    assert answer.received is not None
    assert [reason.code for reason in answer.reasons] == ["quality.einthoven"]
    complete_study(town.world, study_id=answer.received.study_id)
    (stored,) = town.column("stored_object", "quality")
    assert stored.startswith("quality.einthoven:I,II,III")


def test_paper_is_kept_and_said_to_hold_no_waveform(town: Site) -> None:
    pdf, photo = take(town, ("a.pdf", samples.PDF), ("b.jpg", samples.picture()), patient_id="P-1")
    assert [reason.code for reason in pdf.reasons] == ["waveform.encapsulated_pdf"]
    assert [reason.code for reason in photo.reasons] == ["waveform.no_waveform"]
    for answer in (pdf, photo):
        assert answer.received is not None
        complete_study(town.world, study_id=answer.received.study_id)
    assert town.column("reading_case", "modality") == ["ECG", "ECG"]


def test_the_source_comes_back_from_the_final_place(town: Site) -> None:
    data = samples.sierra()
    (answer,) = take(town, ("a.xml", data))
    assert answer.received is not None
    place_object(town.world, object_id=answer.received.object_id)
    assert town.spool_files() == []
    with town.world.unit_of_work(write=False) as uow:
        stored = uow.studies.object(answer.received.object_id)
    kept = read_source(read_object(town.world, stored))
    assert kept is not None
    assert kept[1][0].data == data


class FullDisk(RealDisk):
    def fsync(self, handle: int) -> None:
        raise OSError(errno.ENOSPC, "no space left")


def test_on_a_full_disk_nothing_is_promised_and_the_file_may_come_again(tmp_path: Path) -> None:
    with site(tmp_path, FullDisk()) as here:
        (answer,) = take(here, ("a.scp", samples.scp()))
        assert answer.fault is not None
        assert (answer.fault.code, answer.again_later) == ("error.disk_full", True)
        assert here.count("stored_object") == 0
        assert here.spool_files() == []


@pytest.mark.shared_data
@pytest.mark.skipif(not SHARED.is_dir(), reason="the example recordings (../shared/data/ecg) are not here")
def test_the_files_of_real_machines_end_where_they_should(town: Site) -> None:
    files = [(str(path), path.read_bytes()) for path in sorted(SHARED.rglob("*")) if path.is_file()]
    assert len(files) == 17
    by_name = {Path(answer.names[0]).name: answer for answer in take(town, *files)}
    refused = {name: answer.fault.code for name, answer in by_name.items() if answer.fault}
    assert refused == {
        "empty.xml": "format.aecg_empty",
        "invalid-doc-type.xml": "format.sierra_type",
        "invalid-doc-version.xml": "format.sierra_version",
    }
    doubtful = {name for name, answer in by_name.items() if answer.reasons}
    assert doubtful == {"liryc_hl7aecg_example.xml"} | {n for n in by_name if n.startswith("minimum_")}
    assert [reason.code for reason in by_name["liryc_hl7aecg_example.xml"].reasons] == ["quality.einthoven"]
    assert town.count("stored_object") == 14

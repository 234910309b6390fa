from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest

from telemed.application.import_ecg import GivenPatient, to_objects
from telemed.imaging.errors import HeaderError
from telemed.imaging.formats import FormatError, SourceHeader, read_recording
from telemed.imaging.header import read_header, verify_structure
from telemed.imaging.reading import open_dataset
from telemed.imaging.source_block import read_source
from telemed.imaging.waveform import WaveformError, read_waveform
from tests.unit.formats import samples

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TWELVE, GENERAL, AMBULATORY, WIDE = (f"1.2.840.10008.5.1.4.1.1.9.1.{n}" for n in range(1, 5))
FILES = {
    "scp": samples.scp(),
    "aecg": samples.aecg().encode(),
    "sierra": samples.sierra(),
}
# Type 1 and 2 attributes of the modules of PS3.3 table A.34.3-1 that every imported waveform must have.
TYPE_1 = (
    "SOPClassUID SOPInstanceUID StudyInstanceUID SeriesInstanceUID Modality InstanceNumber ContentDate "
    "ContentTime AcquisitionDateTime WaveformSequence"
)
TYPE_2 = (
    "PatientName PatientID PatientBirthDate PatientSex StudyDate StudyTime ReferringPhysicianName StudyID "
    "AccessionNumber SeriesNumber Manufacturer AcquisitionContextSequence"
)
CHANNEL_1 = (
    "ChannelSourceSequence ChannelSensitivity ChannelSensitivityUnitsSequence "
    "ChannelSensitivityCorrectionFactor ChannelBaseline ChannelSampleSkew WaveformBitsStored"
)


@pytest.mark.parametrize("kind", FILES)
def test_nothing_is_lost_on_the_way_to_dicom(kind: str) -> None:
    recording = read_recording(FILES[kind])
    (made,) = to_objects(FILES[kind])
    before, after = recording.waveform(), read_waveform(made)
    assert np.array_equal(before.samples, after.samples)
    assert (before.sampling_rate, before.resolution_uv) == (after.sampling_rate, after.resolution_uv)
    assert (before.filters, before.annotations) == (after.filters, after.annotations)
    stored = np.frombuffer(open_dataset(made).WaveformSequence[0].WaveformData, "<i2").reshape(-1, 12)
    assert np.array_equal(stored, np.stack([channel.raw for channel in recording.channels], axis=1))


@pytest.mark.parametrize("kind", FILES)
def test_the_object_is_complete(kind: str) -> None:
    (made,) = to_objects(FILES[kind])
    verify_structure(made)
    ds = open_dataset(made)
    assert [name for name in TYPE_1.split() if not ds.get(name)] == []
    assert [name for name in TYPE_2.split() if name not in ds] == []
    assert (ds.SOPClassUID, ds.Modality) == (TWELVE, "ECG")
    assert ds.file_meta.MediaStorageSOPInstanceUID == ds.SOPInstanceUID
    group = ds.WaveformSequence[0]
    assert (group.WaveformBitsAllocated, group.WaveformSampleInterpretation) == (16, "SS")
    for channel in group.ChannelDefinitionSequence:
        assert [name for name in CHANNEL_1.split() if name not in channel] == []


@pytest.mark.parametrize("kind", FILES)
def test_the_source_lies_inside_byte_for_byte(kind: str) -> None:
    (made,) = to_objects(FILES[kind])
    kept = read_source(made)
    assert kept is not None
    assert kept[0] == kind
    assert [file.data for file in kept[1]] == [FILES[kind]]


def test_a_damaged_source_is_noticed() -> None:
    (made,) = to_objects(FILES["aecg"])
    with pytest.raises(HeaderError):
        read_source(made.replace(b"urn:hl7-org:v3", b"urn:hl7-org:v4"))


def test_the_same_file_gives_the_same_bytes_whatever_it_is_called() -> None:
    assert to_objects(FILES["scp"], "a.scp") == to_objects(FILES["scp"], "b.SCP")
    first, second = (read_header(to_objects(FILES[kind])[0]) for kind in ("scp", "aecg"))
    assert first.sop_instance_uid != second.sop_instance_uid
    assert first.study_instance_uid.startswith("2.25.")


def test_a_wfdb_record_keeps_both_files_under_the_names_its_header_uses() -> None:
    header, files = samples.wfdb()
    (made,) = to_objects(header, "whatever.hea", companions={**files, "other.dat": b"not named"})
    kept = read_source(made)
    assert kept is not None
    assert [(file.name, file.data) for file in kept[1]] == [("", header), ("r.dat", files["r.dat"])]


def test_what_a_person_says_wins_over_the_file() -> None:
    given = GivenPatient("T-9", "虚构^患者", "F", date(1960, 1, 2), "ACC-1", NOON)
    header = read_header(to_objects(FILES["aecg"], patient=given)[0])
    assert (header.patient_id, header.patient_name.display, header.sex) == ("T-9", "虚构患者", "F")
    assert (header.birth_date, header.accession_number) == ("19600102", "ACC-1")
    assert (header.study_date, header.study_time, header.timezone_offset) == ("20261120", "120000", "+0000")


def test_a_recording_without_a_time_asks_for_one() -> None:
    header, files = samples.wfdb(time="")
    with pytest.raises(FormatError, match=r"format\.no_time"):
        to_objects(header, companions=files)
    (made,) = to_objects(header, companions=files, patient=GivenPatient(recorded_at=NOON))
    assert read_header(made).study_date == "20261120"


@pytest.mark.parametrize(
    ("rate", "seconds", "factor", "storage_class"),
    [
        (500.0, 4.0, 1, TWELVE),
        (1000.0, 16.0, 1, TWELVE),
        (500.0, 40.0, 1, GENERAL),
        (100.0, 4.0, 1, AMBULATORY),
        (2000.0, 4.0, 1, WIDE),
        (500.0, 4.0, 100, WIDE),
    ],
)
def test_the_smallest_class_that_holds_a_recording_is_chosen(
    rate: float, seconds: float, factor: int, storage_class: str
) -> None:
    from telemed.imaging.ecg_object import Origin, ecg_object
    from telemed.imaging.source_block import SourceFile

    recording = read_recording(samples.aecg(samples.in_units(1, seconds)).encode())
    channels = tuple(
        replace(channel, raw=channel.raw * factor, microvolts_per_unit=1.0 / factor)
        for channel in recording.channels
    )
    recording = replace(recording, channels=channels, sampling_rate=rate)
    origin = Origin("aecg", (SourceFile(b"x"),), SourceHeader(acquired_at=NOON))
    made = ecg_object(recording, origin)
    assert read_header(made).sop_class_uid == storage_class
    # To half a bit of float32: the reader takes the whole group through float64 when one lead needs it.
    assert np.allclose(read_waveform(made).samples, recording.waveform().samples, rtol=1e-7, atol=0)


def test_a_rate_that_no_class_allows_is_refused() -> None:
    data = samples.aecg(increment='<increment value="0.024" unit="s"/>').encode()
    with pytest.raises(WaveformError, match=r"waveform\.sampling_rate\(hertz=42\)"):
        to_objects(data)


def test_absent_spans_stay_absent() -> None:
    data = samples.scp(starts={"V1": 501})
    (made,) = to_objects(data)
    assert np.isnan(read_waveform(made).samples[6, :500]).all()
    assert np.array_equal(
        read_waveform(made).samples, read_recording(data).waveform().samples, equal_nan=True
    )


def test_eight_recorded_leads_are_stored_as_eight_and_read_as_twelve() -> None:
    leads = {
        lead: values for lead, values in samples.in_units(10).items() if lead in ("I", "II") or lead[0] == "V"
    }
    (made,) = to_objects(samples.aecg(leads).encode())
    assert open_dataset(made).WaveformSequence[0].NumberOfWaveformChannels == 8
    assert read_waveform(made).derived == ("III", "aVR", "aVL", "aVF")


def test_texts_that_dicom_forbids_are_made_harmless() -> None:
    data = samples.aecg(name="A\\B=C" + "x" * 100).encode()
    header = read_header(to_objects(data, patient=GivenPatient(patient_id="1\\2\n3"))[0])
    assert header.patient_id == "1 2 3"
    assert header.patient_name.display.startswith("A B C")
    assert len(header.patient_name.raw) <= 64

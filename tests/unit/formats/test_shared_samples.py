"""Files of real machines, where they are on this computer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from telemed.application.import_ecg import GivenPatient, reasons_against, to_objects
from telemed.imaging.formats import FormatError, read_recording, signal_files
from telemed.imaging.header import read_header
from telemed.imaging.waveform import LEADS, einthoven_residual, quality, read_waveform
from tests.unit.formats.test_ecg_object import NOON

ROOT = Path(__file__).parents[4] / "shared" / "data" / "ecg"
FORMATS = ROOT / "formats"
PHILIPS = (
    "2020-5-18_15-48-11",
    "3191723_ZZDEMOPTONLY_1-04_orig",
    "ad4d3d80-d165_1-04_orig",
    "repbeats_example",
)

pytestmark = [
    pytest.mark.shared_data,
    pytest.mark.skipif(
        not FORMATS.is_dir(), reason="the example recordings (../shared/data/ecg) are not here"
    ),
]


def content(name: str) -> bytes:
    return (FORMATS / name).read_bytes()


def test_one_recording_in_two_formats_is_the_same_to_the_bit() -> None:
    scp = read_recording(content("scp-ecg/ecgtoolkit_Example.scp"))
    aecg = read_recording(content("hl7-aecg/HL7_Example_aECG.xml"))
    assert scp.waveform().samples.shape == (12, 5000)
    assert np.array_equal(scp.waveform().samples, aecg.waveform().samples)
    for one, other in zip(scp.channels, aecg.channels, strict=True):
        assert one.lead == other.lead
        assert np.array_equal(one.raw, other.raw)
    assert (scp.header.patient_id, scp.header.acquired_at) == (
        aecg.header.patient_id,
        aecg.header.acquired_at,
    )
    # Einthoven ties the two to physics, not only to each other.
    assert einthoven_residual(scp.waveform()) <= 0.005


@pytest.mark.parametrize("name", PHILIPS)
def test_philips_files_end_where_the_ecg_ends(name: str) -> None:
    recording = read_recording(content(f"philips-sierra/{name}.xml"))
    assert [channel.lead for channel in recording.channels] == list(LEADS)
    assert 10.5 <= recording.waveform().duration <= 10.6
    assert recording.channels[0].microvolts_per_unit == 5.0
    assert einthoven_residual(recording.waveform()) <= 0.01
    assert quality(recording.waveform()) == []
    # Something moves in the last tenth of a second: neither zeros nor the pulse were left.
    assert np.ptp(recording.channels[1].raw[-50:]) > 0


@pytest.mark.parametrize(
    ("name", "code"), [("invalid-doc-type", "sierra_type"), ("invalid-doc-version", "sierra_version")]
)
def test_invalid_philips_files_are_refused(name: str, code: str) -> None:
    with pytest.raises(FormatError, match=rf"format\.{code}"):
        read_recording(content(f"philips-sierra/{name}.xml"))


def test_an_empty_aecg_is_refused() -> None:
    with pytest.raises(FormatError, match=r"format\.aecg_empty"):
        read_recording(content("hl7-aecg/empty.xml"))


def test_a_cut_scp_is_refused() -> None:
    with pytest.raises(FormatError, match=r"format\.scp_cut"):
        read_recording(content("scp-ecg/ecgtoolkit_Example.scp")[:20_000])


def test_leads_that_contradict_each_other_are_kept_with_the_reason() -> None:
    (made,) = to_objects(content("hl7-aecg/liryc_hl7aecg_example.xml"))
    (reason,) = reasons_against(made, read_header(made))
    assert reason.code == "quality.einthoven"
    assert read_waveform(made).sampling_rate == 100.0


@pytest.mark.parametrize(
    "form", ["", "_effectiveTime_high", "_effectiveTime_interval", "_effectiveTime_low", "_nouuid"]
)
def test_one_lead_is_kept_and_said_to_be_no_twelve(form: str) -> None:
    (made,) = to_objects(content(f"hl7-aecg/minimum_aecg{form}.xml"))
    header = read_header(made)
    assert (header.patient_id, header.study_date) == ("SBJ-123", "20021122")
    assert [reason.code for reason in reasons_against(made, header)] == ["waveform.not_twelve_leads"]


@pytest.mark.parametrize("folder", ["china", "ptbxl/records500/00000", "ludb/data"])
def test_collections_of_wfdb_survive_the_way_to_dicom(folder: str) -> None:
    headers = sorted((ROOT / folder).glob("*.hea"))[:12]
    assert headers
    for path in headers:
        header = path.read_bytes()
        beside = {name: (path.parent / name).read_bytes() for name in signal_files(header)}
        recording = read_recording(header, path.name, beside)
        (made,) = to_objects(header, path.name, companions=beside, patient=GivenPatient(recorded_at=NOON))
        assert len(recording.channels) == 12
        assert np.array_equal(read_waveform(made).samples, recording.waveform().samples, equal_nan=True)

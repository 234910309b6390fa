"""What a model says as DICOM objects: the report, the attention picture, the annotated recording."""

from __future__ import annotations

import base64
import zlib
from dataclasses import replace
from datetime import datetime
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from pydicom import Dataset, dcmread

from telemed.domain.analysis import Analysis, Code, Finding, HeatMap, ModelIdentity, Statement
from telemed.imaging.header import read_header
from telemed.imaging.machine_objects.annotated import annotated_recording
from telemed.imaging.machine_objects.attention import attention_picture, colour_share, overlaid
from telemed.imaging.machine_objects.report import findings_report
from telemed.imaging.machine_objects.subject import MadeKind, Subject
from telemed.imaging.waveform import LEADS as WAVEFORM_LEADS
from telemed.imaging.waveform import read_waveform
from telemed.imaging.waveform.marks import pack_marks, unpack_marks
from tests.factories.dicom import dr_bytes, ecg_bytes
from tests.integration.dicom_services.conftest import dcmtk

SHA = "ab" * 32
MODEL = ModelIdentity("fictional", "1.2.0", SHA, "steps/1", "fp32", "none", "none", "none")
SNOMED = "http://snomed.info/sct"
MAP = HeatMap("tb", ((0.0, 0.0), (0.0, 1.0)), (0.0, 0.0, 1.0, 1.0))
ECG = Analysis(
    MODEL,
    True,
    findings=(Finding("AFIB", 0.97, 0.5, True, Code(SNOMED, "49436004", "Atrial fibrillation")),),
    measurements={"heart_rate_bpm": 71.26, "qrs_ms": 92.0, "qrs_typical_lead_ms": 88.0},
    statements=(
        Statement("ecg.left_axis", {"zh": "电轴左偏", "en": "Left axis deviation"}),
        Statement(
            "ecg.pac",
            {"zh": "房性期前收缩可能", "en": "Atrial premature beats possible"},
            "consider",
            (Code(SNOMED, "284470004", "Atrial premature beats possible"),),
        ),
    ),
)
LEADS = {
    "V2": {
        "p_mv": -0.0312,
        "q_mv": 0.0,
        "r_mv": 0.5,
        "s_mv": -1.2,
        "t_mv": 0.41,
        "st_j_mv": 0.1046,
        "st_j60_mv": 0.12,
    },
    "aVR": {},
}
FILM = Analysis(MODEL, True, findings=(Finding("tb", 0.2, 0.4, False),), heat_map=MAP)
FILE = ecg_bytes(patient_id="FIC-P1", patient_name="Ceshi^Jia=测试甲")


def subject(file: bytes, analysis: Analysis = ECG, key: str = "k") -> Subject:
    made_at = datetime(2026, 11, 22, 7, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
    return Subject(read_header(file), analysis, "site", key, made_at)


def read(content: bytes) -> Dataset:
    return dcmread(BytesIO(content))


def items(ds: Dataset) -> list[Dataset]:
    """Every content item, in the order of the tree."""
    found = []
    for item in ds.get("ContentSequence", []):
        found += [item, *items(item)]
    return found


def named(ds: Dataset, meaning: str) -> list[Dataset]:
    return [one for one in items(ds) if one.ConceptNameCodeSequence[0].CodeMeaning == meaning]


def test_a_report_says_what_the_model_said_of_which_recording_and_which_model_it_was() -> None:
    report = read(findings_report(subject(FILE)))
    source = read_header(FILE)
    assert report.SOPClassUID == "1.2.840.10008.5.1.4.1.1.88.33"
    assert report.ContentTemplateSequence[0].TemplateIdentifier == "1500"
    assert (report.PatientID, str(report.PatientName)) == ("FIC-P1", "Ceshi^Jia=测试甲")
    assert report.StudyInstanceUID == source.study_instance_uid
    assert report.SeriesInstanceUID != source.series_instance_uid
    assert (report.VerificationFlag, report.PreliminaryFlag) == ("UNVERIFIED", "PRELIMINARY")
    assert (report.ContentDate, report.ContentTime, report.TimezoneOffsetFromUTC) == (
        "20261122",
        "073000",
        "+0800",
    )
    groups = named(report, "Measurement Group")
    assert len(groups) == 3
    for group in groups:
        assert named(group, "Algorithm Name")[0].TextValue == "fictional"
        assert named(group, "Algorithm Version")[0].TextValue == "1.2.0"
        assert f"sha256 {SHA}" in [one.TextValue for one in named(group, "Algorithm Parameters")]
        (on,) = named(group, "Source of Measurement")
        assert on.ValueType == "WAVEFORM"
        assert on.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == source.sop_instance_uid
    finding, measured, said = groups
    assert named(finding, "Finding")[0].ConceptCodeSequence[0].CodeValue == "49436004"
    assert named(finding, "Probability")[0].MeasuredValueSequence[0].NumericValue == 0.97
    flag = named(finding, "Probability against the threshold")[0]
    assert flag.ConceptCodeSequence[0].CodeMeaning == "Threshold reached"
    assert named(measured, "Heart rate")[0].MeasuredValueSequence[0].NumericValue == 71.3
    qrs = named(measured, "QRS duration global")[0]
    assert qrs.MeasuredValueSequence[0].MeasurementUnitsCodeSequence[0].CodeValue == "ms"
    # One that was only to be considered is not a finding.
    assert named(said, "Finding")[0].ConceptCodeSequence[0].CodingSchemeDesignator == "99TELEMED"
    assert (
        named(said, "Possible finding, to be considered")[0].ConceptCodeSequence[0].CodeValue == "284470004"
    )
    assert "电轴左偏 / Left axis deviation" in [one.TextValue for one in named(said, "Comment")]
    evidence = report.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0]
    assert evidence.SeriesInstanceUID == source.series_instance_uid
    assert report.ContributingEquipmentSequence[-1].SoftwareVersions == ["1.2.0", SHA]


def test_what_was_measured_in_a_lead_stands_in_a_container_of_that_lead() -> None:
    """TID 3714 of PS3.16, with the codes of ISO/IEEE 11073-10102 in CID 3001 and 3688."""
    report = read(findings_report(subject(FILE, replace(ECG, leads=LEADS))))
    (container,) = named(report, "ECG Lead Measurements")
    assert container.ContentTemplateSequence[0].TemplateIdentifier == "3714"
    lead, method, *values = container.ContentSequence
    assert (lead.RelationshipType, lead.ConceptCodeSequence[0].CodeValue) == ("HAS CONCEPT MOD", "2:4")
    assert method.ConceptCodeSequence[0].CodeMeaning == "Median"
    found = {
        one.ConceptNameCodeSequence[0].CodeValue: one.MeasuredValueSequence[0].NumericValue for one in values
    }
    # An inverted P has a minimum, an upright T a maximum; ST at J and J+60.
    assert found == {
        "2:1536": -0.031,
        "2:1792": 0.0,
        "2:2048": 0.5,
        "2:2304": -1.2,
        "2:2560": 0.41,
        "2:1024": 0.105,
        "2:14336": 0.12,
    }
    units = {one.MeasuredValueSequence[0].MeasurementUnitsCodeSequence[0].CodeValue for one in values}
    assert units == {"mV"}


def test_the_same_answer_gives_the_same_bytes_and_another_one_another_object() -> None:
    first = findings_report(subject(FILE))
    assert findings_report(subject(FILE)) == first
    other = replace(subject(FILE), result_key="another key")
    assert read(findings_report(other)).SOPInstanceUID != read(first).SOPInstanceUID
    # A model of another digest has a series of its own; another answer of the same model joins this one.
    assert other.series_uid(MadeKind.REPORT) == subject(FILE).series_uid(MadeKind.REPORT)
    digest = replace(ECG, model=replace(MODEL, sha256="cd" * 32))
    assert subject(FILE, digest).series_uid(MadeKind.REPORT) != subject(FILE).series_uid(MadeKind.REPORT)


def test_out_of_domain_there_is_nothing_to_report() -> None:
    refused = Analysis(MODEL, False, "waveform.child")
    with pytest.raises(ValueError, match="out of domain"):
        findings_report(subject(FILE, refused))


@pytest.mark.dcmtk
def test_an_independent_program_reads_the_reports(tmp_path: Path) -> None:
    film = dr_bytes()
    for name, content in (
        ("ecg", findings_report(subject(FILE, replace(ECG, leads=LEADS)))),
        ("film", findings_report(subject(film, FILM))),
    ):
        path = tmp_path / f"{name}.dcm"
        path.write_bytes(content)
        said = dcmtk("dsrdump", path)
        assert "Comprehensive SR Document" in said
        assert '"Algorithm Version")="1.2.0"' in said
        if name == "ecg":
            assert '<has concept mod CODE:(,,"Lead ID")=(2:4,MDC,"Lead V2")>' in said
            assert '<contains NUM:(,,"S amplitude, per lead")="-1.2" (mV,UCUM,"millivolt")>' in said
    assert 'IMAGE:(,,"Source of Measurement")=(DX image' in said


def test_an_attention_picture_is_marked_and_coloured_where_the_evidence_lay() -> None:
    film = dr_bytes(np.full((480, 640), 2000, np.uint16))
    picture = read(attention_picture(subject(film, FILM), film))
    assert picture.SOPClassUID == "1.2.840.10008.5.1.4.1.1.7"
    assert picture.ImageType[:2] == ["DERIVED", "SECONDARY"]
    assert (picture.BurnedInAnnotation, picture.Columns) == ("YES", 640)
    assert "no outline" in picture.DerivationDescription
    assert picture.ContributingEquipmentSequence[-1].ManufacturerModelName == "fictional"
    pixels = picture.pixel_array.astype(int)
    warm = pixels[..., 0] - pixels[..., 2]
    assert warm[470, 630] > 60
    assert abs(warm[10, 10]) < 10
    # The band beneath the film, with its words.
    assert picture.Rows > 480
    assert pixels[480:].max() > 100
    assert attention_picture(subject(film, FILM), film) == attention_picture(subject(film, FILM), film)


def test_a_map_of_a_squared_film_lies_where_the_film_is() -> None:
    grey = np.full((100, 50, 3), 100, np.uint8)
    wide = HeatMap("tb", ((1.0, 1.0), (0.0, 0.0)), (-0.5, 0.0, 1.5, 1.0))
    warm = overlaid(grey, wide).astype(int)
    assert (warm[5, :, 0] > 150).all()
    assert (warm[95] == 100).all()


def test_of_a_film_that_is_evidence_all_over_only_the_strongest_quarter_is_coloured() -> None:
    """The rule of the readers' page: nothing below a quarter, and how strong is not made up for."""
    everywhere = np.full((8, 8), 0.8, np.float32)
    everywhere[:2, :4] = 0.9
    share = colour_share(everywhere)
    assert (share[:2, :4] == pytest.approx(0.5)) and np.count_nonzero(share) == 8
    assert np.count_nonzero(colour_share(np.full((8, 8), 0.24, np.float32))) == 0
    assert colour_share(np.ones((2, 2), np.float32)).max() == 1
    grey = np.full((80, 80, 3), 100, np.uint8)
    heat = HeatMap(
        "tb", tuple(tuple(float(cell) for cell in row) for row in everywhere), (0.0, 0.0, 1.0, 1.0)
    )
    coloured = (overlaid(grey, heat) != grey).any(axis=2)
    assert coloured[5, 20] and not coloured[50:].any()
    assert coloured.mean() < 0.25


def test_a_recording_goes_with_its_measurements_and_statements_sample_for_sample() -> None:
    made = annotated_recording(subject(FILE), FILE)
    before, after = read_waveform(FILE), read_waveform(made)
    assert np.array_equal(before.samples, after.samples)
    values = {one.code: (one.value, one.unit) for one in after.annotations if one.code}
    assert values == {"8867-4": (71.3, "/min"), "2:16156": (92.0, "ms")}
    texts = [one.text for one in after.annotations if one.text]
    assert texts[0] == f"TELEMED fictional 1.2.0 {SHA[:16]}"
    assert texts[1:] == ["Left axis deviation", "Atrial premature beats possible"]
    head, source = read_header(made), read_header(FILE)
    assert (head.study_instance_uid, head.patient_name) == (source.study_instance_uid, source.patient_name)
    assert head.sop_instance_uid != source.sop_instance_uid
    ds = read(made)
    assert ds.ReferencedInstanceSequence[0].ReferencedSOPInstanceUID == source.sop_instance_uid
    assert ds.AcquisitionDateTime == read(FILE).AcquisitionDateTime


def test_every_wave_is_marked_in_the_channel_it_was_seen_in() -> None:
    """Sample positions counted from one (PS3.3 C.10.10): 500 Hz, so that a millisecond is half a sample."""
    beats = np.array([[0.100, 0.150, 0.200], [0.900, 0.950, 1.000], [9.900, 9.960, 10.020]])
    nothing = np.empty((0, 3))
    leads = [{"P": nothing, "QRS": nothing, "T": nothing} for _ in range(12)]
    leads[7] = {"P": nothing, "QRS": beats, "T": beats[:1] + 0.2}
    marked = replace(ECG, wave_marks=pack_marks(leads))
    made = read(annotated_recording(subject(FILE, marked), FILE))
    marks = [one for one in made.WaveformAnnotationSequence if "TemporalRangeType" in one]
    found = [
        (
            one.ConceptNameCodeSequence[0].CodeValue,
            one.TemporalRangeType,
            list(one.ReferencedWaveformChannels),
            np.atleast_1d(one.ReferencedSamplePositions).tolist(),
        )
        for one in marks
    ]
    # V2 is the eighth channel; the last QRS ends behind the recording.
    assert found == [
        ("10:1600", "MULTISEGMENT", [1, 8], [51, 101, 451, 501]),
        ("10:1600", "MULTIPOINT", [1, 8], [76, 476]),
        ("10:1024", "MULTISEGMENT", [1, 8], [151, 201]),
        ("10:1024", "MULTIPOINT", [1, 8], [176]),
    ]
    # A reader of recordings takes them for what they are: no statement, no measurement.
    assert len(read_waveform(annotated_recording(subject(FILE, marked), FILE)).annotations) == 5


def test_packed_marks_come_out_as_they_went_in_and_nothing_else_is_taken() -> None:
    chance = np.random.default_rng(3)
    counts = {"P": 3, "QRS": 70, "T": 0}
    leads = [
        {wave: np.sort(chance.uniform(0, 60, 3 * n)).reshape(-1, 3) for wave, n in counts.items()}
        for _ in range(12)
    ]
    out = unpack_marks(pack_marks(leads))
    assert list(out) == list(WAVEFORM_LEADS)
    for given, found in zip(leads, out.values(), strict=True):
        for wave, times in given.items():
            assert np.array_equal(found[wave], np.rint(1000 * times).astype(int))
    assert pack_marks([dict.fromkeys(("P", "QRS", "T"), np.empty((0, 3)))] * 12) == ""
    assert unpack_marks("") == {}
    with pytest.raises(ValueError, match="values for"):
        unpack_marks(base64.b64encode(zlib.compress(b"\1\0" * 40)).decode())

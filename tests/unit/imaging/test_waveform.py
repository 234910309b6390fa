"""Twelve leads in millivolts, whatever the device wrote."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.sequence import Sequence
from pydicom.uid import (
    AmbulatoryECGWaveformStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    GeneralECGWaveformStorage,
    HemodynamicWaveformStorage,
    ImplicitVRLittleEndian,
)
from pydicom.waveforms import multiplex_array

from telemed.imaging.waveform import LEADS, WaveformError, from_wire, read_waveform, to_wire
from telemed.imaging.waveform.leads import lead_of_code, lead_of_name
from tests.factories.dicom import beats, channel, code, ecg_bytes, ecg_dataset, group, mdc, part10, scpecg

SHARED = Path("../shared/data/ecg/formats/dicom")
PACKAGED = Path(str(get_testdata_file("waveform_ecg.dcm", download=False)))


def refused(source: bytes) -> WaveformError:
    with pytest.raises(WaveformError) as caught:
        read_waveform(source)
    return caught.value


def agrees_with_pydicom(path: Path, unit_to_mv: float) -> None:
    ours, ds = read_waveform(path.read_bytes()), dcmread(path)
    theirs = ds.waveform_array(0).T * unit_to_mv
    padding = ds.WaveformSequence[0].get("WaveformPaddingValue")
    if padding is not None:
        theirs[np.frombuffer(padding, "<i2")[0] == multiplex_array(ds, 0).T] = np.nan
    assert ours.samples.dtype == np.float32
    np.testing.assert_allclose(ours.samples, theirs, rtol=1e-6, atol=1e-7)


def test_the_packaged_recording_agrees_with_pydicom() -> None:
    agrees_with_pydicom(PACKAGED, 1e-3)


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "unit"), [("mortara_el250_12lead.dcm", 1e-3), ("ge_maclab_hemodynamic_padding.dcm", 1.0)]
)
def test_recordings_of_the_field_agree_with_pydicom(name: str, unit: float) -> None:
    if not SHARED.is_dir():
        pytest.skip("../shared/data is absent")
    agrees_with_pydicom(SHARED / name, unit)


def test_the_rhythm_is_taken_and_what_the_device_says_is_kept() -> None:
    waveform = read_waveform(PACKAGED.read_bytes())
    assert (waveform.label, waveform.sampling_rate, waveform.samples.shape) == ("RHYTHM", 1000.0, (12, 10000))
    assert (waveform.filters.low_hz, waveform.filters.high_hz) == (0.05, 300.0)
    assert [a.value for a in waveform.annotations if a.meaning == "QRS Duration"] == [75.0]
    assert waveform.derived == ()
    assert waveform.resolution_uv == 1.25


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_transfer_syntaxes_give_the_same_samples(syntax: str) -> None:
    np.testing.assert_array_equal(
        read_waveform(ecg_bytes(transfer_syntax=syntax)).samples, read_waveform(ecg_bytes()).samples
    )


def test_big_endian_samples_and_padding() -> None:
    raw = beats()
    raw[10:20, 3] = -32768
    item = group(raw, little=False)
    item.add_new(0x5400100A, "OW", b"\x80\x00")
    samples = read_waveform(ecg_bytes(item, transfer_syntax=ExplicitVRBigEndian)).samples
    expected = raw.T / 1000.0
    expected[3, 10:20] = np.nan
    np.testing.assert_allclose(samples, expected, rtol=1e-6)


@pytest.mark.parametrize("cut", [0, 132])
def test_a_file_without_preamble_is_read(cut: int) -> None:
    data = ecg_bytes()
    np.testing.assert_array_equal(read_waveform(data[cut:]).samples, read_waveform(data).samples)


@pytest.mark.parametrize(
    "sop_class", [GeneralECGWaveformStorage, AmbulatoryECGWaveformStorage, HemodynamicWaveformStorage]
)
def test_the_other_ecg_classes(sop_class: str) -> None:
    waveform = read_waveform(ecg_bytes(sop_class=sop_class))
    np.testing.assert_allclose(waveform.samples, beats().T / 1000.0, rtol=1e-6)


@pytest.mark.parametrize("interpretation", ["SB", "UB", "SS", "US", "SL", "UL", "SV", "UV"])
def test_sample_interpretations(interpretation: str) -> None:
    bits = {"B": 8, "S": 16, "L": 32, "V": 64}[interpretation[1]]
    # Of 64 bits only as many as a float64, and so a voltage, can tell apart.
    used = min(bits, 53)
    low = 0 if interpretation[0] == "U" else -(1 << (used - 1))
    raw = np.random.default_rng(1).integers(low, low + (1 << used), size=(1001, 12))
    item = group(
        raw, [channel(mdc(lead), WaveformBitsStored=bits) for lead in LEADS], interpretation=interpretation
    )
    samples = read_waveform(ecg_bytes(item)).samples
    np.testing.assert_allclose(samples, raw.T * 1e-3, rtol=1e-6)


def test_sensitivity_correction_baseline_and_unit() -> None:
    units = ["uV", "mV", "V", "µV", "mv", "microvolts"]
    factors = [1e-3, 1.0, 1e3, 1e-3, 1.0, 1e-3]
    channels = [
        channel(
            mdc(lead),
            ChannelSensitivity="0.5",
            ChannelSensitivityCorrectionFactor="1.5",
            ChannelBaseline="-3",
            ChannelSensitivityUnitsSequence=Sequence([code(units[n % 6], "UCUM", "")]),
        )
        for n, lead in enumerate(LEADS)
    ]
    raw = beats(2.0)
    expected = (raw.T * 0.75 - 3) * np.array(factors * 2)[:, None]
    waveform = read_waveform(ecg_bytes(group(raw, channels)))
    np.testing.assert_allclose(waveform.samples, expected, rtol=1e-5)
    assert waveform.resolution_uv is None


def test_twelve_bits_in_sixteen_without_sign_are_repaired() -> None:
    raw = beats()
    masked = raw.astype(np.uint16) & 0x0FFF
    channels = [channel(mdc(lead), WaveformBitsStored=12) for lead in LEADS]
    samples = read_waveform(ecg_bytes(group(masked.astype(np.int16), channels))).samples
    np.testing.assert_allclose(samples, raw.T / 1000.0, rtol=1e-6)


def test_a_device_that_understates_its_bits_keeps_its_values() -> None:
    raw = beats() * 3
    channels = [channel(mdc(lead), WaveformBitsStored=8) for lead in LEADS]
    samples = read_waveform(ecg_bytes(group(raw, channels))).samples
    np.testing.assert_allclose(samples, raw.T / 1000.0, rtol=1e-6)


def test_padding_becomes_nan_and_only_padding() -> None:
    raw = beats()
    raw[:100] = -32768
    samples = read_waveform(ecg_bytes(group(raw, WaveformPaddingValue=b"\x00\x80"))).samples
    assert np.isnan(samples[:, :100]).all()
    assert np.isfinite(samples[:, 100:]).all()


def test_an_empty_first_group_and_the_median_beat_are_passed_over() -> None:
    empty = group(np.zeros((0, 12), np.int16), label="MEDIAN BEAT")
    median = group(beats(1.2), label="median beat", originality="DERIVED")
    silent = group(beats(1.0), label="", originality="DERIVED")
    waveform = read_waveform(ecg_bytes(empty, median, silent, group()))
    assert waveform.samples.shape == (12, 5000)


def test_the_longest_whole_group_wins() -> None:
    assert read_waveform(ecg_bytes(group(beats(5)), group(beats(10)))).duration == 10.0


def test_leads_by_code_in_any_order() -> None:
    order = [5, 3, 11, 0, 1, 10, 2, 4, 6, 9, 8, 7]
    for source in (mdc, scpecg):
        item = group(beats()[:, order], [channel(source(LEADS[n])) for n in order])
        np.testing.assert_allclose(read_waveform(ecg_bytes(item)).samples, beats().T / 1000.0, rtol=1e-6)


def test_leads_by_name_when_the_codes_are_copies() -> None:
    item = group(beats(), [channel(code("2:1", "MDC", f"Lead {lead}")) for lead in LEADS])
    np.testing.assert_allclose(read_waveform(ecg_bytes(item)).samples, beats().T / 1000.0, rtol=1e-6)


@pytest.mark.parametrize(
    ("written", "lead"),
    [
        ("I", "I"),
        ("Lead I", "I"),
        ("Lead I (Einthoven)", "I"),
        ("LEAD ii\x00", "II"),
        ("avr", "aVR"),
        ("AVF", "aVF"),
        ("MDC_ECG_LEAD_aVL", "aVL"),
        ("v 1", "V1"),
        ("V6\x00\x00", "V6"),
        ("lead_v3", "V3"),
        ("V1导联", "V1"),
        ("aVR (Goldberger)", "aVR"),
        ("V7", None),
        ("ECG", None),
        ("", None),
    ],
)
def test_written_names(written: str, lead: str | None) -> None:
    assert lead_of_name(written) == lead


@pytest.mark.parametrize(
    ("value", "lead"),
    [("2:61", "III"), ("5.6.3-9-64", "aVF"), ("5.6.3-9-1\x00", "I"), ("2:9", None), ("12:1", None)],
)
def test_codes(value: str, lead: str | None) -> None:
    assert lead_of_code(value) == lead


@pytest.mark.parametrize("limb", [("I", "II"), ("I", "III"), ("II", "III")])
def test_limb_leads_are_computed_from_any_two(limb: tuple[str, str]) -> None:
    kept = [LEADS.index(lead) for lead in (*limb, "V1", "V2", "V3", "V4", "V5", "V6")]
    waveform = read_waveform(ecg_bytes(group(beats()[:, kept], [channel(mdc(LEADS[n])) for n in kept])))
    np.testing.assert_allclose(waveform.samples, beats().T / 1000.0, atol=1e-6)
    assert set(waveform.derived) == set(LEADS[:6]) - set(limb)


def test_leads_spread_over_groups_are_placed_by_their_time() -> None:
    raw = beats(10)
    parts = []
    for n in range(4):
        columns = slice(3 * n, 3 * n + 3)
        rows = slice(1250 * n, 1250 * (n + 1))
        sources = [channel(mdc(lead)) for lead in LEADS[columns]]
        parts.append(group(raw[rows, columns], sources, MultiplexGroupTimeOffset=2500 * n))
    samples = read_waveform(ecg_bytes(*parts)).samples
    assert samples.shape == (12, 5000)
    np.testing.assert_allclose(samples[4, 1250:2500], raw[1250:2500, 4] / 1000.0, rtol=1e-6)
    assert np.isnan(samples[4, :1250]).all()
    assert np.isnan(samples[4, 2500:]).all()


def without(keyword: str, of_channel: bool = False) -> bytes:
    item = group()
    del (item.ChannelDefinitionSequence[4] if of_channel else item)[keyword]
    return ecg_bytes(item)


def test_what_cannot_be_scaled_is_refused_and_names_the_lead() -> None:
    error = refused(without("ChannelSensitivity", of_channel=True))
    assert (error.code, error.params) == ("waveform.no_sensitivity", {"lead": "aVL"})
    error = refused(without("ChannelSensitivityUnitsSequence", of_channel=True))
    assert (error.code, error.params["lead"]) == ("waveform.unknown_unit", "aVL")
    odd = group(
        None,
        [
            channel(mdc(lead), ChannelSensitivityUnitsSequence=Sequence([code("mm[Hg]", "UCUM", "")]))
            for lead in LEADS
        ],
    )
    assert refused(ecg_bytes(odd)).params["unit"] == "mm[Hg]"


def test_broken_groups_are_refused_with_a_reason() -> None:
    assert refused(without("SamplingFrequency")).code == "waveform.no_sampling_rate"
    assert refused(ecg_bytes(group(NumberOfWaveformChannels=8))).code == "waveform.channels_do_not_match"
    short = group(NumberOfWaveformSamples=5001)
    assert refused(ecg_bytes(short)).params == {"expected": 120024, "found": 120000}
    assert refused(ecg_bytes(group(WaveformSampleInterpretation="MB"))).code == "waveform.unsupported_samples"
    far = [group(), group(MultiplexGroupTimeOffset=1e9)]
    for item, columns in zip(far, (slice(0, 6), slice(6, 12)), strict=True):
        item.ChannelDefinitionSequence = item.ChannelDefinitionSequence[columns]
        item.NumberOfWaveformChannels = 6
    assert refused(ecg_bytes(*far)).code == "waveform.too_long"


def test_objects_without_twelve_leads_are_refused_with_a_reason() -> None:
    kept = [0, 1, 6, 7, 8]
    few = group(beats()[:, kept], [channel(mdc(LEADS[n])) for n in kept])
    error = refused(ecg_bytes(few))
    assert (error.code, error.params["missing"]) == ("waveform.not_twelve_leads", "V4, V5, V6")
    assert refused(ecg_bytes(group(beats(1.2), label="MEDIAN BEAT"))).code == "waveform.only_median_beat"
    assert refused(b"no DICOM at all, a plain text" * 20).code == "waveform.unreadable"
    assert refused(b"").code == "waveform.unreadable"
    ds = ecg_dataset()
    del ds.WaveformSequence
    assert refused(part10(ds)).code == "waveform.no_waveform"
    ds.EncapsulatedDocument, ds.MIMETypeOfEncapsulatedDocument = b"%PDF-1.4", "application/pdf"
    assert refused(part10(ds)).code == "waveform.encapsulated_pdf"


ECG = ecg_bytes(group(beats(0.2)))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(132, len(ECG) - 1), st.integers(0, 255)), min_size=1, max_size=12))
@pytest.mark.filterwarnings("ignore")  # pydicom remarks on many of the values that chance makes
def test_a_damaged_file_is_refused_by_name_or_gives_twelve_leads(changes: list[tuple[int, int]]) -> None:
    damaged = bytearray(ECG)
    for at, value in changes:
        damaged[at] = value
    try:
        waveform = read_waveform(bytes(damaged))
    except WaveformError as error:
        assert error.code.startswith("waveform.")
    else:
        assert waveform.samples.shape[0] == 12


def test_the_wire_form_keeps_every_bit_of_the_device() -> None:
    waveform = read_waveform(PACKAGED.read_bytes())
    head, body = to_wire(waveform)
    assert head == {
        "leads": list(LEADS),
        "sampling_rate": 1000.0,
        "samples": 10000,
        "microvolts_per_unit": 1.25,
        "missing": -32768,
    }
    stored = np.frombuffer(dcmread(PACKAGED).WaveformSequence[0].WaveformData, "<i2").reshape(10000, 12)
    np.testing.assert_array_equal(np.frombuffer(body, "<i2").reshape(12, 10000), stored.T)


def test_the_wire_form_marks_what_is_missing_and_fits_large_deflections() -> None:
    raw = beats().astype(np.int32) * 100
    raw[7, 2] = -(1 << 31)
    item = group(raw, [channel(mdc(lead), WaveformBitsStored=32) for lead in LEADS], interpretation="SL")
    item.WaveformPaddingValue = b"\x00\x00\x00\x80"
    waveform = read_waveform(ecg_bytes(item))
    head, body = to_wire(waveform)
    flat = np.frombuffer(body, "<i2").reshape(12, -1)
    assert flat[2, 7] == head["missing"]
    assert np.count_nonzero(flat == head["missing"]) == 1
    back = from_wire(head, body)
    np.testing.assert_allclose(back.samples, waveform.samples, atol=0.51e-3 * head["microvolts_per_unit"])

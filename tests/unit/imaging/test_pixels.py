"""Pictures against a plain full-precision computation."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pydicom.data
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, get_frame
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, JPEG2000Lossless, RLELossless

from telemed.imaging.pixels import PixelError, Window, decode_frame, rendered
from telemed.imaging.pixels.codestream import claimed_size
from tests.factories.dicom import dr_bytes, dr_dataset, part10

FILES = Path(pydicom.data.__file__).parent / "test_files"
GRAY = [
    "693_J2KI.dcm", "CT_small.dcm", "JPEG2000.dcm", "JPEGLSNearLossless_08.dcm", "JPEGLSNearLossless_16.dcm",
    "MR_small.dcm", "MR_small_RLE.dcm", "MR_small_bigendian.dcm", "MR_small_implicit.dcm",
    "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm", "MR_small_padded.dcm", "examples_overlay.dcm",
    "image_dfl.dcm", "liver_1frame.dcm", "rtdose_1frame.dcm", "rtdose_rle_1frame.dcm",
]  # fmt: skip
COLOR = [
    "ExplVR_BigEnd.dcm", "SC_rgb_gdcm_KY.dcm", "SC_rgb_jls_lossy_line.dcm", "SC_rgb_jpeg_gdcm.dcm", "SC_rgb_rle.dcm",
    "SC_rgb_dcmtk_+eb+cr.dcm", "SC_rgb_dcmtk_+eb+cy+s4.dcm", "SC_ybr_full_422_uncompressed.dcm",
    "examples_jpeg2k.dcm", "examples_rgb_color.dcm",
]  # fmt: skip
pytestmark = pytest.mark.filterwarnings("ignore:The \\(0028,0101\\)", "ignore:The pixel data is")


def picture(data: bytes | Dataset, **how: Any) -> NDArray[np.uint8]:
    return np.asarray(Image.open(BytesIO(rendered(data, format="png", **how))))


def reference(ds: Dataset) -> NDArray[np.float64]:
    """Levels 0-255, not rounded: pydicom's own modality LUT and VOI LUT in float64, then its output range."""
    stored = (
        ds.pixel_array & np.array((1 << ds.BitsStored) - 1) if not ds.PixelRepresentation else ds.pixel_array
    )
    values = apply_modality_lut(stored, ds)
    shown = apply_voi_lut(values, ds).astype(np.float64)
    if ds.get("VOILUTSequence"):
        low, high = 0.0, float((1 << ds.VOILUTSequence[0].LUTDescriptor[2]) - 1)
    elif ds.get("WindowWidth"):
        low, high = 0.0, float(2**ds.BitsStored - 1)
        if ds.PixelRepresentation:
            low, high = -float(2 ** (ds.BitsStored - 1)), float(2 ** (ds.BitsStored - 1) - 1)
        slope, intercept = float(ds.get("RescaleSlope", 1)), float(ds.get("RescaleIntercept", 0))
        low, high = low * slope + intercept, high * slope + intercept
    else:
        seen = values[stored != ds.PixelPaddingValue] if "PixelPaddingValue" in ds else values
        low, high = float(seen.min()), float(seen.max())
    share = np.clip((shown - low) / (high - low), 0, 1)
    if ds.PhotometricInterpretation == "MONOCHROME1":
        share = 1 - share
    levels: NDArray[np.float64] = share * 255
    if "PixelPaddingValue" in ds:
        levels[stored == ds.PixelPaddingValue] = 0
    return levels


def agrees(data: bytes) -> None:
    expected = reference(dcmread(BytesIO(data)))
    assert expected.std() > 1  # a flat reference would prove nothing
    difference = np.abs(picture(data) - expected)
    assert difference.max() <= 0.5 + 1e-6


@pytest.mark.parametrize("name", GRAY)
def test_gray_files_of_the_package(name: str) -> None:
    agrees((FILES / name).read_bytes())


@pytest.mark.parametrize("name", COLOR)
def test_colour_files_of_the_package(name: str) -> None:
    data = (FILES / name).read_bytes()
    np.testing.assert_array_equal(picture(data), dcmread(BytesIO(data)).pixel_array)


def test_every_frame_of_a_cine_loop_is_its_own() -> None:
    data = (FILES / "examples_ybr_color.dcm").read_bytes()
    frames = dcmread(BytesIO(data)).pixel_array
    for number in (1, 2, 30):
        np.testing.assert_array_equal(picture(data, frame=number), frames[number - 1])


def test_a_palette_is_applied() -> None:
    data = (FILES / "examples_palette.dcm").read_bytes()
    ds = dcmread(BytesIO(data))
    red = np.frombuffer(ds.RedPaletteColorLookupTableData, "<u2")[ds.pixel_array]
    np.testing.assert_allclose(picture(data)[..., 0], red / 65535 * 255, atol=0.51)


def lut(entries: NDArray[Any], first: int, bits: int) -> Dataset:
    item = Dataset()
    item.LUTDescriptor = [len(entries), first, bits]
    item.add_new(0x00283006, "OW", entries.astype("<u2").tobytes())
    return item


NOISE = np.random.default_rng(7)
UNSIGNED = NOISE.integers(0, 4096, (40, 50)).astype(np.uint16)
SIGNED = NOISE.integers(-2048, 2048, (40, 50)).astype(np.int16)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("pixels", [UNSIGNED, SIGNED], ids=["unsigned", "signed"])
@pytest.mark.parametrize(
    "how",
    [
        {},
        {"WindowCenter": 1000, "WindowWidth": 800},
        {"WindowCenter": [900, 100], "WindowWidth": [700, 50]},
        {"WindowCenter": 1000.5, "WindowWidth": 0.5, "VOILUTFunction": "LINEAR_EXACT"},
        {"WindowCenter": 1000, "WindowWidth": 900, "VOILUTFunction": "LINEAR_EXACT"},
        {"WindowCenter": 1000, "WindowWidth": 900, "VOILUTFunction": "SIGMOID"},
        {"RescaleSlope": 2.5, "RescaleIntercept": -1024, "WindowCenter": 300, "WindowWidth": 2000},
        {"RescaleSlope": 2, "RescaleIntercept": -10},
        {"PixelPaddingValue": 0},
    ],
)
def test_windows_rescale_and_padding(photometric: str, pixels: NDArray[Any], how: dict[str, Any]) -> None:
    pixels = pixels.copy()
    pixels[:5] = 0
    agrees(dr_bytes(pixels, photometric=photometric, **how))


def test_a_voi_lut_sequence_wins_over_the_window() -> None:
    curve = np.rint(4095 * (np.arange(3000) / 2999) ** 0.5)
    agrees(dr_bytes(UNSIGNED, VOILUTSequence=Sequence([lut(curve, 500, 12)]), WindowCenter=1, WindowWidth=2))


def test_a_modality_lut_sequence() -> None:
    table = np.rint(65535 * np.linspace(0, 1, 4096) ** 2)
    agrees(dr_bytes(UNSIGNED, ModalityLUTSequence=Sequence([lut(table, 0, 16)])))


def test_big_endian_pixels() -> None:
    ds = dr_dataset(UNSIGNED)
    ds.PixelData = UNSIGNED.astype(">u2").tobytes()
    np.testing.assert_array_equal(picture(part10(ds, ExplicitVRBigEndian)), picture(dr_bytes(UNSIGNED)))


def test_the_callers_window_replaces_the_objects_own() -> None:
    own = dr_bytes(UNSIGNED, WindowCenter=1000, WindowWidth=500)
    other = dr_bytes(UNSIGNED, WindowCenter=100, WindowWidth=50)
    np.testing.assert_array_equal(picture(other, window=(1000, 500)), picture(own))
    assert (picture(own, window=Window(1000, 500, "SIGMOID")) != picture(own)).any()
    with pytest.raises(PixelError) as caught:
        rendered(own, window=(100, 0))
    assert caught.value.code == "pixel.bad_window"


def test_an_impossible_own_window_is_passed_over() -> None:
    np.testing.assert_array_equal(
        picture(dr_bytes(UNSIGNED, WindowCenter=0, WindowWidth=0)), picture(dr_bytes(UNSIGNED))
    )


def test_overlays_in_the_upper_bits_fall_away() -> None:
    dirty = (UNSIGNED | 0xF000).astype(np.uint16)
    np.testing.assert_array_equal(picture(dr_bytes(dirty)), picture(dr_bytes(UNSIGNED)))


def test_a_range_of_padding_is_black_under_monochrome1() -> None:
    pixels = UNSIGNED.copy()
    pixels[:10] = 4000 + np.arange(10)[:, None]
    data = dr_bytes(pixels, photometric="MONOCHROME1", PixelPaddingValue=4000, PixelPaddingRangeLimit=4095)
    assert (picture(data)[pixels >= 4000] == 0).all()


def test_pictures_are_reduced_never_enlarged_and_keep_their_shape() -> None:
    data = dr_bytes(np.tile(UNSIGNED, (10, 10)))
    assert picture(data, max_size=100).shape == (80, 100)
    assert picture(data, max_size=(1000, 40)).shape == (40, 50)
    assert picture(data, max_size=4000).shape == (400, 500)


def test_jpeg_is_close_to_the_lossless_picture() -> None:
    data = (FILES / "CT_small.dcm").read_bytes()
    jpeg = rendered(data)
    assert jpeg[:3] == b"\xff\xd8\xff"
    difference = np.asarray(Image.open(BytesIO(jpeg))).astype(int) - picture(data)
    assert np.abs(difference).mean() < 2


def refused(data: bytes, **how: Any) -> PixelError:
    with pytest.raises(PixelError) as caught:
        rendered(data, **how)
    return caught.value


def test_what_cannot_be_shown_says_why() -> None:
    assert refused(b"text").code == "pixel.unreadable"
    assert refused((FILES / "waveform_ecg.dcm").read_bytes()).code == "pixel.no_pixels"
    assert refused(dr_bytes(), frame=2).params == {"frame": 2, "frames": 1}
    assert refused((FILES / "MR_truncated.dcm").read_bytes()).code == "pixel.truncated"
    assert refused(dr_bytes(), largest=1000).code == "pixel.too_large"
    assert refused(dr_bytes(photometric="CMYK")).code in (
        "pixel.unsupported_photometric",
        "pixel.cannot_decode",
    )
    broken = dr_dataset()
    broken.PixelData = encapsulate([b"\x00" * 100])
    assert refused(part10(broken, RLELossless)).code == "pixel.cannot_decode"


FILM = dr_bytes()


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(132, 1100), st.integers(0, 255)), min_size=1, max_size=12))
@pytest.mark.filterwarnings("ignore")  # pydicom remarks on many of the values that chance makes
def test_a_damaged_header_is_refused_by_name_or_gives_a_picture(changes: list[tuple[int, int]]) -> None:
    damaged = bytearray(FILM)
    for at, value in changes:
        damaged[at] = value
    try:
        shown = rendered(bytes(damaged))
    except PixelError as error:
        assert error.code.startswith("pixel.")
    else:
        assert shown[:2] == b"\xff\xd8"


def test_a_stream_larger_than_its_header_is_not_decoded() -> None:
    ds = dcmread(FILES / "MR_small_jp2klossless.dcm")
    ds.Rows = ds.Columns = 8
    error = refused(part10(ds, JPEG2000Lossless))
    assert (error.code, error.params) == ("pixel.sizes_contradict", {"rows": 64, "columns": 64})


def test_sizes_are_read_from_every_kind_of_stream() -> None:
    for name in (
        "MR_small_jp2klossless.dcm",
        "MR_small_jpeg_ls_lossless.dcm",
        "SC_rgb_jpeg_gdcm.dcm",
        "JPEG-lossy.dcm",
    ):
        ds = dcmread(FILES / name)
        assert claimed_size(get_frame(ds.PixelData, 0, number_of_frames=1)) == (ds.Rows, ds.Columns)
    assert claimed_size(b"RLE or noise") is None


def test_a_decoded_frame_keeps_its_stored_values() -> None:
    ds = dcmread(BytesIO(dr_bytes(SIGNED)))
    frame = decode_frame(ds)
    np.testing.assert_array_equal(frame.samples, SIGNED)
    assert (frame.is_color, frame.bits) == (False, 12)


def test_a_small_picture_of_jpeg_2000_shows_what_the_whole_one_does() -> None:
    y, x = np.mgrid[0:800, 0:640]
    values = (1000 + 2500 * np.exp(-((x - 300) ** 2 + (y - 400) ** 2) / 9e4)).astype(np.uint16)
    ds = dr_dataset(values, bits=12, WindowCenter=2000, WindowWidth=3500)
    whole = dcmread(BytesIO(part10(ds)))
    whole.compress(JPEG2000Lossless, generate_instance_uid=False)
    small = picture(whole, max_size=200).astype(int)
    exact = picture(dcmread(BytesIO(part10(ds))), max_size=200).astype(int)
    assert small.shape == exact.shape == (200, 160)
    assert np.abs(small - exact).max() <= 3

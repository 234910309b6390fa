"""The fast way from a film to its tensor is held against the exact one, and steps aside where it is not exact."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from telemed.imaging.errors import PixelError
from telemed.imaging.film import fast, film_tensor, reference_tensor
from telemed.imaging.film.resample import area_mean, block_mean
from tests.factories.dicom import dr_dataset, part10

SIZE = 96


def phantom(bits: int, signed: bool = False, shape: tuple[int, int] = (700, 620)) -> NDArray[Any]:
    """Two dark fields, a bright middle, ribs and grain: smooth as a film is at a tenth of its resolution."""
    rows, columns = shape
    y, x = np.mgrid[0:rows, 0:columns] / np.asarray([rows, columns]).reshape(2, 1, 1)
    fields = sum(np.exp(-(((x - c) / 0.16) ** 2) - ((y - 0.5) / 0.3) ** 2) for c in (0.28, 0.72))
    share = 0.75 - 0.5 * fields + 0.04 * np.sin(y * 60) + np.random.default_rng(3).normal(0, 0.01, shape)
    top = (1 << bits) - 1
    values = np.clip(np.rint(share * top), 0, top).astype(np.int64)
    return (values - (1 << (bits - 1))).astype(np.int16) if signed else values.astype(np.uint16)


def film(bits: int = 12, signed: bool = False, **how: Any) -> Dataset:
    middle = 0 if signed else 1 << (bits - 1)
    ds = dr_dataset(phantom(bits, signed), bits=bits, photometric=how.pop("photometric", "MONOCHROME2"))
    ds.WindowCenter, ds.WindowWidth = middle, int(1.1 * (1 << bits))
    for name, value in how.items():
        setattr(ds, name, value)
    return ds


def encoded(ds: Dataset, syntax: str) -> bytes:
    if UID(syntax).is_encapsulated:
        plain = dcmread(BytesIO(part10(ds)))
        plain.compress(syntax, generate_instance_uid=False)
        ds, syntax = plain, plain.file_meta.TransferSyntaxUID
    return part10(ds, syntax)


def agree(data: bytes) -> None:
    """The stated tolerance: 0.01 in the mean, 0.04 in all but one of a thousand pixels."""
    exact, quick = reference_tensor(data, SIZE), film_tensor(data, SIZE)
    assert quick.shape == exact.shape == (SIZE, SIZE)
    assert quick.dtype == exact.dtype == np.float32
    assert exact.std() > 0.05  # a flat film would prove nothing
    assert quick.min() >= 0.0 and quick.max() <= 1.0
    apart = np.abs(quick - exact)
    assert apart.mean() <= 0.01
    assert np.quantile(apart, 0.999) <= 0.04


def went_fast(monkeypatch: pytest.MonkeyPatch, data: bytes) -> bool:
    went: list[bool] = []
    monkeypatch.setattr(
        fast, "reference_tensor", lambda ds, size: went.append(False) or reference_tensor(ds, size)
    )
    film_tensor(data, SIZE)
    return not went


SYNTAXES = [ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, RLELossless,
            JPEGLSLossless, JPEG2000Lossless]  # fmt: skip


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda uid: uid.name)
@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_every_syntax_and_depth(syntax: str, bits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(film(bits), syntax)
    agree(data)
    assert went_fast(monkeypatch, data)


@pytest.mark.parametrize("center", [2048, 1500])
def test_jpeg_2000_of_any_size_is_reduced_and_keeps_what_a_narrow_window_shows(
    center: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ds = dr_dataset(phantom(12, shape=(701, 622)), bits=12)
    ds.WindowCenter, ds.WindowWidth = center, 1200
    data = encoded(ds, JPEG2000Lossless)
    assert np.abs(film_tensor(data, SIZE) - reference_tensor(data, SIZE)).mean() <= 0.01
    assert went_fast(monkeypatch, data)


LUT = Dataset()
LUT.LUTDescriptor = [4096, 0, 12]
LUT.add_new(0x00283006, "OW", (np.sqrt(np.arange(4096) / 4095) * 4095).astype("<u2").tobytes())


@pytest.mark.parametrize(
    "how",
    [
        {"photometric": "MONOCHROME1"},
        {"RescaleSlope": 2.5, "RescaleIntercept": -1024, "WindowCenter": 4000, "WindowWidth": 10000},
        {"VOILUTFunction": "LINEAR_EXACT"},
        {"VOILUTFunction": "SIGMOID"},
        {"VOILUTFunction": "SIGMOID", "photometric": "MONOCHROME1"},
        {"VOILUTSequence": [LUT]},
        {"WindowCenter": [2000, 9], "WindowWidth": [3900, 5]},
        {"PixelPaddingValue": 0},
        {"PixelPaddingValue": 4095, "PixelPaddingRangeLimit": 4000},
        {"WindowCenter": None, "WindowWidth": None},
        {"WindowCenter": 2048, "WindowWidth": 1},
        {"WindowWidth": -5},
        {"WindowWidth": 0},
    ],
    ids=str,
)
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, JPEG2000Lossless], ids=lambda uid: uid.name)
def test_every_way_of_showing(how: dict[str, Any], syntax: str) -> None:
    data = encoded(film(**how), syntax)
    if how.get("WindowWidth") == 1:
        # A step through the picture: what is averaged before it differs at the step alone.
        assert np.abs(film_tensor(data, SIZE) - reference_tensor(data, SIZE)).mean() <= 0.06
        return
    agree(data)


@pytest.mark.parametrize("bits", [12, 16])
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, JPEG2000Lossless], ids=lambda uid: uid.name)
def test_signed_films(bits: int, syntax: str) -> None:
    agree(encoded(film(bits, signed=True), syntax))
    agree(encoded(film(bits, signed=True, photometric="MONOCHROME1", VOILUTFunction="SIGMOID"), syntax))


def test_what_the_fast_way_does_not_cover_goes_the_exact_way(monkeypatch: pytest.MonkeyPatch) -> None:
    overlay = film()
    overlay.PixelData = (phantom(12) | (phantom(12) > 2000).astype(np.uint16) << 13).tobytes()
    for ds in (film(PixelPaddingValue=0), film(WindowCenter=None, WindowWidth=None), overlay):
        data = part10(ds)
        assert np.array_equal(film_tensor(data, SIZE), reference_tensor(data, SIZE))
        assert not went_fast(monkeypatch, data)


def test_a_film_smaller_than_wanted_is_enlarged() -> None:
    small = dr_dataset()
    small.WindowCenter, small.WindowWidth = 2048, 4096
    assert film_tensor(part10(small), 320).shape == (320, 320)


def test_a_stream_of_another_size_than_the_header_is_refused() -> None:
    lying = dcmread(BytesIO(encoded(film(), JPEG2000Lossless)))
    lying.Rows = 5000
    with pytest.raises(PixelError) as error:
        film_tensor(part10(lying, JPEG2000Lossless), SIZE)
    assert error.value.code == "pixel.sizes_contradict"


def test_a_cut_off_film_is_an_error() -> None:
    ds = film()
    ds.PixelData = ds.PixelData[:1000]
    with pytest.raises(PixelError) as error:
        film_tensor(ds, SIZE)
    assert error.value.code == "pixel.truncated"


def test_area_means_are_those_of_every_covered_part() -> None:
    picture = np.random.default_rng(1).random((37, 53))
    fine = np.kron(picture, np.ones((10, 10)))  # 370 x 530: each cell of ten covers 37 x 53 of these
    expected = fine.reshape(10, 37, 10, 53).mean(axis=(1, 3))
    np.testing.assert_allclose(area_mean(picture, 10), expected, atol=1e-12)
    np.testing.assert_allclose(area_mean(picture, 10).mean(), picture.mean(), atol=1e-12)
    single = area_mean(picture.astype(np.float32), 10)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, expected, atol=1e-6)


@pytest.mark.parametrize(("kind", "bits"), [("u1", 8), ("u2", 12), ("u2", 16), ("i2", 16)])
@pytest.mark.parametrize("factor", [1, 2, 3, 7])
def test_block_means_do_not_overflow(kind: str, bits: int, factor: int) -> None:
    top = np.iinfo(kind).max if bits in (8, 16) else (1 << bits) - 1
    stored = np.full((22, 23), top, dtype=kind)
    stored[::2] = np.iinfo(kind).min if kind == "i2" else top - 1
    rows, columns = 22 // factor * factor, 23 // factor * factor
    shape = (rows // factor, factor, columns // factor, factor)
    expected = stored[:rows, :columns].astype(np.float64).reshape(shape).mean(axis=(1, 3))
    np.testing.assert_allclose(block_mean(stored, factor, bits), expected, rtol=1e-6)

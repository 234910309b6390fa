"""What a film's header says of age and view, and films from bare pictures."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from telemed.imaging.errors import PixelError
from telemed.imaging.film import film_facts, is_picture, read_film, read_picture


def head(**values: object) -> Dataset:
    ds = Dataset()
    for name, value in values.items():
        setattr(ds, name, value)
    return ds


def film(levels: np.ndarray, bits: int, **values: object) -> Dataset:
    ds = head(
        Rows=levels.shape[0],
        Columns=levels.shape[1],
        SamplesPerPixel=1,
        PixelRepresentation=0,
        PhotometricInterpretation="MONOCHROME2",
        BitsAllocated=8 if bits == 8 else 16,
        BitsStored=bits,
        HighBit=bits - 1,
        **values,
    )
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.PixelData = levels.astype("<u1" if bits == 8 else "<u2").tobytes()
    return ds


@pytest.mark.parametrize(
    ("written", "years"), [("003Y", 3.0), ("018M", 1.5), ("52W", 1.0), ("010D", 0.03), (" 45y ", 45.0)]
)
def test_an_age_string_is_years(written: str, years: float) -> None:
    assert film_facts(head(PatientAge=written)).age_years == pytest.approx(years, abs=0.01)


def test_without_an_age_string_the_birth_date_tells() -> None:
    ds = head(PatientBirthDate="20200101", StudyDate="20230702")
    assert film_facts(ds).age_years == pytest.approx(3.5, abs=0.01)
    assert film_facts(head(PatientBirthDate="20230702", StudyDate="20200101")).age_years is None
    assert film_facts(head(PatientBirthDate="20200101")).age_years is None
    assert film_facts(head(PatientAge="young", StudyDate="never")).age_years is None


def test_a_view_is_its_position_or_its_code() -> None:
    assert film_facts(head(ViewPosition="pa")).view == "PA"
    code = head(CodeValue="399348003", CodingSchemeDesignator="SCT")
    assert film_facts(head(ViewCodeSequence=[code])).view == "AP"
    assert film_facts(head(ViewPosition="", ViewCodeSequence=[head(CodeValue="1")])).view is None


def test_a_picture_and_an_object_of_it_give_one_tensor() -> None:
    levels = (np.add.outer(np.arange(256), np.arange(256)) // 2).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(levels).save(buffer, "PNG")
    assert is_picture(buffer.getvalue())
    bare = read_picture(buffer.getvalue(), age_years=40, view=" pa ")
    assert (bare.facts.view, bare.facts.age_years, bare.facts.bare) == ("PA", 40, True)
    window = {"WindowCenter": 128, "WindowWidth": 256}
    plain = read_film(film(levels, 8, **window)).tensor(128)
    twelve = film(levels.astype(np.uint16) * 16, 12, WindowCenter=2048, WindowWidth=4096)
    turned = film(255 - levels, 8, **window)
    turned.PhotometricInterpretation = "MONOCHROME1"
    for other in (plain, read_film(twelve).tensor(128), read_film(turned).tensor(128)):
        assert np.abs(bare.tensor(128) - other).max() < 0.01


def test_sixteen_bits_of_a_png_are_kept() -> None:
    levels = np.linspace(0, 65535, 128 * 128).astype(np.uint16).reshape(128, 128)
    buffer = io.BytesIO()
    Image.fromarray(levels).save(buffer, "PNG")
    tensor = read_picture(buffer.getvalue(), age_years=None, view=None).tensor(128)
    assert np.abs(tensor - levels / 65535).max() < 1e-4


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(PixelError, match=r"pixel\.unreadable"):
        read_picture(b"\xff\xd8\xff" + bytes(40), age_years=1, view="AP")
    with pytest.raises(PixelError, match=r"pixel\.no_pixels"):
        read_film(head(Modality="DX"))

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from telemed.application.import_ecg import GivenPatient, to_objects
from telemed.imaging.formats import FormatError
from telemed.imaging.header import read_header, verify_structure
from telemed.imaging.pixels import rendered
from telemed.imaging.reading import open_dataset
from telemed.imaging.source_block import read_source
from telemed.imaging.waveform import WaveformError, read_waveform
from tests.unit.formats import samples
from tests.unit.formats.test_ecg_object import NOON

ROTATED = 6


def shown(made: bytes) -> Image.Image:
    return Image.open(BytesIO(rendered(made, format="png")))


def test_a_pdf_is_kept_as_it_is_and_holds_no_waveform() -> None:
    for document in (samples.PDF, samples.PDF + b"\n"):
        (made,) = to_objects(document, "ecg.pdf", patient=GivenPatient(patient_id="P-1", recorded_at=NOON))
        verify_structure(made)
        ds = open_dataset(made)
        assert ds.SOPClassUID == "1.2.840.10008.5.1.4.1.1.104.1"
        assert bytes(ds.EncapsulatedDocument)[: ds.EncapsulatedDocumentLength] == document
        assert (ds.Modality, ds.MIMETypeOfEncapsulatedDocument) == ("ECG", "application/pdf")
        with pytest.raises(WaveformError, match=r"waveform\.encapsulated_pdf"):
            read_waveform(made)


def test_a_pdf_without_a_time_needs_none() -> None:
    assert read_header(to_objects(samples.PDF)[0]).study_date == ""


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_an_upright_baseline_jpeg_is_its_own_pixel_stream(mode: str) -> None:
    data = samples.picture(mode=mode)
    (made,) = to_objects(data)
    assert open_dataset(made).file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.4.50"
    assert data in made
    assert read_source(made) is None
    assert (
        np.abs(
            np.asarray(shown(made).convert("L"), int)
            - np.asarray(Image.open(BytesIO(data)).convert("L"), int)
        ).max()
        <= 2
    )
    with pytest.raises(WaveformError, match=r"waveform\.no_waveform"):
        read_waveform(made)


def test_a_turned_photo_stands_upright_and_its_file_is_kept() -> None:
    exif = Image.Exif()
    exif[0x0112] = ROTATED
    data = samples.picture(exif=exif)
    (made,) = to_objects(data)
    assert shown(made).size == (48, 64)
    kept = read_source(made)
    assert kept is not None
    assert (kept[0], kept[1][0].data) == ("jpeg", data)


@pytest.mark.parametrize(("mode", "options"), [("RGB", {"progressive": True}), ("CMYK", {})])
def test_a_jpeg_that_the_transfer_syntax_does_not_hold_is_drawn_anew(
    mode: str, options: dict[str, bool]
) -> None:
    data = samples.picture(mode=mode, **options)
    (made,) = to_objects(data)
    assert shown(made).size == (64, 48)
    kept = read_source(made)
    assert kept is not None
    assert kept[1][0].data == data


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "1", "LA"])
def test_a_png_is_shown_as_it_is(mode: str) -> None:
    data = samples.picture("PNG", mode)
    (made,) = to_objects(data)
    expected = np.asarray(Image.open(BytesIO(data)).convert("RGB"))
    assert np.array_equal(np.asarray(shown(made).convert("RGB")), expected)
    kept = read_source(made)
    assert kept is not None
    assert kept[1][0].data == data


def test_sixteen_bits_of_gray_keep_their_order() -> None:
    gray = np.arange(0, 65536, 64, dtype=np.uint16).reshape(32, 32)
    buffer = BytesIO()
    Image.fromarray(gray).save(buffer, "PNG")
    drawn = np.asarray(shown(to_objects(buffer.getvalue())[0]).convert("L"), int)
    assert np.abs(drawn - (gray >> 8)).max() <= 1


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (samples.PDF[:-8], "pdf_cut"),
        (samples.picture()[:300], "picture_damaged"),
        (samples.picture("PNG")[:60], "picture_damaged"),
    ],
)
def test_what_is_cut_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(FormatError, match=rf"format\.{code}"):
        to_objects(data)

"""DICOM bytes to tensor, against the plain pydicom way: all pixels, modality and VOI LUT, then the resize."""

from __future__ import annotations

import io
import statistics
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from imagecodecs import htj2k_encode, jpegls_decode, jpegls_encode
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from pydicom.uid import UID, ExplicitVRLittleEndian, HTJ2KLossless, JPEG2000Lossless, JPEGLSLossless

from bench.result import Row
from bench.rounds import Bench, against, interleaved, milliseconds
from telemed.imaging.film import film_tensor
from telemed.imaging.film.resample import area_mean
from telemed.imaging.waveform import read_waveform

SIZE, ROWS, COLUMNS, BITS = 320, 2500, 2048, 14
GOALS = {
    "decode_dr_raw": 12,
    "decode_dr_j2k": 12,
    "decode_dr_jpegls": 3,
    "decode_dr_htj2k": 3,
    "decode_ecg": 4,
}
SYNTAXES = {
    "decode_dr_raw": ExplicitVRLittleEndian,
    "decode_dr_j2k": JPEG2000Lossless,
    "decode_dr_jpegls": JPEGLSLossless,
    "decode_dr_htj2k": HTJ2KLossless,
}


@cache
def chest() -> NDArray[np.uint16]:
    """A synthetic chest film, 2500 x 2048, 14 bits in 16, with the grain that makes a real one hard to compress."""
    y, x = np.mgrid[0:ROWS, 0:COLUMNS].astype(np.float32)
    fields = sum(
        np.exp(-(((x / COLUMNS - c) / 0.16) ** 2) - ((y / ROWS - 0.5) / 0.3) ** 2) for c in (0.28, 0.72)
    )
    share = 0.75 - 0.5 * fields + np.random.default_rng(3).normal(0, 0.004, (ROWS, COLUMNS))
    return np.clip(share * ((1 << BITS) - 1), 0, (1 << BITS) - 1).astype("<u2")


def film(syntax: str) -> bytes:
    """The film as a DX object in a transfer syntax."""
    ds, pixels = Dataset(), chest()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = UID(ExplicitVRLittleEndian)
    ds.SOPClassUID, ds.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.1.1", "2.25.1"
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, "2.25.1"
    ds.Modality, ds.PhotometricInterpretation, ds.SamplesPerPixel = "DX", "MONOCHROME2", 1
    ds.Rows, ds.Columns, ds.BitsAllocated, ds.BitsStored, ds.HighBit = ROWS, COLUMNS, 16, BITS, BITS - 1
    ds.PixelRepresentation, ds.WindowCenter, ds.WindowWidth = 0, 1 << (BITS - 1), 1 << BITS
    ds.PixelData = pixels.tobytes()
    if syntax == HTJ2KLossless:
        ds.PixelData = encapsulate([bytes(htj2k_encode(pixels))])
        ds["PixelData"].is_undefined_length = True
        ds.file_meta.TransferSyntaxUID = HTJ2KLossless
    elif UID(syntax).is_encapsulated:
        ds.compress(syntax, generate_instance_uid=False)
    buffer = io.BytesIO()
    ds.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def plain_film(data: bytes) -> Any:
    ds = dcmread(io.BytesIO(data))
    shown = apply_voi_lut(apply_modality_lut(ds.pixel_array, ds), ds)
    return area_mean(shown, SIZE)


def rows(bench: Bench) -> Iterator[Row]:
    ways: dict[str, Callable[[], float]] = {}

    def add(what: str, ours: Callable[[], Any], plain: Callable[[], Any]) -> None:
        least = 1 if bench.quick else 3
        ways[what] = lambda: milliseconds(ours, bench.seconds / 4, least)
        ways[f"plain {what}"] = lambda: milliseconds(plain, bench.seconds / 4, least)

    for what, syntax in SYNTAXES.items():
        data = film(syntax)
        add(what, lambda data=data: film_tensor(data, SIZE), lambda data=data: plain_film(data))  # type: ignore[misc]
    path = get_testdata_file("waveform_ecg.dcm")
    assert isinstance(path, str)
    ecg = Path(path).read_bytes()
    add("decode_ecg", lambda: read_waveform(ecg), lambda: dcmread(io.BytesIO(ecg)).waveform_array(0))
    stream = jpegls_encode(chest())
    ways["CharLS"] = lambda: milliseconds(lambda: jpegls_decode(stream), bench.seconds / 4, 1)
    found = interleaved(ways, 1 if bench.quick else bench.rounds)
    alone = statistics.median(found["CharLS"])
    # Its samples depend on one another: no decoder of it can leave something out, or use another core.
    most = statistics.median(found["plain decode_dr_jpegls"]) / alone
    notes = {
        "decode_dr_jpegls": f"the decoder alone (CharLS) takes {alone:.0f} ms: with nothing else done {most:.2f}"
    }
    for what, goal in GOALS.items():
        plain = {"pydicom": found[f"plain {what}"]}
        yield against(what, found[what], plain, goal, "ms", less_is_better=True, note=notes.get(what, ""))

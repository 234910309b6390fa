"""A frame read alone is the frame of the whole, however the object is written; the others are not read."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.pixels.encoders.base import get_encoder
from pydicom.sequence import Sequence
from pydicom.uid import JPEG2000Lossless, RLELossless

from telemed.imaging.errors import PixelError
from telemed.imaging.pixels import rendered
from telemed.imaging.pixels.decode import decode_frame, parsed
from telemed.imaging.pixels.frames import plain_frame, stored_frame
from telemed.imaging.pixels.one_frame import FrameFile
from tests.factories.dicom import dr_bytes

IMPLICIT, BIG, DEFLATED = "1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"
FRAMES = 5


def pixels(*shape: int) -> Any:
    return np.random.default_rng(7).integers(0, 4096, (FRAMES, *shape), dtype=np.uint16)


def written(ds: Dataset) -> bytes:
    buffer = BytesIO()
    ds.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def plain(transfer_syntax: str = "1.2.840.10008.1.2.1") -> bytes:
    return dr_bytes(pixels=pixels(72, 80), transfer_syntax=transfer_syntax)


def compressed(table: str, syntax: Any = RLELossless) -> bytes:
    ds = parsed(plain())
    encode = get_encoder(syntax)
    values = {name: getattr(ds, name) for name in ("Rows", "Columns", "BitsAllocated", "BitsStored")}
    streams = [
        encode.encode(
            plain_frame(ds, number + 1), index=0, number_of_frames=1, samples_per_pixel=1,
            pixel_representation=0, photometric_interpretation="MONOCHROME2", rows=values["Rows"],
            columns=values["Columns"], bits_allocated=values["BitsAllocated"], bits_stored=values["BitsStored"],
        )
        for number in range(FRAMES)
    ]  # fmt: skip
    if table == "extended":
        data, offsets, lengths = encapsulate_extended(streams)
        ds.ExtendedOffsetTable, ds.ExtendedOffsetTableLengths = offsets, lengths
    else:
        data = encapsulate(streams, has_bot=table == "basic")
    ds.PixelData = data
    ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    ds.file_meta.TransferSyntaxUID = syntax
    return written(ds)


def single_bits() -> bytes:
    ds = parsed(plain())
    ds.Rows, ds.Columns, ds.BitsAllocated, ds.BitsStored, ds.HighBit = 5, 5, 1, 1, 0
    bits = np.random.default_rng(7).integers(0, 2, FRAMES * 25, dtype=np.uint8)
    ds.PixelData = np.packbits(bits, bitorder="little").tobytes()
    ds["PixelData"].VR = "OB"
    return written(ds)


def colour() -> bytes:
    ds = parsed(plain())
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PlanarConfiguration = 3, "RGB", 0
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.Rows, ds.Columns = 8, 8, 7, 4, 3
    ds.PixelData = np.random.default_rng(7).integers(0, 256, FRAMES * 36, dtype=np.uint8).tobytes()
    ds["PixelData"].VR = "OB"
    return written(ds)


KINDS = {
    "explicit": plain,
    "implicit": lambda: plain(IMPLICIT),
    "big endian": lambda: plain(BIG),
    "rle with offsets": lambda: compressed("basic"),
    "rle without": lambda: compressed("none"),
    "rle, extended": lambda: compressed("extended"),
    "jpeg 2000": lambda: compressed("none", JPEG2000Lossless),
    "single bits": single_bits,
    "colour": colour,
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_frame_alone_is_that_of_the_whole(kind: str) -> None:
    content = KINDS[kind]()
    whole, file = parsed(content), FrameFile(BytesIO(content))
    assert file.frames == FRAMES
    # Back and forth: nothing hangs on where the file stood.
    for number in (1, FRAMES, 2):
        alone = file.alone(number)
        assert np.array_equal(decode_frame(alone).samples, decode_frame(whole, number).samples)
        assert plain_frame(alone, 1) == plain_frame(whole, number)
        if whole.file_meta.TransferSyntaxUID.is_encapsulated:
            assert stored_frame(alone, 1) == stored_frame(whole, number)


def test_a_frame_alone_keeps_what_is_said_of_it() -> None:
    ds = parsed(plain())
    groups = []
    for number in range(FRAMES):
        window, group = Dataset(), Dataset()
        window.WindowCenter, window.WindowWidth = 500 * (number + 1), 400
        group.FrameVOILUTSequence = Sequence([window])
        groups.append(group)
    ds.PerFrameFunctionalGroupsSequence = Sequence(groups)
    content = written(ds)
    file = FrameFile(BytesIO(content))
    pictures = [rendered(file.alone(number), frame=1) for number in (1, 4)]
    assert pictures == [rendered(content, frame=number) for number in (1, 4)]
    assert pictures[0] != pictures[1]


class Counted(BytesIO):
    count = 0

    def read(self, size: int | None = -1) -> bytes:
        found = super().read(size)
        self.count += len(found)
        return found


@pytest.mark.parametrize("kind", [plain, lambda: compressed("basic")])
def test_the_other_frames_are_not_read(kind: Any) -> None:
    content = kind()
    file = Counted(content)
    one = FrameFile(file)
    header = file.count
    one.alone(3)
    assert file.count - header <= len(content[header:]) // FRAMES + 100
    assert header < 4096


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"nothing of the kind", "pixel.unreadable"),
        (plain()[:-10], "pixel.truncated"),
        (compressed("basic")[:9000], "pixel.truncated"),
    ],
)
def test_what_is_no_frame_is_told(content: bytes, code: str) -> None:
    with pytest.raises(PixelError) as caught:
        FrameFile(BytesIO(content)).alone(FRAMES)
    assert caught.value.code == code


def test_no_frame_costs_more_than_it_may() -> None:
    for content in (plain(), compressed("basic")):
        with pytest.raises(PixelError) as caught:
            FrameFile(BytesIO(content), largest=4000).alone(1)
        assert caught.value.code == "pixel.too_large"
    with pytest.raises(PixelError) as caught:
        FrameFile(BytesIO(plain(DEFLATED)))
    assert caught.value.code == "pixel.too_large"
    with pytest.raises(PixelError) as caught:
        FrameFile(BytesIO(plain())).alone(FRAMES + 1)
    assert caught.value.code == "pixel.no_such_frame"

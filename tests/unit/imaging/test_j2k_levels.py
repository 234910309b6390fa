"""A JPEG 2000 stream without its finest levels and last bits decodes to what the whole one would have given."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from telemed.imaging.pixels.j2k_levels import lower_levels
from telemed.imaging.pixels.tag_tree import BitReader, BitWriter


def picture(rows: int, columns: int, bits: int) -> NDArray[Any]:
    y, x = np.mgrid[0:rows, 0:columns]
    share = 0.5 + 0.3 * np.sin(x / 17) * np.cos(y / 23)
    share += np.random.default_rng(1).normal(0, 0.02, x.shape) * (x > columns / 3)
    values = np.asarray(np.clip(share * ((1 << bits) - 1), 0, (1 << bits) - 1))
    return values.astype(np.uint16 if bits > 8 else np.uint8)


def stream(values: NDArray[Any], **how: Any) -> bytes:
    buffer = BytesIO()
    Image.fromarray(values).save(buffer, "JPEG2000", no_jp2=True, **how)
    return buffer.getvalue()


def decoded(data: bytes, reduce: int = 0) -> NDArray[np.int64]:
    with Image.open(BytesIO(data)) as opened:
        opened.reduce = reduce  # type: ignore[assignment,method-assign]
        # The library rounds to the nearest size where the format rounds up, and then finds the stream broken.
        opened._size = tuple(-(-length >> reduce) << reduce for length in opened.size)  # type: ignore[assignment]
        values: NDArray[np.int64] = np.asarray(opened).astype(np.int64)
        return values


@pytest.mark.parametrize("progression", ["LRCP", "RLCP", "RPCL", "PCRL", "CPRL"])
@pytest.mark.parametrize(
    ("rows", "columns", "bits", "blocks", "discard"),
    [(300, 261, 16, 64, 1), (257, 511, 16, 32, 2), (301, 299, 8, 16, 3), (75, 400, 16, 64, 0), (65, 33, 8, 64, 2)],
)  # fmt: skip
def test_with_all_planes_it_is_what_a_decoder_reduces_to(
    progression: str, rows: int, columns: int, bits: int, blocks: int, discard: int
) -> None:
    whole = stream(picture(rows, columns, bits), progression=progression, codeblock_size=(blocks, blocks))
    smaller = lower_levels(whole, discard, 0)
    assert smaller is not None and (len(smaller) < len(whole) / 2 or not discard)
    np.testing.assert_array_equal(decoded(smaller), decoded(whole, discard))


@pytest.mark.parametrize("planes", [1, 3, 5, 7])
@pytest.mark.parametrize("discard", [0, 1, 2])
def test_planes_left_out_change_values_by_no_more_than_they_are_worth(discard: int, planes: int) -> None:
    whole = stream(picture(300, 261, 16))
    smaller = lower_levels(whole, discard, planes)
    assert smaller is not None
    apart = decoded(smaller) - decoded(whole, discard)
    assert 0 < np.sqrt((apart**2).mean()) <= 2**planes / 2
    assert np.abs(apart).max() <= 4 * 2**planes
    assert abs(apart.mean()) <= 2**planes / 8


def test_a_flat_picture_whose_blocks_are_empty() -> None:
    whole = stream(np.full((300, 200), 4000, np.uint16))
    smaller = lower_levels(whole, 2, 4)
    assert smaller is not None and np.abs(decoded(smaller) - 4000).max() <= 2


OTHERS: dict[str, dict[str, Any]] = {
    "in tiles": {"tile_size": (128, 128)},
    "in precincts": {"precinct_size": (128, 128)},
    "in layers": {"quality_mode": "rates", "quality_layers": [20, 5]},
    "irreversible": {"irreversible": True, "quality_layers": [10]},
    "from another origin": {"offset": (3, 5), "tile_offset": (0, 0), "tile_size": (400, 400)},
}


@pytest.mark.parametrize("kind", OTHERS)
def test_other_arrangements_are_left_to_the_decoder(kind: str) -> None:
    assert lower_levels(stream(picture(300, 261, 16), **OTHERS[kind]), 2, 0) is None


def test_colour_and_files_around_a_stream_are_left_to_the_decoder() -> None:
    colour = np.repeat(picture(80, 80, 8)[..., None], 3, axis=2)
    assert lower_levels(stream(colour), 1, 0) is None
    assert lower_levels(stream(picture(80, 80, 8), num_resolutions=2), 2, 0) is None
    buffer = BytesIO()
    Image.fromarray(picture(80, 80, 8)).save(buffer, "JPEG2000")
    assert lower_levels(buffer.getvalue(), 1, 0) is None


def test_broken_streams_raise_nothing() -> None:
    whole = stream(picture(90, 70, 16))
    generator = np.random.default_rng(5)
    for length in range(0, len(whole) - 2, 211):
        lower_levels(whole[:length], 1, 2)
    left = 0
    for _ in range(300):
        bad = bytearray(whole)
        for place in generator.integers(0, 400, 3):
            bad[place] = generator.integers(0, 256)
        left += lower_levels(bytes(bad), 1, 2) is None
    assert left > 100


def test_numbers_come_back_as_they_were_written() -> None:
    writer = BitWriter()
    for count in range(1, 165):
        writer.passes(count)
        writer.ones(count % 9)
        writer.number(count * 37, 13)
    reader = BitReader(writer.bytes() + b"\x55", 0, BitWriter())
    for count in range(1, 165):
        assert (reader.passes(), reader.ones(), reader.number(13)) == (count, count % 9, count * 37)
    assert reader.end() == len(writer.bytes())


def test_a_header_of_ones_alone_ends_with_the_stuffed_byte() -> None:
    writer = BitWriter()
    writer.number(0xFF, 8)
    assert writer.bytes() == b"\xff\x00"
    reader = BitReader(b"\xff\x00", 0, BitWriter())
    assert reader.number(8) == 0xFF and reader.end() == 2

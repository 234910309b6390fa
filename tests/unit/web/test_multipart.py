"""A multipart body means the same wherever it is cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemed.web.dicomweb.multipart import (
    MOST_HEADER_BYTES,
    MalformedMultipart,
    MultipartReader,
    PartBegan,
    PartData,
    media_type,
    valid_boundary,
)

# Contents full of what could be taken for a boundary.
CONTENT = st.lists(
    st.sampled_from(
        [b"\r", b"\n", b"\r\n", b"-", b"--", b"\r\n--", b"\r\n--bound", b"bound", b"\x00", b"x" * 90]
    )
).map(b"".join)
HEADERS = st.sampled_from([{}, {"content-type": "application/dicom"}, {"a": "1", "content-location": "/x:y"}])


def body(parts: list[tuple[dict[str, str], bytes]], preamble: bytes = b"", epilogue: bytes = b"") -> bytes:
    lines = b"".join(
        b"\r\n--boundary\r\n"
        + b"".join(f"{name}: {value}\r\n".encode() for name, value in headers.items())
        + b"\r\n"
        + content
        for headers, content in parts
    )
    whole = preamble + lines + b"\r\n--boundary--" + epilogue
    return whole if preamble else whole[2:]


def read(pieces: list[bytes]) -> list[tuple[dict[str, str], bytes]]:
    reader, found = MultipartReader("boundary"), []
    for piece in pieces:
        for event in reader.feed(piece):
            match event:
                case PartBegan(headers):
                    found.append((headers, b""))
                case PartData(data):
                    found[-1] = (found[-1][0], found[-1][1] + data)
    reader.close()
    return found


@given(
    parts=st.lists(st.tuples(HEADERS, CONTENT), min_size=1, max_size=4),
    preamble=st.sampled_from([b"", b"for people\r\nto read"]),
    epilogue=st.sampled_from([b"", b"\r\n", b"\r\n--boundary\r\nnothing"]),
    cuts=st.lists(st.integers(0, 2000), max_size=12),
)
def test_parts_come_out_as_they_went_in(
    parts: list[tuple[dict[str, str], bytes]], preamble: bytes, epilogue: bytes, cuts: list[int]
) -> None:
    whole = body(parts, preamble, epilogue)
    places = sorted({0, *(cut % (len(whole) + 1) for cut in cuts), len(whole)})
    pieces = [whole[start:end] for start, end in pairwise(places)]
    assert read(pieces) == parts


def test_every_single_cut_gives_the_same() -> None:
    parts = [
        ({"content-type": "application/dicom"}, b"\r\n--bound\r\n"),
        ({}, b""),
        ({"a": "b"}, b"\x00\xff"),
    ]
    whole = body(parts)
    for cut in range(len(whole) + 1):
        assert read([whole[:cut], whole[cut:]]) == parts
    assert read([bytes([byte]) for byte in whole]) == parts


def test_no_more_is_held_back_than_could_become_a_boundary() -> None:
    reader = MultipartReader("boundary")
    given_out = 0
    for piece in (b"--boundary\r\n\r\n", *[b"\r\n--boundar" * 1000] * 20):
        given_out += sum(len(event.data) for event in reader.feed(piece) if isinstance(event, PartData))
    assert given_out >= 20 * 11_000 - len("\r\n--boundary")


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_body_that_ends_too_early_is_not_whole(cut: int) -> None:
    whole = body([({}, b"content")])
    with pytest.raises(MalformedMultipart):
        read([whole[:-cut]])


def test_what_is_no_multipart_is_said() -> None:
    for wrong in (b"", b"no boundary here", b"--boundaryX\r\n\r\n--boundary--"):
        with pytest.raises(MalformedMultipart):
            read([wrong])
    with pytest.raises(MalformedMultipart):
        read([b"--boundary\r\n" + b"a: b\r\n" * MOST_HEADER_BYTES])


def test_media_types_and_boundaries() -> None:
    kind, parameters = media_type('Multipart/Related; Type="application/dicom"; boundary="a b=1"')
    assert (kind, parameters) == ("multipart/related", {"type": "application/dicom", "boundary": "a b=1"})
    assert media_type("") == ("", {})
    assert [valid_boundary(b) for b in ("abc", "a b", "", "a" * 71, "ends ", "ä")] == [
        True,
        True,
        *[False] * 4,
    ]

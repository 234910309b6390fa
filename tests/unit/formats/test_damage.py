"""Whatever a damaged file holds, the answer is a recording or a WaveformError, soon and in bounded memory."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from telemed.application.import_ecg import GivenPatient, to_objects
from telemed.imaging.formats import read_recording
from telemed.imaging.formats.scp.container import HEADER, checksum
from telemed.imaging.formats.xli import decompress
from telemed.imaging.waveform import WaveformError
from tests.unit.formats import samples
from tests.unit.formats.test_ecg_object import NOON
from tests.unit.formats.test_scp import CUSTOM, with_beats

if TYPE_CHECKING:
    from collections.abc import Mapping

HEAD, SIGNALS = samples.wfdb()
SMALL = samples.in_units(10, 0.2)
FILES = {
    "scp": samples.scp(leads=SMALL, tables=CUSTOM),
    "scp with beats": with_beats(("I", "II", "V1"), decimation=4, protected=[(101, 220), (501, 620)] * 2)[0],
    "aecg": samples.aecg(SMALL).encode(),
    "wfdb": HEAD,
    "sierra": samples.sierra(utf16=False),
    "sierra in utf-16": samples.sierra(),
    "jpeg": samples.picture(),
    "png": samples.picture("PNG"),
    "pdf": samples.PDF,
}
# Many times the largest of these files, and far below what a forged length could ask for.
MOST_MEMORY = 64 << 20
QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def outcome(data: bytes, beside: Mapping[str, bytes] = SIGNALS, *, only_read: bool = False) -> str:
    """ "read", or the code of a WaveformError; anything else is a failure of the test."""
    tracemalloc.start()
    try:
        if only_read:
            read_recording(data)
        else:
            to_objects(data, patient=GivenPatient(recorded_at=NOON), companions=beside)
        answer = "read"
    except WaveformError as error:
        answer = error.code
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < MOST_MEMORY
    return answer


def resealed(record: bytes) -> bytes:
    """An SCP record whose checksums fit again, so that damage gets behind them."""
    data = bytearray(record)
    pointers = data[22 : 22 + 120]
    for at in range(0, len(pointers) - 9, 10):
        size = int.from_bytes(pointers[at + 2 : at + 6], "little")
        start = int.from_bytes(pointers[at + 6 : at + 10], "little") - 1
        if size >= HEADER and start >= 0 and start + size <= len(data):
            data[start : start + 2] = checksum(bytes(data[start + 2 : start + size])).to_bytes(2, "little")
    data[:2] = checksum(bytes(data[2:])).to_bytes(2, "little")
    return bytes(data)


@pytest.mark.parametrize("what", FILES)
def test_the_undamaged_file_is_read(what: str) -> None:
    assert outcome(FILES[what]) == "read"


@pytest.mark.parametrize("what", FILES)
@QUICK
@given(data=st.data())
def test_changed_bytes(what: str, data: st.DataObject) -> None:
    damaged = bytearray(FILES[what])
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    outcome(bytes(damaged))


@pytest.mark.parametrize("what", FILES)
@QUICK
@given(data=st.data())
def test_cut_files(what: str, data: st.DataObject) -> None:
    outcome(FILES[what][: data.draw(st.integers(0, len(FILES[what])))])


@pytest.mark.parametrize("what", ["scp", "scp with beats"])
@settings(QUICK, max_examples=120)
@given(data=st.data())
def test_scp_damaged_behind_its_checksums(what: str, data: st.DataObject) -> None:
    damaged = bytearray(FILES[what])
    # The sections that steer the decoder come first; the samples are most of the rest.
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(22, min(len(damaged), 1500) - 1) | st.integers(22, len(damaged) - 1))
        damaged[place] = data.draw(st.sampled_from([0, 1, 2, 0x7F, 0x80, 0xFF]) | st.integers(0, 255))
    outcome(resealed(bytes(damaged)), only_read=True)


@QUICK
@given(st.binary(max_size=2000))
def test_any_bytes_as_compressed_samples(data: bytes) -> None:
    try:
        chunks = decompress(data)
    except WaveformError:
        return
    assert all(len(chunk) >= 3 for chunk in chunks)


@QUICK
@given(st.binary(max_size=300), st.sampled_from(["", "x.dat", "x.hea", "x.scp", "x.xml"]))
def test_any_bytes_at_all(data: bytes, name: str) -> None:
    with pytest.raises(WaveformError):
        read_recording(data, name)


def test_a_deep_file_is_refused_before_the_stack_is() -> None:
    deep = b"<AnnotatedECG>" + b"<a>" * 50_000 + b"</a>" * 50_000 + b"</AnnotatedECG>"
    assert outcome(deep) == "format.xml_damaged"


def test_a_picture_that_claims_to_be_huge_is_not_decoded() -> None:
    data = bytearray(samples.picture("PNG"))
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    assert outcome(bytes(data)) == "format.picture_too_large"

"""Identifiers, command sets and PDUs: what is written is read back, and no bytes cause more than a refusal."""

import contextlib
import socket
import struct
import threading
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset

from dicom_node.identifiers import VR_OF, Known, answer, person_name, read_request, tag_of
from telemed.dimse import command as c
from telemed.dimse import pdu as p
from telemed.dimse.identifier import Encoding, read_identifier, write_answer
from telemed.dimse.requestor import AssociationFailed, Requestor
from telemed.domain.people import Device

DEVICE = Device(uid="d", institution_id=1, consortium_id=1, ae_title="T", network="0.0.0.0/0")
BOTH = [Encoding(True), Encoding(False)]


def encoded(ds: Dataset, implicit: bool) -> bytes:
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, implicit
    write_dataset(buffer, ds)
    return buffer.getvalue()


def asked_for() -> Dataset:
    ds, step, code = Dataset(), Dataset(), Dataset()
    ds.SpecificCharacterSet = "GB18030"
    ds.PatientName, ds.PatientID, ds.StudyInstanceUID = "张*", "P\\Q", ["1.2.3", "1.2.4"]
    step.Modality, step.ScheduledStationAETitle = "ECG", ""
    code.CodeValue = ""
    step.ScheduledProtocolCodeSequence = [code]
    ds.ScheduledProcedureStepSequence = [step]
    ds.ReferencedStudySequence = []
    ds.add_new(0x00091001, "LO", "private")
    return ds


@pytest.mark.parametrize("implicit", [True, False])
@pytest.mark.parametrize("undefined", [True, False])
def test_a_request_of_pydicom_is_read(implicit: bool, undefined: bool) -> None:
    ds = asked_for()
    for sequence in (ds["ScheduledProcedureStepSequence"], ds.ScheduledProcedureStepSequence[0][0x00400008]):
        sequence.is_undefined_length = undefined
        for item in sequence.value:
            item.is_undefined_length_sequence_item = undefined
    asked = read_request(encoded(ds, implicit), implicit=implicit, device=DEVICE)
    assert asked.value("PatientName") == "张*"
    assert asked.values("StudyInstanceUID") == ["1.2.3", "1.2.4"]
    assert asked.value("Modality", "ScheduledProcedureStepSequence") == "ECG"
    assert asked.charset.term == "GB18030"
    step = asked.by_tag[tag_of("ScheduledProcedureStepSequence")]
    assert step.inner is not None
    assert [key.tag for key in step.inner] == [0x00080060, 0x00400001, 0x00400008]


@pytest.mark.parametrize("encoding", BOTH)
def test_an_answer_is_read_by_pydicom(encoding: Encoding) -> None:
    asked = read_request(encoded(asked_for(), encoding.implicit), implicit=encoding.implicit, device=DEVICE)
    code: Known = {"CodeValue": "12"}
    step: Known = {"Modality": "ECG", "ScheduledProtocolCodeSequence": [code]}
    known: Known = {
        "PatientName": person_name("张三", "Zhang^San"),
        "ScheduledProcedureStepSequence": [step],
    }
    data = write_answer(answer(asked, known), encoding, asked.charset.write)
    ds = read_dataset(BytesIO(data), encoding.implicit, True)
    ds.decode()
    assert str(ds.PatientName) == "Zhang^San=张^三"
    first = ds.ScheduledProcedureStepSequence[0]
    assert (first.Modality, first.ScheduledStationAETitle) == ("ECG", "")
    assert first.ScheduledProtocolCodeSequence[0].CodeValue == "12"
    assert list(ds.ReferencedStudySequence) == []
    assert 0x00091001 in ds


@settings(max_examples=300, deadline=None)
@given(st.data(), st.booleans())
def test_mutated_requests_are_read_or_refused(data: st.DataObject, implicit: bool) -> None:
    whole = bytearray(encoded(asked_for(), implicit))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    try:
        asked = read_request(cut, implicit=implicit, device=DEVICE)
    except p.ProtocolError:
        return
    write_answer(answer(asked, {}), Encoding(implicit), asked.charset.write)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_read_or_refused(data: bytes, implicit: bool) -> None:
    with contextlib.suppress(p.ProtocolError):
        read_identifier(data, Encoding(implicit), VR_OF)


def test_nesting_has_an_end() -> None:
    data = struct.pack("<HHL", 0x0008, 0x1110, 0xFFFFFFFF) + struct.pack("<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF)
    with pytest.raises(p.ProtocolError):
        read_identifier(data * 5000, Encoding(True), VR_OF)


@given(st.binary(max_size=500), st.integers(8, 70), st.booleans())
def test_fragments_join_to_what_was_sent(data: bytes, largest: int, command: bool) -> None:
    pieces = list(p.data_pdus(5, data, command=command, largest=largest))
    found = [fragment for piece in pieces for fragment in p.fragments(piece[6:])]
    assert all(len(piece) - 6 <= largest for piece in pieces)
    assert b"".join(fragment.data for fragment in found) == data
    assert [fragment.last for fragment in found] == [False] * (len(found) - 1) + [True]
    assert {(fragment.context_id, fragment.command) for fragment in found} == {(5, command)}


@given(st.dictionaries(st.sampled_from([0x0110, 0x0120, 0x0900, 0x1020]), st.integers(0, 65_535)))
def test_command_sets_are_read_back(numbers: dict[int, int]) -> None:
    found = c.read_command_set(c.command_set({**numbers, c.SOP_CLASS: "1.2.840.10008.1.1"}))
    assert {number: c.number_of(found[number]) for number in numbers} == numbers
    assert found[c.SOP_CLASS] == b"1.2.840.10008.1.1\x00"
    assert (
        int.from_bytes(found[0], "little")
        == len(c.command_set({**numbers, c.SOP_CLASS: "1.2.840.10008.1.1"})) - 12
    )


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_an_accept_of_any_bytes_is_read_or_refused(body: bytes) -> None:
    for read in (lambda: p.read_accept(b"\x00" * 68 + body), lambda: list(p.fragments(body))):
        with contextlib.suppress(p.ProtocolError):
            read()
    with contextlib.suppress(p.ProtocolError):
        c.read_command_set(body)


ACCEPT = p.pdu(
    p.ASSOCIATE_AC,
    b"\x00" * 68
    + b"\x21\x00\x00\x19\x01\x00\x00\x00\x40\x00\x00\x11" + b"1.2.840.10008.1.2"
    + b"\x50\x00\x00\x08\x51\x00\x00\x04\x00\x00\x40\x00",
)  # fmt: skip


def conversation(answers: list[bytes]) -> None:
    """A provider that answers each thing it hears with the next bytes, then closes the line."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            line, _ = server.accept()
            with line:
                for data in answers:
                    line.recv(1 << 16)
                    line.sendall(data)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            with Requestor(
                host="127.0.0.1", port=server.getsockname()[1], calling="A", called="B",
                contexts=[p.Context("1.2.840.10008.1.1", ("1.2.840.10008.1.2",))], answer_seconds=5,
            ) as requestor:  # fmt: skip
                number = requestor.context_for("1.2.840.10008.1.1", "1.2.840.10008.1.2")
                assert number == 1
                answer = requestor.ask(number, {c.SOP_CLASS: "1.2.840.10008.1.1", c.FIELD: 0x30}, None)
                assert c.number_of(answer[c.STATUS]) == 0
        finally:
            thread.join(timeout=10)


ECHOED = b"".join(
    p.data_pdus(
        1,
        c.command_set({c.FIELD: 0x8030, c.DATA_SET_TYPE: 0x0101, c.STATUS: 0}),
        command=True,
        largest=16_384,
    )
)


def test_a_conversation() -> None:
    conversation([ACCEPT, ECHOED, p.pdu(p.RELEASE_RP, b"\x00" * 4)])


@pytest.mark.parametrize(
    "answers",
    [
        [],
        [p.pdu(p.ASSOCIATE_RJ, b"\x00\x01\x01\x07")],
        [p.abort()],
        [b"\xff" * 6],
        [ACCEPT[:20]],
        [ACCEPT],
        [ACCEPT, ECHOED[:-3]],
        [ACCEPT, p.abort()],
        [ACCEPT, p.pdu(p.P_DATA, b"\x00\x00\x00\x01\x00")],
    ],
)
def test_a_bad_provider_is_a_failed_association(answers: list[bytes]) -> None:
    with pytest.raises(AssociationFailed):
        conversation(answers)


def test_nobody_there_is_a_failed_association() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(AssociationFailed):
        Requestor(
            host="127.0.0.1", port=port, calling="A", called="B",
            contexts=[p.Context("1.2.840.10008.1.1", ("1.2.840.10008.1.2",))],
        )  # fmt: skip

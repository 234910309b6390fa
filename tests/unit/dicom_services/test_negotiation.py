"""Association requests as another implementation writes them, and our answers as it reads them."""

from __future__ import annotations

import random

import pytest
from pynetdicom.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RQ
from pynetdicom.pdu_primitives import (
    A_ASSOCIATE,
    ImplementationClassUIDNotification,
    MaximumLengthNotification,
    SCP_SCU_RoleSelectionNegotiation,
)
from pynetdicom.presentation import build_context

from dicom_node.opening import is_storage, own_contexts
from telemed.dimse import negotiation as n
from telemed.dimse import pdu as p
from telemed.dimse.pdu import ProtocolError

CT, VERIFICATION, GET = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.1", "1.2.840.10008.5.1.4.1.2.2.3"
FIND, PRIVATE, UNKNOWN = "1.2.840.10008.5.1.4.1.2.2.1", "1.3.46.670589.11.0.0.12.1", "1.2.840.10008.9.9.9"
EXPLICIT, IMPLICIT, JPEG_LS = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.4.80"
HEAD = 6


def written_by_pynetdicom(*classes: tuple[str, list[str]], largest: int = 16_384) -> bytes:
    primitive = A_ASSOCIATE()
    primitive.application_context_name = "1.2.840.10008.3.1.1.1"
    primitive.calling_ae_title, primitive.called_ae_title = "TOWN_ECG", "TELEMED"
    length, implementation = MaximumLengthNotification(), ImplementationClassUIDNotification()
    length.maximum_length_received = largest
    implementation.implementation_class_uid = "2.25.1"
    role = SCP_SCU_RoleSelectionNegotiation()
    role.sop_class_uid, role.scu_role, role.scp_role = CT, True, True
    primitive.user_information = [length, implementation, role]
    contexts = [build_context(uid, syntaxes) for uid, syntaxes in classes]
    for number, context in enumerate(contexts):
        context.context_id = 2 * number + 1
    primitive.presentation_context_definition_list = contexts
    pdu = A_ASSOCIATE_RQ()
    pdu.from_primitive(primitive)
    return bytes(pdu.encode())


def test_a_request_is_read_as_it_was_meant() -> None:
    request = n.read_request(
        written_by_pynetdicom((CT, [JPEG_LS, EXPLICIT]), (VERIFICATION, [IMPLICIT]))[HEAD:]
    )
    assert (request.calling, request.called, request.largest_pdu) == ("TOWN_ECG", "TELEMED", 16_384)
    assert [(c.number, c.abstract_syntax, c.transfer_syntaxes) for c in request.contexts] == [
        (1, CT, (JPEG_LS, EXPLICIT)),
        (3, VERIFICATION, (IMPLICIT,)),
    ]
    assert request.roles == {CT: (True, True)}
    assert request.refusal is None


def test_our_acceptance_is_read_as_it_was_meant() -> None:
    request = n.read_request(written_by_pynetdicom((CT, [JPEG_LS]), (PRIVATE, [EXPLICIT]))[HEAD:])
    ours = n.associate_accept(
        request, {1: JPEG_LS}, largest_pdu=131_072, implementation_uid="2.25.7", implementation_name="TELEMED"
    )
    pdu = A_ASSOCIATE_AC()
    pdu.decode(ours)
    primitive = pdu.to_primitive()
    results = {c.context_id: c for c in primitive.presentation_context_definition_results_list}
    assert (results[1].result, results[1].transfer_syntax) == (0, [JPEG_LS])
    # Only classes that are served get here: it is the transfer syntaxes that were not.
    assert results[3].result == n.TRANSFER_SYNTAXES_NOT_SUPPORTED
    items = {type(item).__name__: item for item in primitive.user_information}
    assert items["MaximumLengthNotification"].maximum_length_received == 131_072
    role = items["SCP_SCU_RoleSelectionNegotiation"]
    assert (role.sop_class_uid, role.scu_role, role.scp_role) == (CT, True, False)


def test_a_peer_without_a_limit_gets_ours() -> None:
    assert (
        n.read_request(written_by_pynetdicom((CT, [EXPLICIT]), largest=0)[HEAD:]).largest_pdu == p.LARGEST_PDU
    )


TITLES = b"\x00" * 66


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (b"\x00\x02" + TITLES, n.VERSION_NOT_SUPPORTED),
        (b"\x00\x01" + TITLES + b"\x10\x00\x00\x03abc", n.APPLICATION_CONTEXT_NOT_SUPPORTED),
    ],
    ids=["version", "application context"],
)
def test_what_cannot_be_spoken_is_refused_by_its_reason(body: bytes, refusal: n.Refusal) -> None:
    assert n.read_request(body).refusal == refusal


def test_every_beginning_of_a_request_is_read_or_refused() -> None:
    body = written_by_pynetdicom((CT, [JPEG_LS, EXPLICIT]), (VERIFICATION, [IMPLICIT]))[HEAD:]
    refused = 0
    for length in range(len(body)):
        try:
            n.read_request(body[:length])
        except ProtocolError:
            refused += 1
    assert refused > len(body) // 2


def test_a_damaged_request_is_read_or_refused() -> None:
    body = written_by_pynetdicom((CT, [JPEG_LS, EXPLICIT]), (VERIFICATION, [IMPLICIT]))[HEAD:]
    dice = random.Random(3)
    refused = 0
    for _ in range(3000):
        damaged = bytearray(body)
        for _ in range(dice.randint(1, 4)):
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        try:
            request = n.read_request(bytes(damaged))
        except ProtocolError:
            refused += 1
            continue
        n.associate_accept(
            request, {}, largest_pdu=131_072, implementation_uid="2.25.7", implementation_name="TELEMED"
        )
    assert 0 < refused < 3000


@pytest.mark.parametrize(
    ("uid", "stored"),
    [(CT, True), (PRIVATE, True), (UNKNOWN, True), (VERIFICATION, False), (FIND, False), (GET, False)],
)
def test_what_is_no_other_service_is_storage(uid: str, stored: bool) -> None:
    assert is_storage(uid) is stored


def test_whoever_asks_for_another_service_goes_elsewhere() -> None:
    def agreed(*classes: tuple[str, list[str]]) -> dict[int, str] | None:
        return own_contexts(n.read_request(written_by_pynetdicom(*classes)[HEAD:]), {FIND})

    assert agreed((CT, [JPEG_LS, EXPLICIT]), (VERIFICATION, [IMPLICIT])) == {1: JPEG_LS, 3: IMPLICIT}
    assert agreed((FIND, [IMPLICIT, EXPLICIT])) == {1: EXPLICIT}
    # A query is written in a plain syntax or not at all.
    assert agreed((FIND, [JPEG_LS]), (CT, [EXPLICIT])) == {3: EXPLICIT}
    assert agreed((CT, [EXPLICIT]), (GET, [EXPLICIT])) is None

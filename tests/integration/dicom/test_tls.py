"""The TLS door: a device with a recorded certificate is known by it, and by nothing less."""

import hashlib
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pynetdicom import AE

from dicom_node.server import DicomNode, Door
from dicom_node.tls import TlsFiles
from tests.integration.dicom.conftest import LIMITS
from tests.pdu import VERIFICATION, associate_request
from tests.programs import require
from tests.receiving import Site


@dataclass
class Pair:
    certificate: Path
    key: Path

    @property
    def fingerprint(self) -> str:
        der = ssl.PEM_cert_to_DER_cert(self.certificate.read_text())
        return hashlib.sha256(der).hexdigest()


def make_pair(folder: Path, name: str) -> Pair:
    openssl = require("openssl", package="openssl")
    pair = Pair(folder / f"{name}.crt", folder / f"{name}.key")
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(
        [*command, "-keyout", pair.key, "-out", pair.certificate], check=True, capture_output=True, timeout=60
    )
    return pair


@dataclass
class TlsDoor:
    town: Site
    port: int
    node_pair: Pair
    device: Pair
    stranger: Pair

    def associate(self, pair: Pair | None) -> bool:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.node_pair.certificate)
        if pair is not None:
            context.load_cert_chain(pair.certificate, pair.key)
        entity = AE("TOWN_DR")
        entity.add_requested_context(VERIFICATION)
        line = entity.associate("127.0.0.1", self.port, ae_title="TELEMED", tls_args=(context, "localhost"))
        accepted = bool(line.is_established)
        if accepted:
            assert line.send_c_echo().Status == 0
            line.release()
        return accepted


@pytest.fixture
def tls_door(town: Site, tmp_path: Path) -> Iterator[TlsDoor]:
    node_pair, device, stranger = (make_pair(tmp_path, name) for name in ("node", "device", "stranger"))
    authority = tmp_path / "authorities.pem"
    authority.write_text(device.certificate.read_text() + stranger.certificate.read_text())
    with town.world.unit_of_work() as uow:
        uow.devices.get(town.device_id).certificate_sha256 = device.fingerprint
        uow.commit()
    files = TlsFiles(certificate=node_pair.certificate, key=node_pair.key, authority=authority)
    node = DicomNode(
        world=town.world,
        ae_title="TELEMED",
        doors=[Door(host="127.0.0.1", port=0, tls=files), Door(host="127.0.0.1", port=0)],
        limits=LIMITS,
    )
    node.start()
    try:
        yield TlsDoor(town, node.ports[0], node_pair, device, stranger)
    finally:
        node.stop(grace_seconds=1)


def test_the_recorded_certificate_opens_and_no_other(tls_door: TlsDoor) -> None:
    assert tls_door.associate(tls_door.device)
    assert not tls_door.associate(tls_door.stranger)
    assert not tls_door.associate(None)
    assert tls_door.town.column("event", "kind") == ["association.rejected", "notice.raised"]


def test_a_silent_peer_in_the_handshake_keeps_nobody_out(tls_door: TlsDoor) -> None:
    with socket.create_connection(("127.0.0.1", tls_door.port)):
        assert tls_door.associate(tls_door.device)


def test_nothing_leaves_in_clear_when_the_node_stops(town: Site, tmp_path: Path) -> None:
    pair = make_pair(tmp_path, "node")
    files = TlsFiles(certificate=pair.certificate, key=pair.key)
    doors = [Door(host="127.0.0.1", port=0, tls=files)]
    node = DicomNode(world=town.world, ae_title="TELEMED", doors=doors, limits=LIMITS)
    node.start()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(pair.certificate)
    arrived, leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(arrived, leaving, server_hostname="localhost")
    with socket.create_connection(("127.0.0.1", node.ports[0]), timeout=20) as line:

        def turn(step: Callable[[], object]) -> object:
            """A step of TLS, with what it wants to send and to hear."""
            while True:
                try:
                    found = step()
                except ssl.SSLWantReadError:
                    line.sendall(leaving.read())
                    arrived.write(line.recv(65_536))
                else:
                    line.sendall(leaving.read())
                    return found

        turn(tls.do_handshake)
        request = associate_request("TOWN_DR", "TELEMED", {1: (VERIFICATION, "1.2.840.10008.1.2")})
        turn(lambda: tls.write(request))
        answer = turn(lambda: tls.read(4096))
        assert isinstance(answer, bytes)
        assert answer[:1] == b"\x02"
        node.stop(grace_seconds=1)
        heard = b""
        while piece := line.recv(4096):
            heard += piece
    # Nothing, or whole records: alerts and encrypted data.
    while heard:
        assert heard[0] in (20, 21, 22, 23), heard[:32]
        heard = heard[5 + int.from_bytes(heard[3:5], "big") :]

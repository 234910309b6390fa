"""Associations that we ask for over TLS: to DCMTK's storescp, to a device that waits for its commitment report."""

from __future__ import annotations

import json
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pynetdicom import AE, evt

from dicom_node.services import STORAGE_COMMITMENT
from telemed.adapters.dimse_scu import DimsePeers, OutgoingTls
from telemed.application.ports.dicom import CommitmentReport
from telemed.application.remote_nodes import NewNode, add_forward_rule, add_remote_node, verify_remote_node
from telemed.dimse.tls import Identity
from telemed.domain.errors import Unavailable
from telemed.domain.exchange import RemoteNode
from tests.cast import TOWNSHIP_A1
from tests.certificates import Authority, Pair
from tests.factories.dicom import dr_bytes, uid
from tests.integration.dicom_services.conftest import AE_TITLE, OpenNode, dcmtk
from tests.integration.dicom_services.test_forward import states, whole
from tests.integration.dicom_services.test_retrieve import free_port
from tests.programs import require


@dataclass
class Region:
    """An authority that signs for everybody, one that nobody trusts, and our own certificate."""

    folder: Path
    authority: Authority
    stranger: Authority
    own: Pair

    def outgoing(self, *, own: Pair | None = None, trusted: bool = True) -> OutgoingTls:
        pair = own or self.own
        return OutgoingTls(
            identity=Identity(certificate=pair.certificate, key=pair.key),
            authority=self.authority.pair.certificate if trusted else None,
        )

    @contextmanager
    def storescp(self, pair: Pair, *options: str) -> Iterator[tuple[int, Path]]:
        """DCMTK's provider; it demands a certificate of this authority from whoever calls."""
        port, kept = free_port(), self.folder / "kept"
        kept.mkdir(exist_ok=True)
        command = [require("storescp", package="dcmtk"), "+tls", pair.key, pair.certificate]
        command += ["+cf", self.authority.pair.certificate, *options, "-od", kept, "-aet", "DEST", str(port)]
        with (self.folder / "storescp.log").open("wb") as log:
            process = subprocess.Popen([*map(str, command)], stdout=log, stderr=log)
            try:
                self._wait(port)
                yield port, kept
            finally:
                process.terminate()
                process.wait(timeout=20)

    def _wait(self, port: int) -> None:
        identity = ["+tls", self.own.key, self.own.certificate, "-ic"]
        for _ in range(100):
            said = dcmtk("echoscu", *identity, "localhost", port, check=False)
            if "Connection refused" not in said and "Failed to establish" not in said:
                return
            time.sleep(0.05)
        raise AssertionError("storescp does not listen")


@pytest.fixture
def region(tmp_path: Path) -> Region:
    authority, stranger = Authority.make(tmp_path, "region"), Authority.make(tmp_path, "elsewhere")
    return Region(tmp_path, authority, stranger, authority.issue("own"))


def calling(door: OpenNode, tls: OutgoingTls) -> None:
    """The world of the running node calls others in this way from now on."""
    object.__setattr__(door.cast.world, "peers", DimsePeers(AE_TITLE, tls=tls))


def destination(door: OpenNode, port: int, **tls: Any) -> RemoteNode:
    admin, site = door.actor("admin"), door.cast.sites[TOWNSHIP_A1]
    new = NewNode(ae_title="DEST", host="127.0.0.1", port=port, tls=True, **tls)
    node = add_remote_node(door.cast.world, actor=admin, new=new, institution_uid=site.uid)
    add_forward_rule(door.cast.world, actor=admin, node_uid=node.uid, institution_uid=site.uid)
    return node


def film(door: OpenNode) -> bytes:
    file = dr_bytes(patient_id="F-9", study_uid=uid("tls", "forwarded"))
    door.put(file)
    whole(door)
    return file


def notices(door: OpenNode) -> list[tuple[object, object]]:
    facts = [json.loads(str(one)) for one in door.column("notice", "facts")]
    return list(zip(door.column("notice", "code"), (one.get("error") for one in facts), strict=True))


def test_forwarding_and_a_move_go_over_tls_with_our_certificate(door: OpenNode, region: Region) -> None:
    calling(door, region.outgoing())
    with region.storescp(region.authority.issue("dest")) as (port, kept):
        node = destination(door, port)
        verify_remote_node(door.cast.world, actor=door.actor("admin"), uid=node.uid)
        sent = film(door)
        assert states(door) == ["sent"]
        (file,) = kept.iterdir()
        assert dcmread(file).PixelData in sent
        file.unlink()
        dcmtk(
            "movescu", "-S", "-aet", "A1_DR", "-aem", "DEST", "-aec", AE_TITLE, "-k", "QueryRetrieveLevel=STUDY",
            "-k", f"StudyInstanceUID={uid('tls', 'forwarded')}", "127.0.0.1", door.port,
        )  # fmt: skip
        assert len(list(kept.iterdir())) == 1
    assert notices(door) == []


@pytest.mark.parametrize(
    ("reason", "issued"),
    [
        ("tls.unknown_authority", lambda region: region.stranger.issue("dest")),
        ("tls.expired", lambda region: region.authority.issue("dest", expired=True)),
        ("tls.other_name", lambda region: region.authority.issue("dest", host="DNS:elsewhere.example")),
    ],
)
def test_a_destination_that_cannot_prove_itself_gets_nothing(
    door: OpenNode, region: Region, reason: str, issued: Any
) -> None:
    calling(door, region.outgoing())
    with region.storescp(issued(region)) as (port, kept):
        node = destination(door, port)
        film(door)
        assert list(kept.iterdir()) == []
        # As the administrator's button does it.
        with pytest.raises(Unavailable, match=r"error\.peer_tls") as told:
            verify_remote_node(door.cast.world, actor=door.actor("admin"), uid=node.uid)
        assert told.value.params == {"ae_title": "DEST", "error": reason}
    assert states(door) == ["waiting"]
    assert notices(door) == [("notice.forward_unreachable", reason)]


def test_a_name_or_an_authority_recorded_at_the_node_count(door: OpenNode, region: Region) -> None:
    calling(door, region.outgoing(trusted=False))
    issued = region.stranger.issue("dest", host="DNS:pacs.example")
    with region.storescp(issued) as (port, _):
        node = destination(door, port, server_name="pacs.example")
        film(door)
        assert notices(door) == [("notice.forward_unreachable", "tls.no_authority")]
        with door.cast.world.unit_of_work() as uow:
            # The machine's own certificate, whoever signed it.
            uow.remote_nodes.get(node.id).certificate_authority = issued.pem
            uow.commit()
        whole(door)
    assert states(door) == ["sent"]


def test_a_destination_that_refuses_our_certificate_is_told(door: OpenNode, region: Region) -> None:
    calling(door, region.outgoing(own=region.stranger.issue("own")))
    with region.storescp(region.authority.issue("dest")) as (port, kept):
        destination(door, port)
        film(door)
        assert list(kept.iterdir()) == []
    assert states(door) == ["waiting"]
    # With TLS 1.3 the alert may be lost behind the closing of the line.
    ((code, reason),) = notices(door)
    assert code == "notice.forward_unreachable"
    assert reason in ("tls.ours_refused", "tls.closed")


def test_a_destination_with_old_suites_alone_is_not_sent_to(door: OpenNode, region: Region) -> None:
    calling(door, region.outgoing())
    old = ["+pa"]
    with region.storescp(region.authority.issue("dest"), *old) as (port, kept):
        destination(door, port)
        film(door)
        assert list(kept.iterdir()) == []
    assert notices(door) == [("notice.forward_unreachable", "tls.suites")]


def test_a_commitment_report_goes_over_tls(door: OpenNode, region: Region) -> None:
    device, heard = region.authority.issue("device"), []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(device.certificate, device.key)
    context.load_verify_locations(region.authority.pair.certificate)
    context.verify_mode = ssl.CERT_REQUIRED

    def on_report(event: Any) -> tuple[int, None]:
        heard.append(str(event.event_information.TransactionUID))
        return 0, None

    entity = AE(ae_title="A1_DR")
    entity.add_supported_context(STORAGE_COMMITMENT, scu_role=True, scp_role=True)
    server: Any = entity.start_server(
        ("127.0.0.1", 0), block=False, ssl_context=context, evt_handlers=[(evt.EVT_N_EVENT_REPORT, on_report)]
    )
    node = RemoteNode(
        uid="n", institution_id=1, consortium_id=1, ae_title="A1_DR", host="localhost",
        port=server.server_address[1], tls=True,
    )  # fmt: skip
    report = CommitmentReport("1.2.3", [("1.2.840.10008.5.1.4.1.1.2", "1.2.4")], [])
    try:
        assert DimsePeers(AE_TITLE, tls=region.outgoing()).report_commitment(node, report) == 0
        with pytest.raises(Unavailable, match=r"error\.peer_tls"):
            DimsePeers(AE_TITLE, tls=replace(region.outgoing(), identity=None)).report_commitment(
                node, report
            )
    finally:
        server.shutdown()
    assert heard == ["1.2.3"]

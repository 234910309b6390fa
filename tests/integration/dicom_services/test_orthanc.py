"""Orthanc as a device that asks for storage commitment, and as both sides of TLS."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dicom_node.server import DicomNode, Door
from dicom_node.tls import TlsFiles
from telemed.adapters.dimse_scu import DimsePeers, OutgoingTls
from telemed.application.refused_certificates import RefusedHandshakes, site_authorities
from telemed.application.remote_nodes import NewNode, add_forward_rule, add_remote_node
from telemed.dimse.tls import Identity
from tests.cast import TOWNSHIP_A1
from tests.certificates import Authority, Pair
from tests.factories.dicom import dr_bytes, ecg_bytes, uid
from tests.integration.dicom_services.conftest import AE_TITLE, LIMITS, OpenNode
from tests.integration.dicom_services.test_forward import Orthanc, orthanc, states, wait_for, whole
from tests.integration.dicom_services.test_retrieve import data_set, free_port, register
from tests.programs import require

__all__ = ["orthanc"]

ECG = "1.2.840.10008.5.1.4.1.1.9.1.1"


def as_device(door: OpenNode) -> None:
    """The device of township A1 is Orthanc from now on."""
    with door.cast.world.unit_of_work() as uow:
        uow.devices.get(door.device.id).ae_title = "ORTHANC"
        uow.commit()


def settled(ask: Callable[[], Any]) -> Any:
    """Orthanc works its jobs and answers in threads of its own: asked until it is done."""
    for _ in range(200):
        if answer := ask():
            return answer
        time.sleep(0.1)
    raise AssertionError("Orthanc did not come to an end")


def test_orthanc_asks_for_storage_commitment_and_hears_of_it(door: OpenNode, orthanc: Orthanc) -> None:
    as_device(door)
    register(door, "ORTHANC", orthanc.dicom_port)
    for number in range(2):
        file = ecg_bytes(patient_id="O-1", accession="SC", seed=("sc", number))
        orthanc.send(file)
    held = [orthanc.get(f"/instances/{name}") for name in orthanc.get("/instances")]
    kept, missing = (one["MainDicomTags"]["SOPInstanceUID"] for one in held)
    first = next(one["ID"] for one in held if one["MainDicomTags"]["SOPInstanceUID"] == kept)
    orthanc.post("/modalities/node/store", {"Resources": [first]})

    def asked(*instances: str) -> dict[str, Any]:
        pairs = [[ECG, instance] for instance in instances]
        transaction = orthanc.post("/modalities/node/storage-commitment", {"DicomInstances": pairs})["ID"]
        door.cast.run_jobs()

        def report() -> Any:
            found = orthanc.get(f"/storage-commitment/{transaction}")
            return found if found["Status"] != "Pending" else None

        answer: dict[str, Any] = settled(report)
        return answer

    whole_report = asked(kept)
    assert (whole_report["Status"], whole_report["RemoteAET"]) == ("Success", AE_TITLE)
    assert [one["SOPInstanceUID"] for one in whole_report["Success"]] == [kept]
    partly = asked(kept, missing)
    assert partly["Status"] == "Failure"
    assert [one["SOPInstanceUID"] for one in partly["Success"]] == [kept]
    ((failure),) = partly["Failures"]
    # 0112H: no such object instance (PS3.3 C.14.1.1).
    assert (failure["SOPInstanceUID"], failure["FailureReason"]) == (missing, 0x0112)
    assert door.column("commitment_request", "state") == ["reported", "reported"]


# --- TLS in both directions --------------------------------------------------------------------------------


@contextmanager
def tls_orthanc(folder: Path, own: Pair, trusted: Path, node_port: int) -> Iterator[Orthanc]:
    program = require("Orthanc", package="orthanc", folders="/usr/sbin")
    here = Orthanc(free_port(), free_port())
    configuration = {
        "Name": "FICTIONAL", "StorageDirectory": str(folder / "orthanc"), "IndexDirectory": str(folder / "orthanc"),
        "DicomAet": "ORTHANC", "DicomPort": here.dicom_port, "HttpPort": here.http_port,
        "RemoteAccessAllowed": False, "AuthenticationEnabled": False, "Plugins": [],
        "DicomTlsEnabled": True, "DicomTlsPrivateKey": str(own.key), "DicomTlsCertificate": str(own.certificate),
        "DicomTlsTrustedCertificates": str(trusted), "DicomTlsRemoteCertificateRequired": True,
        "DicomModalities": {
            "node": {"AET": AE_TITLE, "Host": "localhost", "Port": node_port, "UseDicomTls": True},
        },
        "DicomAlwaysAllowStore": True, "ConcurrentJobs": 1,
    }  # fmt: skip
    (folder / "orthanc").mkdir()
    (folder / "orthanc.json").write_text(json.dumps(configuration))
    with (folder / "orthanc.log").open("wb") as log:
        process = subprocess.Popen(
            [program, str(folder / "orthanc.json")], stdout=log, stderr=log, env={"TCP_NODELAY": "1"}
        )
        try:
            wait_for(here.dicom_port, here.http_port)
            yield here
        finally:
            process.terminate()
            process.wait(timeout=20)


def test_orthanc_sends_and_receives_over_tls(door: OpenNode, tmp_path: Path) -> None:
    world, authority = door.cast.world, Authority.make(tmp_path, "region")
    ours, theirs = authority.issue("node", rsa=True), authority.issue("orthanc", rsa=True)
    as_device(door)
    with world.unit_of_work() as uow:
        site = uow.institutions.get(door.device.institution_id)
        site.certificate_authority, site.certificate_demanded = authority.pair.pem, True
        uow.commit()
    identity = Identity(certificate=ours.certificate, key=ours.key)
    object.__setattr__(world, "peers", DimsePeers(AE_TITLE, tls=OutgoingTls(identity=identity)))
    files = TlsFiles(
        certificate=ours.certificate,
        key=ours.key,
        site_authorities=lambda: site_authorities(world),
        refused=RefusedHandshakes(world),
    )
    node = DicomNode(
        world=world, ae_title=AE_TITLE, doors=[Door(host="127.0.0.1", port=0, tls=files)], limits=LIMITS
    )
    node.start()
    try:
        with tls_orthanc(tmp_path, theirs, authority.pair.certificate, node.ports[0]) as orthanc:
            orthanc.post("/modalities/node/echo", {})
            sent = ecg_bytes(patient_id="O-2", accession="TLS")
            orthanc.send(sent)
            orthanc.post("/modalities/node/store", {"Resources": orthanc.get("/instances")})
            assert door.column("stored_object", "role") == ["primary"]
            # And back: a film by rule.
            new = NewNode(
                ae_title="ORTHANC", host="localhost", port=orthanc.dicom_port, tls=True,
                certificate_authority=authority.pair.pem,
            )  # fmt: skip
            admin, town = door.actor("admin"), door.cast.sites[TOWNSHIP_A1].uid
            target = add_remote_node(world, actor=admin, new=new, institution_uid=town)
            add_forward_rule(world, actor=admin, node_uid=target.uid, modality="DX", institution_uid=town)
            film = dr_bytes(patient_id="O-3", study_uid=uid("orthanc", "tls"))
            door.put(film)
            whole(door)
            assert states(door) == ["sent"]
            held = [orthanc.get(f"/instances/{name}/file") for name in orthanc.get("/instances")]
            assert data_set(film) in [data_set(one) for one in held]
    finally:
        node.stop(grace_seconds=1)
    assert door.column("notice", "code") == []

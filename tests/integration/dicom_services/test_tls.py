"""Over TLS the reading thread writes: queries and retrievals come through it whole."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pynetdicom import AE, build_role, evt

from dicom_node import services as s
from dicom_node.server import DicomNode, Door
from dicom_node.tls import TlsFiles
from tests.factories.dicom import dr_bytes
from tests.integration.dicom.test_tls import make_pair
from tests.integration.dicom_services.conftest import AE_TITLE, LIMITS, OpenNode, dcmtk
from tests.integration.dicom_services.test_retrieve import (
    DX,
    EXPLICIT,
    STUDY,
    Destination,
    data_set,
    register,
)


@pytest.fixture
def tls(door: OpenNode, tmp_path: Path) -> Iterator[tuple[int, ssl.SSLContext]]:
    pair = make_pair(tmp_path, "node")
    node = DicomNode(
        world=door.cast.world,
        ae_title=AE_TITLE,
        doors=[Door(host="127.0.0.1", port=0, tls=TlsFiles(certificate=pair.certificate, key=pair.key))],
        limits=LIMITS,
    )
    node.start()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(pair.certificate)
    yield node.ports[0], context
    node.stop(grace_seconds=1)


def test_a_query_and_a_retrieval(door: OpenNode, tls: tuple[int, ssl.SSLContext]) -> None:
    # Larger than a PDU, a piece and a TLS record.
    noise = np.random.default_rng(1).integers(0, 4096, (600, 800)).astype(np.uint16)
    files = [
        dr_bytes(noise, patient_id="R-1", study_uid=STUDY, seed=number, InstanceNumber=number + 1)
        for number in range(3)
    ]
    door.put(*files)
    there, (port, context) = Destination(), tls
    node = AE(ae_title="A1_DR")
    for sop_class in (s.STUDY_ROOT_FIND, s.STUDY_ROOT_GET):
        node.add_requested_context(sop_class)
    node.add_requested_context(DX, EXPLICIT)
    roles: list[Any] = [build_role(DX, scp_role=True)]
    association = node.associate(
        "127.0.0.1", port, ae_title=AE_TITLE, ext_neg=roles, tls_args=(context, "localhost"),
        evt_handlers=[(evt.EVT_C_STORE, there.on_store)],
    )  # fmt: skip
    assert association.is_established
    asked = Dataset()
    asked.QueryRetrieveLevel, asked.StudyInstanceUID, asked.SOPInstanceUID = "IMAGE", STUDY, ""
    found = [answer for _, answer in association.send_c_find(asked, s.STUDY_ROOT_FIND) if answer is not None]
    assert len(found) == 3
    del asked.SOPInstanceUID
    asked.QueryRetrieveLevel = "STUDY"
    answers = [status for status, _ in association.send_c_get(asked, s.STUDY_ROOT_GET)]
    association.release()
    assert int(answers[-1].Status) == 0
    assert sorted(there.got.values()) == sorted(map(data_set, files))


def test_dcmtks_clients_over_tls(door: OpenNode, tls: tuple[int, ssl.SSLContext], tmp_path: Path) -> None:
    door.put(*(dr_bytes(patient_id="R-1", study_uid=STUDY, seed=number) for number in range(2)))
    door.order("T-1", "张三", accession="TLS-1")
    port, context = tls
    own = make_pair(tmp_path, "device")
    secure = ["+tls", own.key, own.certificate, "+cf", tmp_path / "node.crt", "+px"]
    titles = ["-aet", "A1_DR", "-aec", AE_TITLE]
    assert "Received Echo Response (Success)" in dcmtk("echoscu", "-d", *secure, *titles, "localhost", port)
    found, listed = tmp_path / "found", tmp_path / "listed"
    for model, folder, keys in (
        ("-S", found, ["QueryRetrieveLevel=IMAGE", f"StudyInstanceUID={STUDY}", "SOPInstanceUID"]),
        ("-W", listed, ["PatientName", "AccessionNumber"]),
    ):
        folder.mkdir()
        asked = [word for key in keys for word in ("-k", key)]
        dcmtk("findscu", *secure, model, "-X", "-od", folder, *titles, *asked, "localhost", port)
    assert len(list(found.iterdir())) == 2
    (step,) = (dcmread(path, force=True) for path in listed.iterdir())
    assert (step.AccessionNumber, str(step.PatientName)) == ("TLS-1", "Zhang^San=张^三")
    # DCMTK's movescu speaks no TLS.
    there, node = Destination(), AE(ae_title="A1_DR")
    node.add_requested_context(s.STUDY_ROOT_MOVE)
    with there.listening() as destination:
        register(door, "DEST", destination)
        line = node.associate("127.0.0.1", port, ae_title=AE_TITLE, tls_args=(context, "localhost"))
        assert line.is_established
        answers = [status for status, _ in line.send_c_move(whole_study(), "DEST", s.STUDY_ROOT_MOVE)]
        line.release()
    assert (int(answers[-1].Status), len(there.got)) == (0, 2)


def whole_study() -> Dataset:
    asked = Dataset()
    asked.QueryRetrieveLevel, asked.StudyInstanceUID = "STUDY", STUDY
    return asked

"""The TLS door before DCMTK and OpenSSL: whom it lets in, what it refuses, and who hears of it."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from dicom_node.server import DicomNode, Door
from dicom_node.tls import TlsFiles
from telemed.application.refused_certificates import RefusedHandshakes, site_authorities
from telemed.dimse.tls import TlsProfile
from telemed.domain.people import Device
from tests.certificates import Authority, Pair
from tests.factories.dicom import ecg_bytes
from tests.integration.dicom.conftest import LIMITS
from tests.programs import require
from tests.receiving import Site


@dataclass
class TlsDoor:
    town: Site
    folder: Path
    port: int
    authority: Authority
    stranger: Authority

    def dcmtk(self, program: str, pair: Pair | None, *files: Path, title: str = "TOWN_DR") -> bool:
        shown = ["+tls", pair.key, pair.certificate] if pair else ["+tla"]
        command = [require(program, package="dcmtk"), *shown, "+cf", self.authority.pair.certificate]
        command += ["-aet", title, "-aec", "TELEMED", "localhost", str(self.port), *files]
        return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0

    def openssl(self, *options: str, pair: Pair | None = None) -> bool:
        command = [require("openssl", package="openssl"), "s_client", "-connect", f"127.0.0.1:{self.port}"]
        shown = ["-cert", str(pair.certificate), "-key", str(pair.key)] if pair else []
        # Without a word of ours: the handshake alone, and the end.
        done = subprocess.run(
            [*command, "-brief", *shown, *options], input=b"", capture_output=True, timeout=60, check=False
        )
        return b"CONNECTION ESTABLISHED" in done.stderr

    def site(self, *, authority: str = "", demanded: bool = False) -> None:
        with self.town.world.unit_of_work() as uow:
            site = uow.institutions.get(self.town.institution_id)
            site.certificate_authority, site.certificate_demanded = authority, demanded
            uow.commit()

    def record(self, fingerprint: str | None) -> None:
        with self.town.world.unit_of_work() as uow:
            uow.devices.get(self.town.device_id).certificate_sha256 = fingerprint
            uow.commit()

    def events(self, count: int) -> int:
        """The door may write after its peer has gone: waits for so many, and says how many there are."""
        for _ in range(100):
            found = self.town.column("event", "kind").count("association.rejected")
            if found >= count:
                return found
            time.sleep(0.05)
        return found

    def told(self) -> list[tuple[str, str]]:
        """(institution, reason) of each notice to a person, in their order."""
        with self.town.engine.connect() as connection:
            rows = connection.exec_driver_sql(
                "SELECT institution_id, code, facts FROM notice ORDER BY id"
            ).all()
        assert {code for _, code, _ in rows} <= {"notice.certificate_refused"}
        assert all(json.loads(facts)["address"] == "127.0.0.1" for _, _, facts in rows)
        return [(institution, json.loads(facts)["error"]) for institution, _, facts in rows]


@contextmanager
def opened(town: Site, folder: Path, profile: TlsProfile = TlsProfile.BCP195) -> Iterator[TlsDoor]:
    authority, stranger = Authority.make(folder, "region"), Authority.make(folder, "elsewhere")
    own = authority.issue("node", rsa=True)
    files = TlsFiles(
        certificate=own.certificate,
        key=own.key,
        profile=profile,
        site_authorities=lambda: site_authorities(town.world),
        refused=RefusedHandshakes(town.world),
    )
    node = DicomNode(
        world=town.world,
        ae_title="TELEMED",
        doors=[Door(host="127.0.0.1", port=0, tls=files), Door(host="127.0.0.1", port=0)],
        limits=LIMITS,
    )
    node.start()
    try:
        yield TlsDoor(town, folder, node.ports[0], authority, stranger)
    finally:
        node.stop(grace_seconds=1)


@pytest.fixture
def door(town: Site, tmp_path: Path) -> Iterator[TlsDoor]:
    with opened(town, tmp_path) as one:
        yield one


def test_a_machine_with_the_certificate_of_its_site_stores(door: TlsDoor, tmp_path: Path) -> None:
    door.site(authority=door.authority.pair.pem, demanded=True)
    (tmp_path / "ecg.dcm").write_bytes(ecg_bytes(patient_id="T-1"))
    assert door.dcmtk("storescu", door.authority.issue("cart"), tmp_path / "ecg.dcm")
    assert door.town.column("stored_object", "role") == ["primary"]
    assert door.told() == []


def test_who_shows_none_or_a_wrong_one_is_rejected_and_told(door: TlsDoor) -> None:
    town = door.town
    door.site(authority=door.authority.pair.pem, demanded=True)
    assert not door.dcmtk("echoscu", None)
    assert door.told() == [(town.institution_id, "tls.certificate_absent")]
    assert not door.dcmtk("echoscu", door.stranger.issue("cart"))
    assert door.events(2) == 2
    assert not door.dcmtk("echoscu", door.authority.issue("late", expired=True))
    assert door.events(3) == 3
    here = town.institution_id
    assert door.told()[1:] == [(here, "tls.unknown_authority"), (here, "tls.expired")]
    # Each of them is an event; a machine that tries all day is one notice.
    town.clock.instant = town.clock.instant.replace(minute=30)
    assert not door.dcmtk("echoscu", door.authority.issue("later", expired=True))
    assert door.events(4) == 4
    assert len(door.told()) == 3
    assert door.dcmtk("echoscu", door.authority.issue("right"))


def test_an_authority_counts_for_its_own_site_alone(door: TlsDoor) -> None:
    town = door.town
    door.site(authority=door.authority.pair.pem, demanded=True)
    with town.world.unit_of_work() as uow:
        # Trusted by TLS itself from now on, for the other site's machines.
        uow.institutions.get(town.other_institution_id).certificate_authority = door.stranger.pair.pem
        uow.devices.add(
            Device(
                uid="other", institution_id=town.other_institution_id, consortium_id=town.consortium_id,
                ae_title="OTHER_DR", network="127.0.0.0/8",
            )
        )  # fmt: skip
        uow.commit()
    foreign = door.stranger.issue("cart")
    assert not door.dcmtk("echoscu", foreign)
    assert door.told() == [(town.institution_id, "tls.other_certificate")]
    assert door.dcmtk("echoscu", foreign, title="OTHER_DR")
    # Demanded there of nobody: the same machine without any is let in by its network.
    assert door.dcmtk("echoscu", None, title="OTHER_DR")


def test_a_recorded_certificate_goes_before_the_authority(door: TlsDoor) -> None:
    recorded, other = door.authority.issue("recorded"), door.authority.issue("other")
    door.site(authority=door.authority.pair.pem)
    door.record(recorded.fingerprint)
    assert door.dcmtk("echoscu", recorded)
    assert not door.dcmtk("echoscu", other)
    assert door.told() == [(door.town.institution_id, "tls.other_certificate")]


def test_an_authority_taken_away_is_trusted_no_more(door: TlsDoor) -> None:
    pair = door.authority.issue("cart")
    door.site(authority=door.authority.pair.pem, demanded=True)
    assert door.dcmtk("echoscu", pair)
    door.site(authority=door.stranger.pair.pem, demanded=True)
    assert not door.dcmtk("echoscu", pair)
    assert door.events(1) == 1
    assert door.told() == [(door.town.institution_id, "tls.unknown_authority")]


def test_a_machines_own_certificate_may_stand_for_its_authority(door: TlsDoor) -> None:
    pair = door.stranger.issue("cart")
    door.site(authority=pair.pem, demanded=True)
    assert door.dcmtk("echoscu", pair)
    assert not door.dcmtk("echoscu", door.stranger.issue("sibling"))


def test_old_versions_and_weak_suites_are_refused_and_told(door: TlsDoor) -> None:
    lax = "DEFAULT@SECLEVEL=0"
    assert door.openssl("-tls1_3")
    assert door.openssl("-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256")
    assert not door.openssl("-tls1_1", "-cipher", lax)
    assert not door.openssl("-tls1", "-cipher", lax)
    assert door.events(1) == 1
    here = door.town.institution_id
    assert door.told() == [(here, "tls.version")]
    for suite in ("AES128-SHA", "AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA", "DHE-RSA-AES128-GCM-SHA256"):
        assert not door.openssl("-tls1_2", "-cipher", suite), suite
    assert door.events(2) == 2
    assert door.told() == [(here, "tls.version"), (here, "tls.suites")]


@pytest.mark.parametrize("profile", [TlsProfile.NON_DOWNGRADING, TlsProfile.EXTENDED])
def test_the_profiles_for_older_machines_take_dhe_and_nothing_weaker(
    town: Site, tmp_path: Path, profile: TlsProfile
) -> None:
    with opened(town, tmp_path, profile) as door:
        for suite in (
            "DHE-RSA-AES128-GCM-SHA256",
            "DHE-RSA-AES256-GCM-SHA384",
            "ECDHE-RSA-AES256-GCM-SHA384",
        ):
            assert door.openssl("-tls1_2", "-cipher", suite), suite
        assert not door.openssl("-tls1_2", "-cipher", "DHE-RSA-AES128-SHA256")
        assert not door.openssl("-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0")


def test_plain_dicom_at_the_tls_port_is_told(door: TlsDoor) -> None:
    command = [
        require("echoscu", package="dcmtk"),
        "-aet",
        "TOWN_DR",
        "-aec",
        "TELEMED",
        "127.0.0.1",
        str(door.port),
    ]
    assert subprocess.run(command, capture_output=True, timeout=60, check=False).returncode != 0
    assert door.events(1) == 1
    assert door.told() == [(door.town.institution_id, "tls.not_tls")]


def test_silent_peers_in_the_handshake_keep_nobody_out(door: TlsDoor) -> None:
    door.site(authority=door.authority.pair.pem, demanded=True)
    lines = [socket.create_connection(("127.0.0.1", door.port)) for _ in range(40)]
    try:
        # Half of them begin and stop.
        for line in lines[::2]:
            line.sendall(b"\x16\x03\x01\x02\x00")
        assert door.dcmtk("echoscu", door.authority.issue("cart"))
    finally:
        for line in lines:
            line.close()
    assert door.told() == []

"""Backup, restore and verify, as an operator uses them: in a shell, on an embedded installation."""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from telemed.bootstrap import build
from telemed.demo.consortium import TOWNSHIP, provision
from telemed.domain.people import Role
from telemed.imaging.header import read_header
from telemed.settings import Settings
from tests.factories.dicom import ecg_bytes


def telemed(data_dir: Path, *arguments: str, language: str = "en") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "telemed.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "TELEMED_DATA_DIR": str(data_dir), "TELEMED_LANGUAGE": language},
    )


@pytest.fixture
def installation(tmp_path: Path) -> Path:
    """One institution with one received ECG."""
    from telemed.application.receive import Incoming, receive
    from telemed.imaging.header import dataset_offset

    settings = Settings.from_environment({"TELEMED_DATA_DIR": str(tmp_path / "var")})
    application = build(settings, sessions_here=False)
    world = application.world
    provision(world)
    data = ecg_bytes()
    offset = dataset_offset(data)
    part = world.spool.open_part()
    part.write_meta(data[:offset])
    part.write(data[offset:])
    part.finish()
    with world.unit_of_work(write=False) as uow:
        site = uow.institutions.by_code(TOWNSHIP)
    assert site is not None and site.consortium_id is not None
    receive(
        world,
        [
            Incoming(
                part=part,
                transfer_syntax_uid=read_header(data).transfer_syntax_uid,
                header=read_header(data),
                institution_id=site.id,
                consortium_id=site.consortium_id,
            )
        ],
    )
    application.close()
    return settings.data_dir


def test_what_was_received_verifies_and_a_flipped_byte_is_found(installation: Path) -> None:
    clean = telemed(installation, "verify", "--json")
    assert clean.returncode == 0, clean.stderr
    assert [json.loads(line)["fault"] for line in clean.stdout.splitlines()] == [None]
    (stored,) = (
        p for p in (installation / "spool").rglob("*") if p.is_file() and p.parent.name != "incoming"
    )
    content = bytearray(stored.read_bytes())
    content[-1] ^= 1
    stored.write_bytes(content)
    damaged = telemed(installation, "verify", "--json")
    assert damaged.returncode == 1
    assert [json.loads(line)["fault"] for line in damaged.stdout.splitlines()] == ["error.object_damaged"]


def test_a_backup_restored_elsewhere_verifies(installation: Path, tmp_path: Path) -> None:
    kept = telemed(installation, "backup", str(tmp_path / "kept"))
    assert kept.returncode == 0, kept.stderr
    restored = telemed(tmp_path / "other", "restore", str(tmp_path / "kept"))
    assert restored.returncode == 0, restored.stderr
    verified = telemed(tmp_path / "other", "verify", "--json")
    assert verified.returncode == 0, verified.stderr
    assert len(verified.stdout.splitlines()) == 1


def test_a_restore_never_overwrites(installation: Path, tmp_path: Path) -> None:
    telemed(installation, "backup", str(tmp_path / "kept"))
    before = (installation / "telemed.db").stat().st_ino
    refused = telemed(installation, "restore", str(tmp_path / "kept"))
    assert refused.returncode == 1
    assert "empty data directory" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert (installation / "telemed.db").stat().st_ino == before


def test_a_site_and_a_person_are_added_and_a_short_password_is_refused_in_words(tmp_path: Path) -> None:
    place = tmp_path / "var"
    assert telemed(place, "site", "add", "own", "示例医共体", "consortium").returncode == 0
    twice = telemed(place, "site", "add", "own", "示例医共体", "consortium")
    assert twice.returncode == 1
    person = ("user", "add", "li", "technician", "--site", "own", "--name", "示例技师")
    refused = telemed(place, *person, "--password", "short")
    assert refused.returncode == 1
    assert "10" in refused.stderr and "Traceback" not in refused.stderr
    added = telemed(place, *person, "--password", "long enough for all")
    assert added.returncode == 0, added.stderr
    with sqlite3.connect(place / "telemed.db") as rows:
        ((stored,),) = rows.execute("SELECT password_hash FROM user_account WHERE username = 'li'")
    rows.close()
    assert stored.startswith("$argon2id$")


def test_errors_are_sentences_in_the_chosen_language(tmp_path: Path) -> None:
    for language in ("zh-CN", "en"):
        answer = telemed(tmp_path / "var", "restore", str(tmp_path / "nothing"), language=language)
        assert answer.returncode == 1
        assert answer.stderr.startswith("telemed: ")
        assert any("一" <= letter <= "鿿" for letter in answer.stderr) is (language == "zh-CN")


def test_an_empty_database_gets_its_first_administrator_from_the_settings(tmp_path: Path) -> None:
    from telemed.application.identity import sign_in
    from telemed.application.install import ensure_administrator

    application = build(Settings.from_environment({"TELEMED_DATA_DIR": str(tmp_path / "var")}))
    assert ensure_administrator(application.world, password="chosen by the operator", language="zh-CN")
    assert not ensure_administrator(application.world, password="another one later", language="zh-CN")
    opened = sign_in(application.world, username="admin", password="chosen by the operator", kind="cookie")
    assert opened.actor.role is Role.ADMINISTRATOR
    application.close()

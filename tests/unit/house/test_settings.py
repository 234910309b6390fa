"""Settings: read once, typed, with secrets from files, and refused in words."""

import re
from pathlib import Path

import pytest

from ai_models.configured import make_models
from ai_models.errors import ModelRefused
from telemed.bootstrap import secret_key
from telemed.i18n import catalogue
from telemed.settings import Settings, SettingsError


def test_nothing_set_gives_one_embedded_machine(tmp_path: Path) -> None:
    settings = Settings.from_environment({"TELEMED_DATA_DIR": str(tmp_path)})
    assert settings.database_url == f"sqlite:///{tmp_path / 'telemed.db'}"
    assert settings.objects_url == f"file://{tmp_path / 'objects'}"
    assert settings.embedded_jobs
    assert (settings.http_host, settings.dicom_host) == ("127.0.0.1", "127.0.0.1")


def test_every_setting_stands_in_the_readme() -> None:
    told = set(re.findall(r"`([A-Z][A-Z_]+)`", (Path(__file__).parents[3] / "README.md").read_text("utf-8")))
    assert {name.upper() for name in Settings.__dataclass_fields__} <= told


def test_values_get_the_type_of_their_default(tmp_path: Path) -> None:
    settings = Settings.from_environment({"TELEMED_DATA_DIR": str(tmp_path), "TELEMED_HTTP_PORT": "9000"})
    assert settings.http_port == 9000
    assert isinstance(settings.data_dir, Path)


def test_a_port_that_is_no_number_is_told_by_its_name() -> None:
    with pytest.raises(SettingsError) as refusal:
        Settings.from_environment({"TELEMED_HTTP_PORT": "eight"})
    assert refusal.value.params["name"] == "TELEMED_HTTP_PORT"
    assert refusal.value.code in catalogue("en")


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k" * 40 + "\n")
    settings = Settings.from_environment(
        {"TELEMED_DATA_DIR": str(tmp_path), "TELEMED_SECRET_KEY_FILE": str(tmp_path / "key")}
    )
    assert secret_key(settings) == "k" * 40


def test_an_absent_secret_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refusal:
        Settings.from_environment({"TELEMED_SECRET_KEY_FILE": str(tmp_path / "none")})
    assert refusal.value.code == "settings.file_unreadable"


def test_a_weak_secret_is_refused(tmp_path: Path) -> None:
    settings = Settings.from_environment({"TELEMED_DATA_DIR": str(tmp_path), "TELEMED_SECRET_KEY": "short"})
    with pytest.raises(SettingsError) as refusal:
        secret_key(settings)
    assert refusal.value.code == "settings.secret_too_short"


def test_the_own_secret_is_made_once_and_readable_by_the_service_alone(tmp_path: Path) -> None:
    settings = Settings.from_environment({"TELEMED_DATA_DIR": str(tmp_path)})
    first = secret_key(settings)
    assert len(first) >= 32
    assert secret_key(settings) == first
    assert (tmp_path / "secret.key").stat().st_mode & 0o777 == 0o600


def test_secrets_are_not_in_the_printed_form(tmp_path: Path) -> None:
    settings = Settings.from_environment(
        {
            "TELEMED_DATA_DIR": str(tmp_path),
            "TELEMED_SECRET_KEY": "s" * 40,
            "TELEMED_ADMIN_PASSWORD": "p" * 12,
        }
    )
    assert "s" * 40 not in repr(settings)
    assert "p" * 12 not in repr(settings)


def test_the_keys_of_models_are_texts_or_files_and_a_provider_is_one_of_two(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("a key", "utf-8")
    assert Settings(model_keys=f"{'ab' * 32}, {tmp_path / 'key.pem'}").signers() == ["ab" * 32, "a key"]
    assert Settings().signers() == []
    with pytest.raises(SettingsError) as unread:
        Settings(model_keys=str(tmp_path / "none.pem")).signers()
    assert unread.value.code == "settings.file_unreadable"
    with pytest.raises(ModelRefused) as refused:
        make_models(keys=[], provider="tpu", precision="fp32")
    assert refused.value.code in catalogue("en")
    assert refused.value.params["known"] == "cpu, cuda"

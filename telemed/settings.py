"""Settings: environment variables with the prefix TELEMED_, read once, by entry points and bootstrap only.

Each secret may come from a file instead: TELEMED_SECRET_KEY_FILE=/run/secrets/key.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

PREFIX = "TELEMED_"
_SECRETS = ("SECRET_KEY", "ADMIN_PASSWORD", "DATABASE_URL", "OBJECTS_URL", "BROKER_URL")
SHORTEST_SECRET = 32


class SettingsError(ValueError):
    """A setting that cannot be used; `code` and `params` are a catalogue text that says what to change."""

    def __init__(self, code: str, **params: str | int) -> None:
        super().__init__(f"{code} {params}")
        self.code, self.params = code, params


@dataclass(frozen=True, kw_only=True)
class Settings:
    data_dir: Path = Path("var")
    database_url: str = ""
    objects_url: str = ""
    broker_url: str = "inline://"
    inference_url: str = "inline://"
    http_host: str = "127.0.0.1"
    http_port: int = 8000
    dicom_host: str = "127.0.0.1"
    dicom_port: int = 11112
    dicom_tls_port: int = 2762
    dicom_tls_certificate: str = ""
    dicom_tls_key: str = ""
    dicom_tls_authority: str = ""
    # PS3.15 annex B: "bcp195" (B.12), "bcp195-nd" (B.10, for older machines), "bcp195-ex" (B.11).
    dicom_tls_profile: str = "bcp195"
    # Receiving processes behind the same port. Beside PostgreSQL: on SQLite their commits get in each other's way
    # (measured: 130 objects a second with two, 170 with one).
    dicom_processes: int = 1
    # Associations that one institution may hold at once, in each of these processes.
    dicom_per_site: int = 64
    ae_title: str = "TELEMED"
    inference_port: int = 8001
    # "auto": the fastest precision that has proved itself; "fp32", "int8", "bf16": that one, or an error. Of some
    # models alone: "auto,ecg-superclass=int8".
    inference_precision: str = "auto"
    # "cpu" or "cuda": got as asked for, or not ready.
    inference_provider: str = "cpu"
    # Ed25519 public keys (PEM file or 64 hexadecimal digits, joined by commas): only models they signed are run.
    model_keys: str = ""
    secret_key: str = field(default="", repr=False)
    admin_password: str = field(default="", repr=False)
    time_zone: str = "Asia/Shanghai"
    language: str = "zh-CN"
    public_url: str = ""
    # Where an OHIF viewer is installed (an address of its own): the case page then leads to it, and it may read
    # DICOMweb from there.
    ohif_url: str = ""
    quiet_seconds: int = 30
    # Kept free on the spool's disk: below it senders are told to come back (0xA700), and nothing is taken.
    spool_reserve_mib: int = 256
    # Pictures made beforehand lie beside the objects: no more than this, the oldest go first.
    copies_mib: int = 10240
    workers: int = 2
    demo: bool = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        source = os.environ if environment is None else environment
        given = {name: _value(source, name) for name in cls.__dataclass_fields__}
        values: dict[str, object] = {}
        for name, value in given.items():
            if value is None:
                continue
            try:
                values[name] = _typed(value, cls.__dataclass_fields__[name].default)
            except ValueError as fault:
                raise SettingsError(
                    "settings.not_a_number", name=PREFIX + name.upper(), value=value
                ) from fault
        return cls(**values).complete()  # type: ignore[arg-type]

    def complete(self) -> Self:
        """Fills in what follows from the data directory."""
        root = self.data_dir.resolve()
        return replace(
            self,
            data_dir=root,
            database_url=self.database_url or f"sqlite:///{root / 'telemed.db'}",
            objects_url=self.objects_url or f"file://{root / 'objects'}",
            public_url=self.public_url.rstrip("/"),
            ohif_url=self.ohif_url.rstrip("/"),
        )

    @property
    def embedded_jobs(self) -> bool:
        return urlsplit(self.broker_url).scheme == "inline"

    def signers(self) -> list[str]:
        """The texts of the keys that may have signed a model; a name that ends in .pem is that file's."""
        return [_key_text(word.strip()) for word in self.model_keys.split(",") if word]

    def environment(self) -> dict[str, str]:
        """The same settings for a process of the same group."""
        return {PREFIX + name.upper(): str(getattr(self, name)) for name in self.__dataclass_fields__}


def _key_text(word: str) -> str:
    path = Path(word)
    if path.suffix != ".pem":
        return word
    try:
        return path.read_text("utf-8")
    except OSError as fault:
        raise SettingsError("settings.file_unreadable", name="TELEMED_MODEL_KEYS", file=word) from fault


def _typed(value: str, default: object) -> object:
    """The text of a variable as the type of its default."""
    match default:
        case bool():
            return value.lower() in ("1", "true", "yes")
        case int():
            return int(value)
        case Path():
            return Path(value)
        case _:
            return value


def _value(source: Mapping[str, str], name: str) -> str | None:
    variable = PREFIX + name.upper()
    if name.upper() in _SECRETS and (file := source.get(variable + "_FILE")):
        try:
            return Path(file).read_text("utf-8").strip()
        except OSError as fault:
            raise SettingsError("settings.file_unreadable", name=variable + "_FILE", file=file) from fault
    return source.get(variable) or None

"""A certificate authority of a test, by the openssl program."""

from __future__ import annotations

import hashlib
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.programs import require

_CONFIGURATION = """
[ca]
default_ca = here
[here]
database = {folder}/index.txt
new_certs_dir = {folder}
rand_serial = yes
default_md = sha256
policy = names
unique_subject = no
copy_extensions = copy
[names]
commonName = supplied
"""

_CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
_RSA = ("-newkey", "rsa:2048")


def openssl(*arguments: object) -> None:
    program = require("openssl", package="openssl")
    subprocess.run([program, *map(str, arguments)], check=True, capture_output=True, timeout=60)


@dataclass(frozen=True)
class Pair:
    certificate: Path
    key: Path

    @property
    def pem(self) -> str:
        return self.certificate.read_text()

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(self.pem[self.pem.index("-----BEGIN") :])).hexdigest()


@dataclass(frozen=True)
class Authority:
    folder: Path
    pair: Pair

    @classmethod
    def make(cls, folder: Path, name: str) -> Authority:
        own = folder / name
        own.mkdir()
        pair = Pair(own / "authority.crt", own / "authority.key")
        openssl(
            "req", "-x509", *_CURVE, "-nodes", "-days", "2", "-subj", f"/CN={name}",
            "-keyout", pair.key, "-out", pair.certificate,
        )  # fmt: skip
        (own / "index.txt").touch()
        (own / "ca.cnf").write_text(_CONFIGURATION.format(folder=own))
        return cls(own, pair)

    def issue(
        self,
        name: str,
        *,
        expired: bool = False,
        rsa: bool = False,
        host: str = "DNS:localhost,IP:127.0.0.1",
    ) -> Pair:
        pair, request = (
            Pair(self.folder / f"{name}.crt", self.folder / f"{name}.key"),
            self.folder / "asked.csr",
        )
        openssl(
            "req", *(_RSA if rsa else _CURVE), "-nodes", "-subj", f"/CN={name}", "-addext",
            f"subjectAltName={host}", "-keyout", pair.key, "-out", request,
        )  # fmt: skip
        validity = (
            ["-startdate", "20200101000000Z", "-enddate", "20200102000000Z"] if expired else ["-days", "2"]
        )
        openssl(
            "ca", "-batch", "-notext", "-config", self.folder / "ca.cnf", "-cert", self.pair.certificate,
            "-keyfile", self.pair.key, "-in", request, "-out", pair.certificate, *validity,
        )  # fmt: skip
        return pair

"""Ed25519 signatures (RFC 8032) of a model's files, beside each as `<file>.sig`, 64 raw bytes.

A manifest names the digest of its weights and holds the thresholds, so its signature covers all that an answer
depends on; evidence for another precision names that network's digest in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa

from ai_models import files
from ai_models.errors import ModelRefused

PublicKey = ECC.EccKey
SUFFIX = ".sig"


def public_key(text: str) -> PublicKey:
    """An Ed25519 public key from PEM or from 64 hexadecimal digits. Raises ModelRefused("model.bad_key")."""
    try:
        raw = text.strip()
        key = ECC.import_key(raw) if "BEGIN" in raw else eddsa.import_public_key(bytes.fromhex(raw))
    except (ValueError, IndexError, TypeError) as error:
        raise ModelRefused("model.bad_key", detail=str(error)[:200]) from error
    if key.curve != "Ed25519":
        raise ModelRefused("model.bad_key", detail=f"{key.curve} is not Ed25519")
    return key.public_key()


def sign(path: Path, private_key_pem: str) -> Path:
    """Sign a file as it lies there; returns the signature's path. Raises ValueError for another kind of key."""
    signer = eddsa.new(ECC.import_key(private_key_pem), "rfc8032")
    target = path.with_name(path.name + SUFFIX)
    target.write_bytes(signer.sign(path.read_bytes()))
    return target


def check(path: Path, data: bytes, signers: Sequence[PublicKey]) -> None:
    """Raise ModelRefused where keys are configured and none of them signed `data`, the bytes read from `path`:
    "model.not_signed" (file), "model.wrong_signature" (file), "model.unreadable_file" (file, detail).

    The caller goes on with these very bytes: the file may be another one by the time it is read again.
    """
    if not signers:
        return
    signature = files.content(path.with_name(path.name + SUFFIX))
    if signature is None:
        raise ModelRefused("model.not_signed", file=str(path))
    for key in signers:
        try:
            eddsa.new(key, "rfc8032").verify(data, signature)
        except ValueError:
            continue
        return
    raise ModelRefused("model.wrong_signature", file=str(path))

"""TLS of both sides of an association: the profiles of PS3.15 annex B, their contexts, and what a failure means."""

import hashlib
import re
import ssl
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import NamedTemporaryFile

from telemed.dimse.dh_group import FFDHE3072


class TlsProfile(StrEnum):
    """TLS 1.2 and 1.3 in all of them; they differ in what they take of TLS 1.2."""

    # B.12: what RFC 9325 recommends.
    BCP195 = "bcp195"
    # B.10 (retired): machines built to RFC 7525, which know no ECDHE.
    NON_DOWNGRADING = "bcp195-nd"
    # B.11 (retired): both.
    EXTENDED = "bcp195-ex"


_ECDHE_RSA = ("ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256")
_ECDHE_ECDSA = ("ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256")
_DHE_RSA = ("DHE-RSA-AES256-GCM-SHA384", "DHE-RSA-AES128-GCM-SHA256")
# Cipher suites of TLS 1.2 by OpenSSL's names, strongest first.
SUITES: dict[TlsProfile, tuple[str, ...]] = {
    TlsProfile.BCP195: _ECDHE_ECDSA + _ECDHE_RSA,
    TlsProfile.NON_DOWNGRADING: _ECDHE_RSA + _DHE_RSA,
    TlsProfile.EXTENDED: _ECDHE_ECDSA + _ECDHE_RSA + _DHE_RSA,
}


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What this house proves itself by: a certificate (with its chain) and its key, both PEM files."""

    certificate: Path
    key: Path


def provider_context(profile: TlsProfile, identity: Identity, trusted: str) -> ssl.SSLContext:
    """For the side that is called. `trusted`: PEM; where there is any, a certificate is asked for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _restrict(context, profile)
    context.load_cert_chain(identity.certificate, identity.key)
    if any(suite in SUITES[profile] for suite in _DHE_RSA):
        with NamedTemporaryFile("w", suffix=".pem") as parameters:
            parameters.write(FFDHE3072)
            parameters.flush()
            context.load_dh_params(parameters.name)
    # Each line proves itself anew: a resumed one would be taken with a certificate that has since expired.
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    if trusted:
        _trust(context, trusted)
        # Optional here: the policy demands it of the devices and sites that it is recorded for.
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


def user_context(profile: TlsProfile, identity: Identity | None, trusted: str) -> ssl.SSLContext:
    """For the side that calls: the other one must prove itself to `trusted` (PEM), under its own name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _restrict(context, profile)
    _trust(context, trusted)
    if identity is not None:
        context.load_cert_chain(identity.certificate, identity.key)
    return context


def _restrict(context: ssl.SSLContext, profile: TlsProfile) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Level 2: RSA and DH of 2048 bits at least, curves of 224, no SHA-1 under a certificate.
    context.set_ciphers(":".join(SUITES[profile]) + ":@SECLEVEL=2")
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE | ssl.OP_NO_RENEGOTIATION


def _trust(context: ssl.SSLContext, trusted: str) -> None:
    context.load_verify_locations(cadata=trusted)
    # One certificate of a machine may be trusted by itself, whoever signed it.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN


_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def digests(pem: str) -> frozenset[str]:
    """SHA-256 of each certificate in a PEM text, as `openssl x509 -fingerprint` counts it."""
    return frozenset(
        hashlib.sha256(ssl.PEM_cert_to_DER_cert(found)).hexdigest() for found in _PEM.findall(pem)
    )


def trusted_pem(text: str) -> str:
    """The certificates of a PEM text and nothing else. Raises ValueError where there is none, or a broken one."""
    found = _PEM.findall(text)
    pem = "".join(f"{one}\n" for one in found)
    if not found:
        raise ValueError("no certificate")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem)
    except ssl.SSLError as error:
        raise ValueError(str(error)) from error
    return pem


class TlsReason(StrEnum):
    """Why a handshake failed, as far as a person can do something about it."""

    VERSION = "tls.version"
    SUITES = "tls.suites"
    NOT_TLS = "tls.not_tls"
    EXPIRED = "tls.expired"
    UNKNOWN_AUTHORITY = "tls.unknown_authority"
    OTHER_NAME = "tls.other_name"
    WEAK = "tls.weak"
    BAD_CERTIFICATE = "tls.bad_certificate"
    CERTIFICATE_ABSENT = "tls.certificate_absent"
    OTHER_CERTIFICATE = "tls.other_certificate"
    OURS_REFUSED = "tls.ours_refused"
    CLOSED = "tls.closed"
    NO_AUTHORITY = "tls.no_authority"
    OWN_FILES = "tls.own_files"
    OTHER = "tls.other"


# Reasons of OpenSSL's library and alerts of the other side (RFC 8446 6.2).
_BY_REASON = {
    "UNSUPPORTED_PROTOCOL": TlsReason.VERSION,
    "VERSION_TOO_LOW": TlsReason.VERSION,
    "WRONG_SSL_VERSION": TlsReason.VERSION,
    "TLSV1_ALERT_PROTOCOL_VERSION": TlsReason.VERSION,
    "NO_SHARED_CIPHER": TlsReason.SUITES,
    "SSLV3_ALERT_HANDSHAKE_FAILURE": TlsReason.SUITES,
    "TLSV1_ALERT_INSUFFICIENT_SECURITY": TlsReason.SUITES,
    "WRONG_VERSION_NUMBER": TlsReason.NOT_TLS,
    "HTTP_REQUEST": TlsReason.NOT_TLS,
    "UNEXPECTED_MESSAGE": TlsReason.NOT_TLS,
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": TlsReason.CERTIFICATE_ABSENT,
    "TLSV1_ALERT_UNKNOWN_CA": TlsReason.OURS_REFUSED,
    "SSLV3_ALERT_BAD_CERTIFICATE": TlsReason.OURS_REFUSED,
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": TlsReason.OURS_REFUSED,
    "SSLV3_ALERT_CERTIFICATE_REVOKED": TlsReason.OURS_REFUSED,
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": TlsReason.OURS_REFUSED,
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": TlsReason.OURS_REFUSED,
    "TLSV1_ALERT_ACCESS_DENIED": TlsReason.OURS_REFUSED,
}
# X509_V_ERR_*: not yet valid, expired; issuer unknown in its several ways; key or digest too weak; name or address.
_BY_CODE = {
    **dict.fromkeys((9, 10), TlsReason.EXPIRED),
    **dict.fromkeys((2, 18, 19, 20, 21, 27, 28), TlsReason.UNKNOWN_AUTHORITY),
    **dict.fromkeys((66, 67, 68), TlsReason.WEAK),
    **dict.fromkeys((62, 64), TlsReason.OTHER_NAME),
}


def reason_of(error: ssl.SSLError) -> TlsReason:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _BY_CODE.get(error.verify_code, TlsReason.BAD_CERTIFICATE)
    return _BY_REASON.get(error.reason or "", TlsReason.OTHER)

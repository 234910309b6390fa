"""The certificate side of the door's TLS port: who is trusted now, and what became of each handshake."""

import hashlib
import logging
import ssl
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from telemed.dimse.tls import Identity, TlsProfile, TlsReason, provider_context, reason_of
from telemed.domain.errors import DomainError

log = logging.getLogger(__name__)

# (address of the peer, why)
Refused = Callable[[str, TlsReason], None]
_MOST_CHAINS = 10_000
_DER = 2


def _nobody() -> str:
    return ""


def _untold(address: str, reason: TlsReason) -> None:
    log.warning("TLS with %s failed: %s", address, reason.value)


@dataclass(frozen=True, kw_only=True)
class TlsFiles:
    certificate: Path
    key: Path
    # Who signed the devices' certificates (or these themselves); without one, here or at a site, none is asked for.
    authority: Path | None = None
    profile: TlsProfile = TlsProfile.BCP195
    # The sites' own authorities as they stand now, PEM: asked for before each handshake.
    site_authorities: Callable[[], str] = field(default=_nobody, compare=False)
    refused: Refused = field(default=_untold, compare=False)

    def context(self) -> ssl.SSLContext:
        """Raises OSError (`ssl.SSLError` among them) where a file cannot be used."""
        return _DoorContext(self)

    def trusted(self) -> str:
        own = self.authority.read_text("utf-8") if self.authority else ""
        return f"{own}\n{self.site_authorities()}".strip()


class _DoorContext(ssl.SSLContext):
    """Hands every line to a context of the authorities of this moment: one added or taken away counts at once."""

    def __new__(cls, files: TlsFiles) -> "_DoorContext":
        return super().__new__(cls, ssl.PROTOCOL_TLS_SERVER)

    def __init__(self, files: TlsFiles) -> None:
        self._files, self._lock = files, Lock()
        self._line = _line_class(files.refused)
        self._trusted, self._current = "", self._made("")
        self._follow()

    def wrap_socket(self, *arguments: Any, **options: Any) -> ssl.SSLSocket:
        return self._follow().wrap_socket(*arguments, **options)

    def wrap_bio(self, *arguments: Any, **options: Any) -> ssl.SSLObject:
        return self._follow().wrap_bio(*arguments, **options)

    def _follow(self) -> ssl.SSLContext:
        try:
            trusted = self._files.trusted()
            with self._lock:
                if trusted != self._trusted:
                    self._trusted, self._current = trusted, self._made(trusted)
        except (DomainError, OSError) as error:
            # Those known before are still right; an association asks the database anyway.
            log.error("the authorities of TLS cannot be read: %s", error)
        return self._current

    def _made(self, trusted: str) -> ssl.SSLContext:
        identity = Identity(certificate=self._files.certificate, key=self._files.key)
        context = provider_context(self._files.profile, identity, trusted)
        context.sslsocket_class = self._line
        return context


def _line_class(refused: Refused) -> type[ssl.SSLSocket]:
    class Line(ssl.SSLSocket):
        def do_handshake(self, block: bool = False) -> None:
            try:
                super().do_handshake(block)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError, ssl.SSLEOFError, ssl.SSLZeroReturnError):
                # Not finished, or given up by the other side without a word.
                raise
            except ssl.SSLError as error:
                _tell(self, refused, error)
                raise
            _remember(self)

    return Line


def _tell(line: ssl.SSLSocket, refused: Refused, error: ssl.SSLError) -> None:
    try:
        address = str(line.getpeername()[0])
    except OSError:
        log.info("TLS failed with a peer that is gone already: %s", error)
        return
    refused(address, reason_of(error))


# --- what certificates were verified by --------------------------------------------------------------------

# An association knows the digest of the certificate it was shown; here is what OpenSSL found it to be signed by.
_chains: OrderedDict[str, frozenset[str]] = OrderedDict()
_chains_lock = Lock()


def chain_of(certificate_sha256: str | None) -> frozenset[str]:
    """Digests of the certificate itself and of all that vouch for it, up to one that is trusted."""
    with _chains_lock:
        return _chains.get(certificate_sha256 or "", frozenset())


def _remember(line: ssl.SSLSocket) -> None:
    # Public since Python 3.13, until then of the inner object alone.
    holder: Any = line if hasattr(line, "get_verified_chain") else line._sslobj  # type: ignore[attr-defined]
    if line.context.verify_mode is ssl.CERT_NONE:
        return
    found = [
        hashlib.sha256(one if isinstance(one, bytes) else one.public_bytes(_DER)).hexdigest()
        for one in holder.get_verified_chain() or ()
    ]
    if not found:
        return
    with _chains_lock:
        _chains[found[0]] = frozenset(found)
        _chains.move_to_end(found[0])
        if len(_chains) > _MOST_CHAINS:
            _chains.popitem(last=False)

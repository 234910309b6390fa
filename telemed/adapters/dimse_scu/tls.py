"""TLS of associations that we ask for: our own certificate is shown, the other side's is demanded."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from telemed.dimse.tls import Identity, TlsProfile, user_context


@dataclass(frozen=True, kw_only=True)
class OutgoingTls:
    profile: TlsProfile = TlsProfile.BCP195
    identity: Identity | None = None
    # Trusted where a node names nobody of its own.
    authority: Path | None = None

    def context(self, node_authority: str) -> ssl.SSLContext | None:
        """None where nobody is trusted. Raises OSError where a file cannot be used."""
        trusted = node_authority or (self.authority.read_text("utf-8") if self.authority else "")
        return user_context(self.profile, self.identity, trusted) if trusted else None

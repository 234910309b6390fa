"""The certificate side of the door's TLS port."""

import ssl
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class TlsFiles:
    certificate: Path
    key: Path
    # Who signed the devices' certificates (or these themselves); without it none is asked for.
    authority: Path | None = None

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.certificate, self.key)
        if self.authority is not None:
            context.load_verify_locations(self.authority)
            # Optional here: the policy demands it of every device that has one recorded.
            context.verify_mode = ssl.CERT_OPTIONAL
        return context

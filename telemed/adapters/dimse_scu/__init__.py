"""The node as the one who calls: objects to other archives, commitment reports to devices."""

from telemed.adapters.dimse_scu.peers import DimsePeers
from telemed.adapters.dimse_scu.tls import OutgoingTls

__all__ = ["DimsePeers", "OutgoingTls"]

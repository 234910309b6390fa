"""How much the door takes at once, and how long it waits."""

from collections import Counter
from dataclasses import dataclass
from threading import Lock
from typing import Self

from telemed.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Limits:
    maximum_associations: int = 128
    # Of one institution: a site whose machines run wild must not shut the others out.
    maximum_per_site: int = Settings.dicom_per_site
    maximum_pdu: int = 131_072
    # Far above any PDU we allow and any association request: garbage may announce four gigabytes.
    largest_pdu: int = 4 << 20
    # ARTIM (PS3.8 9.1.5): how long an opened line may stay without an association request.
    request_seconds: float = 10
    # A peer that stands still in the middle of a PDU, or in TLS's handshake.
    stalled_seconds: float = 30
    # Beyond those seconds a message comes at least this fast on average: the worst line of a township does, and
    # whoever sends byte by byte must not keep a place for ever.
    slowest_bytes_per_second: int = 512
    # A peer that holds an association and sends nothing.
    idle_seconds: float = 120

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """A site that may hold more than the door takes makes the door wider: others still find room."""
        per_site = max(settings.dicom_per_site, 1)
        return cls(
            maximum_per_site=per_site, maximum_associations=max(cls.maximum_associations, 2 * per_site)
        )


class Slots:
    """Associations of this process; a lone connection takes none, so a port probe blocks nobody."""

    def __init__(self, limits: Limits) -> None:
        self._limits, self._lock = limits, Lock()
        self._taken: Counter[int] = Counter()

    def take(self, institution_id: int) -> bool:
        with self._lock:
            full = self._taken.total() >= self._limits.maximum_associations
            if full or self._taken[institution_id] >= self._limits.maximum_per_site:
                return False
            self._taken[institution_id] += 1
            return True

    def give(self, institution_id: int) -> None:
        with self._lock:
            self._taken[institution_id] -= 1

    @property
    def taken(self) -> int:
        return self._taken.total()

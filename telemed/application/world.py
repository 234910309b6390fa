"""Everything a use case needs from outside, joined once by `telemed.bootstrap` (or by a test, with fakes)."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from telemed.application.copies import NoCopies
from telemed.application.peers import NoPeers
from telemed.application.ports import (
    Analyser,
    Clock,
    Copies,
    Identifiers,
    NameReadings,
    ObjectStore,
    Passwords,
    Renderer,
    Spool,
    UnitOfWorkFactory,
    Waker,
)
from telemed.application.ports.dicom import Peers
from telemed.application.waveforms import Waveforms


@dataclass(frozen=True, kw_only=True)
class World:
    unit_of_work: UnitOfWorkFactory
    clock: Clock
    identifiers: Identifiers
    spool: Spool
    objects: ObjectStore
    analyser: Analyser
    renderer: Renderer
    passwords: Passwords
    names: NameReadings
    waker: Waker
    # Keys the hash of identity card numbers: without it the hash could be searched by trying all numbers.
    secret_key: bytes
    # Where a printed report's verification code leads to.
    public_url: str = ""
    copies: Copies = field(default_factory=NoCopies)
    # Other application entities that we call.
    peers: Peers = field(default_factory=NoPeers)
    waveforms: Waveforms = field(default_factory=Waveforms)

    def at_one_instant(self) -> "World":
        """For what happens together: all of it carries one time."""
        return replace(self, clock=_Instant(self.clock.now()))


@dataclass(frozen=True)
class _Instant:
    at: datetime

    def now(self) -> datetime:
        return self.at

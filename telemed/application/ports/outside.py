"""The clock, identifiers, secrets, paper, and whoever waits for work."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from telemed.application.ports.worklist import WorklistRow as WorklistRow
from telemed.domain.document import ReportDocument
from telemed.imaging.waveform import Waveform


class Clock(Protocol):
    def now(self) -> datetime:
        """The current instant, aware, UTC."""


class Identifiers(Protocol):
    def uid(self) -> str:
        """A fresh random identifier for the outside: it cannot be guessed."""

    def token(self) -> str:
        """A fresh secret."""


class Renderer(Protocol):
    def missing_glyphs(self, document: ReportDocument) -> list[str]: ...
    def render(
        self, document: ReportDocument, waveform: Waveform | None = None, pictures: Sequence[bytes] = ()
    ) -> bytes: ...


class Passwords(Protocol):
    @property
    def decoy(self) -> str:
        """A hash to verify against where there is none, so that the answer takes the same time."""

    def hash(self, password: str) -> str: ...
    def verify(self, password_hash: str, password: str) -> bool: ...


class NameReadings(Protocol):
    def pinyin(self, name: str) -> str:
        """All plausible readings, space separated, lower case: "shan yu dan yu"."""

    def initials(self, name: str) -> str: ...
    def alphabetic(self, name: str) -> str:
        """In Latin letters as DICOM's first component group has it: "Zhang^San"."""

    def latin(self, text: str) -> str:
        """Any text in ASCII, by the sound of its characters; "?" for one that nobody can read so."""


class Waker(Protocol):
    def wake(self) -> None:
        """Work may be due. Losing a wake-up costs time, never work."""

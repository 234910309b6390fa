"""Where bytes are kept: on their way in, and for good."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from mmap import mmap
from pathlib import Path
from typing import BinaryIO, Protocol

from telemed.application.ports.worklist import WorklistRow as WorklistRow


class Spool(Protocol):
    """The durable landing place. Nothing is acknowledged before `make_durable` returned."""

    def free_bytes(self) -> int: ...

    def open_part(self) -> "SpoolPart":
        """A place to write one object to while it arrives. Raises OutOfResources below the low-water mark."""

    def make_durable(self, parts: Sequence["SpoolPart"]) -> None:
        """write < fsync < rename < directory fsync: when it returns, a power cut loses none of these bytes."""

    def read(self, file_sha256: str) -> bytes:
        """Raises KeyError where the spool holds no such object."""

    def open(self, file_sha256: str) -> BinaryIO:
        """To be read by pieces. Raises KeyError where the spool holds no such object."""

    def path(self, file_sha256: str) -> Path | None: ...

    def copies(self, file_sha256: str) -> int:
        """How many durable parts hold this very file: each sender's own is one."""

    def remove(self, file_sha256: str) -> None: ...

    def remove_damaged(self, file_sha256: str) -> None:
        """The copies whose bytes are not those of their name; the others stay."""


class SpoolPart(Protocol):
    file_sha256: str
    dataset_sha256: str
    size: int

    def write_meta(self, data: bytes, *, of_the_object: bool = False) -> None:
        """Preamble and file meta: they count to the file's digest, not to the data set's.

        `of_the_object`: the same for every copy of it that comes this way. The file's digest then tells one data set
        from another as well as one of its own, which is not computed.
        """

    def write(self, *pieces: bytes | memoryview) -> None:
        """Bytes of the data set; several pieces at once cost little more than one."""

    def finish(self) -> None:
        """No more bytes: the digests are known, nothing is durable yet."""

    def discard(self) -> None:
        """Leaves nothing behind; safe to call at any time, also after `make_durable`."""

    def head(self, limit: int) -> bytes:
        """The first bytes of the whole file, for its header."""

    def mapped(self) -> AbstractContextManager[mmap]:
        """The whole file where it lies, of any size in little memory. Raises ValueError where it is empty."""

    def content(self) -> bytes: ...


class Copies(Protocol):
    """What was worked out from stored objects, to be had at once: gone at any time, and then made again."""

    def get(self, name: str) -> bytes | None: ...

    def put(self, name: str, data: bytes) -> None:
        """Names begin with the digest of what it was made from. Never fails: it is kept, or it is not."""


class ObjectStore(Protocol):
    """The final place: create-only, named by the digest of the bytes."""

    def put(self, file_sha256: str, data: bytes) -> None:
        """Durable when it returns; the same name again is no error and changes nothing."""

    def put_from(self, file_sha256: str, source: BinaryIO) -> None:
        """As `put`, by pieces, all of the source; in the place of one that is damaged."""

    def get(self, file_sha256: str) -> bytes:
        """Raises KeyError where there is no such object."""

    def open(self, file_sha256: str) -> BinaryIO:
        """To be read by pieces. Raises KeyError where there is no such object."""

    def has(self, file_sha256: str) -> bool:
        """Whether it is there, without reading it. Raises Unavailable where the store does not answer."""

    def check(self) -> None:
        """Raises Unavailable where the store does not answer."""

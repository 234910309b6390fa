"""The file that an object was made from, kept byte for byte inside the object.

It travels in a private block behind the samples, so that one durable write, one digest and one backup hold
both, and a reader who distrusts the conversion can take out what the device wrote:

    (7FD1,0010) LO  TELEMED SOURCE
    (7FD1,1001) CS  kind of file (SCP, AECG, WFDB, SIERRA, JPEG, PNG)
    (7FD1,1002) SQ  one item a file: (7FD1,1003) LO name, empty for a file that stands alone;
                    (7FD1,1004) LO sha256; (7FD1,1005) UL size; (7FD1,1006) OB the bytes
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from telemed.imaging.errors import HeaderError
from telemed.imaging.reading import open_dataset

if TYPE_CHECKING:
    from collections.abc import Sequence as Many

CREATOR = "TELEMED SOURCE"
_GROUP = 0x7FD1
_KIND, _FILES, _NAME, _DIGEST, _SIZE, _BYTES = range(1, 7)


@dataclass(frozen=True)
class SourceFile:
    """`name` only where the format itself refers to it; what a user called a file is no part of it."""

    data: bytes
    name: str = ""

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


def digest_of(files: Many[SourceFile]) -> str:
    """One SHA-256 for all files of a recording: that of the file itself where there is one."""
    if len(files) == 1:
        return files[0].sha256
    return hashlib.sha256("\n".join(sorted(file.sha256 for file in files)).encode()).hexdigest()


def write_source(ds: Dataset, kind: str, files: Many[SourceFile]) -> None:
    """Add the private block to a data set."""
    block = ds.private_block(_GROUP, CREATOR, create=True)
    block.add_new(_KIND, "CS", kind.upper())
    block.add_new(_FILES, "SQ", Sequence([_item(file) for file in files]))


def read_source(source: bytes | Dataset) -> tuple[str, tuple[SourceFile, ...]] | None:
    """(kind, files) that an object was made from; None where it was made from none.

    Raises HeaderError header.damaged when the bytes no longer have the digest beside them.
    """
    ds = open_dataset(source) if isinstance(source, bytes) else source
    try:
        block = ds.private_block(_GROUP, CREATOR)
    except KeyError:
        return None
    return str(block[_KIND].value).lower(), tuple(_file(item) for item in block[_FILES].value)


def _item(file: SourceFile) -> Dataset:
    item = Dataset()
    block = item.private_block(_GROUP, CREATOR, create=True)
    block.add_new(_NAME, "LO", file.name[:64])
    block.add_new(_DIGEST, "LO", file.sha256)
    block.add_new(_SIZE, "UL", len(file.data))
    block.add_new(_BYTES, "OB", file.data + b"\0" * (len(file.data) & 1))
    return item


def _file(item: Dataset) -> SourceFile:
    block = item.private_block(_GROUP, CREATOR)
    file = SourceFile(bytes(block[_BYTES].value)[: int(block[_SIZE].value)], str(block[_NAME].value or ""))
    if file.sha256 != block[_DIGEST].value:
        raise HeaderError("header.damaged", position=0)
    return file

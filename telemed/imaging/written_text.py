"""Text written for a machine that reads one character set: right where the set carries it, else visibly cut short.

What a set cannot carry never becomes another name: a mark stands in its place, or, where nothing but Latin letters is
read, the name's own group of Latin letters stands alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from telemed.imaging.charset import codec_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# What Chinese printers put where a character is missing (U+3013). It is no name's, and stands in all GB sets.
MISSING = "〓"
# Code elements start anew behind each of these (PS3.5 6.1.2.5.3), and behind each group and component of a name.
_ENDS = re.compile(r"([\\^=\r\n\f\t])")
_GB2312_IN_G1 = b"\x1b$)A"


@dataclass(frozen=True)
class Charset:
    """A character set by DICOM's term (the values of (0008,0005)) and as a way to write."""

    term: str
    write: Callable[[str], bytes]
    # Of Chinese nothing can be written: names in Latin letters alone.
    latin: bool = False


def _whole(codec: str, missing: str) -> Callable[[str], bytes]:
    def write(text: str) -> bytes:
        try:
            return text.encode(codec)
        except UnicodeEncodeError:
            return "".join(char if _carried(char, codec) else missing for char in text).encode(codec)

    return write


def _iso_2022(text: str) -> bytes:
    """GB 2312 in G1, announced in every part that has it (PS3.5 annex K)."""
    return b"".join(_part(part) for part in _ENDS.split(text)) if not text.isascii() else text.encode("ascii")


def _part(text: str) -> bytes:
    raw = _gb2312(text)
    return raw if raw.isascii() else _GB2312_IN_G1 + raw


def _carried(char: str, codec: str) -> bool:
    try:
        char.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


_gb2312 = _whole("gb2312", MISSING)

GB18030 = Charset("GB18030", _whole("gb18030", MISSING))
GBK = Charset("GBK", _whole("gbk", MISSING))
GB2312 = Charset("\\ISO 2022 IR 58", _iso_2022)
UTF8 = Charset("ISO_IR 192", _whole("utf-8", "\ufffd"))
LATIN = Charset("ISO_IR 100", _whole("latin-1", "?"), latin=True)
# The beginning of every single-byte set: whatever of them a machine reads, it reads this.
# The default repertoire: its term, ISO_IR 6, is written as no value (PS3.3 C.12.1.1.2).
ASCII = Charset("", _whole("ascii", "?"), latin=True)


def charset_for(declared: Iterable[str], recorded: str) -> Charset:
    """What a machine reads: the set in which it asks, else the one recorded for it.

    Many declare Latin-1, or nothing, and read Chinese all the same: that counts only where it is recorded. Where
    nothing is said, GB18030: every machine sold in China must read it, many old ones nothing else.
    """
    for term in declared:
        found = _of(term)
        if found not in (None, LATIN) and _key(term) not in ("ISOIR6", "ISO2022IR6"):
            return found or GB18030
    return _of(recorded) or GB18030


def _of(term: str) -> Charset | None:
    named = _NAMED.get(_key(term))
    if named is not None:
        return named
    codec = codec_of(term) if term.strip() else None
    if codec is None:
        return None
    return {"gb18030": GB18030, "utf-8": UTF8}.get(codec, ASCII)


def _key(term: str) -> str:
    return re.sub(r"[\s_-]", "", term.strip().upper())


_NAMED = {
    # Who declares it may know no other term, and no character beyond it.
    "GBK": GBK,
    "ISO2022IR58": GB2312,
    "ISO202258": GB2312,
    "ISOIR58": GB2312,
    "ISOIR100": LATIN,
    "ISO2022IR100": LATIN,
}

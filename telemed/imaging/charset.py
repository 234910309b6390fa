"""Text of a data set, right even where the character set tag is wrong or absent.

Chinese devices write GB18030 and declare ISO_IR 100 or nothing, or declare GB18030 and write UTF-8. The
stored bytes are never changed; what is shown is decided here from the tag, the device's own default and the
bytes themselves.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydicom.charset import CODES_TO_ENCODINGS, python_encoding

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Every tag and spelling of it that means GB2312, GBK or GB18030; each is a subset of the next.
_GB_TAGS = frozenset({"GB18030", "GBK", "GB2312", "ISO2022GBK", "ISO202258", "ISO2022IR58", "ISOIR58"})
_UTF8_TAGS = frozenset({"ISOIR192", "ISO2022IR192", "UTF8"})
# Tags that devices write without meaning them: the default repertoire and Latin-1.
_WEAK_TAGS = frozenset({"", "ISOIR6", "ISO2022IR6", "ISOIR100", "ISO2022IR100"})
_ESCAPES_OF_GB2312 = (b"\x1b$)A", b"\x1b$A", b"\x1b(B", b"\x1b)B")
_PYTHON_NAMES = {re.sub(r"[\s_-]", "", tag): name for tag, name in python_encoding.items() if tag}
_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_HAN_BESIDE_LETTER = re.compile("[A-Za-z][\u3400-\u9fff\uf900-\ufaff]|[\u3400-\u9fff\uf900-\ufaff][A-Za-z]")
_RUNS = re.compile(rb"[\x80-\xff]+")
_PARTS = re.compile(rb"^[^\x1b]+|\x1b[^\x1b]*")
CUT = "\ufffd"


@dataclass(frozen=True)
class TextDecoder:
    """Decodes the text elements of one data set.

    `tags` are the values of Specific Character Set (0008,0005) as received, `default` is the encoding that an
    administrator set for the device ("GB18030", "UTF-8", or a DICOM term), `leaning` is what the other texts
    of the same data set speak for; see `decoder_for`.
    """

    tags: tuple[str, ...] = ()
    default: str | None = None
    leaning: str | None = None

    def text(self, value: bytes) -> str:
        """The text of one element, padding removed. Never raises: what cannot be decoded becomes U+FFFD."""
        return _decode(value, self).replace("\x00", "").strip(" ")

    def values(self, value: bytes) -> list[str]:
        r"""A multi-valued element, split after decoding: 0x5C is also a second byte of GBK characters."""
        return [part.strip(" ") for part in _decode(value, self).replace("\x00", "").split("\\")]


def decoder_for(tags: Sequence[str], texts: Iterable[bytes], *, default: str | None = None) -> TextDecoder:
    """The decoder of a data set. `texts` are its raw text values: together they say more than a short name."""
    decoder = TextDecoder(tuple(tags), default)
    high = [text for text in texts if not text.isascii() and b"\x1b" not in text]
    return TextDecoder(decoder.tags, default, _encoding(b"\n".join(high), decoder) if high else None)


def decode_text(value: bytes, tags: Sequence[str] = (), *, default: str | None = None) -> str:
    """One value on its own: `value` as stored, `tags` of (0008,0005), `default` of the device."""
    return TextDecoder(tuple(tags), default).text(value)


def _decode(value: bytes, decoder: TextDecoder) -> str:
    if b"\x1b" in value:
        return _decode_escaped(value, decoder)
    if value.isascii():
        return value.decode("ascii")
    if decoder.leaning is not None:
        text = _strictly(value, decoder.leaning)
        if text is not None:
            return text
    encoding = _encoding(value, decoder)
    text = _strictly(value, encoding)
    return value.decode(encoding, "replace") if text is None else text


def _encoding(value: bytes, decoder: TextDecoder) -> str:
    """The Python codec for bytes with at least one above 0x7F and no escape sequence."""
    declared = _declared(decoder.tags)
    if declared == "gb18030" or declared == "utf-8":
        return _better_of_two(value, declared)
    if declared is not None and _strictly(value, declared) is not None:
        return declared
    default = codec_of(decoder.default) if decoder.default else None
    if default is not None and _strictly(value, default) is not None:
        return _better_of_two(value, default) if default in ("gb18030", "utf-8") else default
    return _guess(value)


def codec_of(name: str) -> str | None:
    """The Python codec of a DICOM term or a usual name ("GB18030", "ISO_IR 192", "utf8"); None if unknown."""
    key = re.sub(r"[\s_-]", "", name.strip().upper())
    if key in _GB_TAGS:
        return "gb18030"
    if key in _UTF8_TAGS:
        return "utf-8"
    return _PYTHON_NAMES.get(key)


def _declared(tags: Sequence[str]) -> str | None:
    """The codec of the first tag that means something; GB and UTF-8 win over the empty first value."""
    keys = [re.sub(r"[\s_-]", "", tag.strip().upper()) for tag in tags]
    for key in keys:
        if key in _GB_TAGS:
            return "gb18030"
        if key in _UTF8_TAGS:
            return "utf-8"
    strong = [key for key in keys if key not in _WEAK_TAGS]
    return _PYTHON_NAMES.get(strong[0]) if strong else None


def _better_of_two(value: bytes, expected: str) -> str:
    """`expected` unless the bytes are not it, or only the other one gives everyday characters."""
    other = "utf-8" if expected == "gb18030" else "gb18030"
    first, second = _strictly(value, expected), _strictly(value, other)
    if first is None:
        return other if second is not None else expected
    if second is None or not _HAN.search(second):
        return expected
    return other if _everyday(second) > _everyday(first) else expected


def _guess(value: bytes) -> str:
    """UTF-8, GB18030 or Latin-1 by the bytes alone."""
    gb, utf8 = _strictly(value, "gb18030"), _strictly(value, "utf-8")
    if utf8 is not None and _HAN.search(utf8):
        return "gb18030" if gb is not None and _everyday(gb) > _everyday(utf8) else "utf-8"
    if gb is not None and _speaks_for_gb(value, gb):
        return "gb18030"
    return "utf-8" if utf8 is not None and not utf8.endswith(CUT) else "latin-1"


def _speaks_for_gb(value: bytes, text: str) -> bool:
    """Whether bytes that could be Latin-1 (or two-byte UTF-8) are Chinese.

    Runs of whole GB 2312 pairs: western names hardly ever have two accented letters together. Rarer
    characters have a second byte below 0xA1, often an ASCII letter ("镕" is E9 46): these are believed when
    at least one common pair is there and no letter touches a Han character ("Müller" would give "M黮ler").
    """
    runs = _RUNS.findall(value)
    if all(len(run) % 2 == 0 and min(run) >= 0xA1 for run in runs):
        return not (_strictly(value, "utf-8") is not None and _HAN_BESIDE_LETTER.search(text))
    return _everyday(text) > 0 and not _HAN_BESIDE_LETTER.search(text)


def _everyday(text: str) -> float:
    """Share of the non-ASCII characters that are among the 3,755 most used (GB 2312 level 1, rows 16-55)."""
    beyond = [char for char in text if not char.isascii() and char != CUT]
    return sum(1 for char in beyond if _is_level_one(char)) / len(beyond) if beyond else 0.0


def _is_level_one(char: str) -> bool:
    try:
        code = char.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return len(code) == 2 and 0xB0 <= code[0] <= 0xD7


def _strictly(value: bytes, codec: str) -> str | None:
    """Decoded text, or None. A character cut off at the very end (fields have byte limits) becomes U+FFFD."""
    try:
        return value.decode(codec)
    except UnicodeDecodeError as error:
        cut_at_end = error.end == len(value) and (
            "incomplete" in error.reason or "end of data" in error.reason
        )
        return value[: error.start].decode(codec) + CUT if cut_at_end and error.start > 0 else None


def _decode_escaped(value: bytes, decoder: TextDecoder) -> str:
    """ISO 2022 code extensions (PS3.5 6.1.2.5): each part by its own escape sequence, the first by the tag.

    GB 2312 in G1 needs its escape in every component; devices forget it after the first one. It is dropped
    and the whole value read as GB18030, of which both ASCII and GB 2312 are parts.
    """
    plain = value
    for escape in _ESCAPES_OF_GB2312:
        plain = plain.replace(escape, b"")
    if b"\x1b" not in plain and b"$" in value and b"\x1b$B" not in value:
        text = _strictly(plain, "gb18030")
        return plain.decode("gb18030", "replace") if text is None else text
    first = _declared(decoder.tags[:1]) or "latin-1"
    return "".join(_part(part, first) for part in _PARTS.findall(value))


def _part(part: bytes, first: str) -> str:
    for escape, codec in CODES_TO_ENCODINGS.items():
        if part.startswith(escape):
            # Python's own ISO 2022 codecs want to see the escape; the others must not.
            kept = part if codec.startswith("iso2022") else part[len(escape) :]
            return kept.decode(codec, "replace")
    return part.decode(first, "replace").replace("\x1b", "")

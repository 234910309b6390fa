"""A recording under the person it was made of: a copy for those who ask, beside the bytes that stay as received.

Coercion on the way out, as PS3.4 B.4.1.3 knows it on the way in. The patient module is replaced whole: whatever
else it said was said of somebody else.
"""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from telemed.imaging.charset import codec_of, decoder_for
from telemed.imaging.elements import Bytes, Element, Encoding, walk
from telemed.imaging.part10 import DEFLATED_LIKE, encoding_of, inflate, read_file_meta

if TYPE_CHECKING:
    from collections.abc import Mapping

CHARSET, ACCESSION, STUDY_UID, SERIES_UID = 0x00080005, 0x00080050, 0x0020000D, 0x0020000E
NAME, NUMBER, ISSUER, BIRTH_DATE, SEX = 0x00100010, 0x00100020, 0x00100021, 0x00100030, 0x00100040
_PATIENT_GROUP = 0x0010
_LAST = SERIES_UID
_VRS = {
    CHARSET: b"CS",
    ACCESSION: b"SH",
    STUDY_UID: b"UI",
    SERIES_UID: b"UI",
    NAME: b"PN",
    NUMBER: b"LO",
    BIRTH_DATE: b"DA",
    SEX: b"CS",
    ISSUER: b"LO",
}
# Values of these are text in the character set of the object.
_TEXTS = (0x00080080, 0x00081010, 0x00081030, 0x0008103E, 0x00081040, 0x00081090)
_ONE_SET = re.compile(r"GB18030|GBK|ISO_IR 192")


@dataclass(frozen=True)
class RightIdentity:
    """Whose it is and where it is filed.

    `issuer` gave out the number, and is written where the object names one. `name` as people write it,
    `alphabetic` in Latin letters with carets; `birth_date` as DICOM DA or ""; UIDs of study and series under
    which the object is found here.
    """

    patient_id: str
    name: str
    alphabetic: str
    sex: str
    birth_date: str
    issuer: str
    accession_number: str
    study_instance_uid: str
    series_instance_uid: str


def under(data: bytes, identity: RightIdentity) -> bytes:
    """A copy of a Part 10 file under `identity`; every element outside it is the same, byte for byte.

    Raises HeaderError where the bytes are no data set (`header.not_dicom`, `header.cut_short`, `header.damaged`).
    """
    meta = read_file_meta(data)
    if meta.transfer_syntax_uid not in DEFLATED_LIKE:
        rest, head = corrected_head(data, identity)
        return data[: meta.dataset_offset] + head + data[rest:]
    body = inflate(data[meta.dataset_offset :])
    rest, head = _spliced(body, 0, encoding_of(meta.transfer_syntax_uid, body), identity)
    return data[: meta.dataset_offset] + _deflated(head + body[rest:])


def corrected_head(data: Bytes, identity: RightIdentity) -> tuple[int, bytes]:
    """The first groups of a file's data set under `identity`, and the offset in `data` from which the rest follows.

    (offset, bytes to stand before it). A deflated data set is all head: it has to be written anew. Raises as `under`.
    """
    meta = read_file_meta(data)
    if meta.transfer_syntax_uid in DEFLATED_LIKE:
        return len(data), under(data[:], identity)[meta.dataset_offset :]
    encoding = encoding_of(meta.transfer_syntax_uid, data, meta.dataset_offset)
    return _spliced(data, meta.dataset_offset, encoding, identity)


def _spliced(data: Bytes, offset: int, encoding: Encoding, identity: RightIdentity) -> tuple[int, bytes]:
    kept, rest = _kept(data, offset, encoding)
    texts = _texts(data, kept, identity)
    pieces = {tag: data[start:end] for tag, (start, end, _) in kept.items()}
    pieces |= {tag: _element(tag, value, encoding) for tag, value in texts.items()}
    return rest, b"".join(pieces[tag] for tag in sorted(pieces))


def _kept(body: Bytes, offset: int, encoding: Encoding) -> tuple[dict[int, tuple[int, int, Element]], int]:
    """What stays of the first groups, as (header's start, end, element), and where the rest begins.

    Not the other person's module, nor group lengths, which would no longer be right.
    """
    found: dict[int, tuple[int, int, Element]] = {}
    last: tuple[int, Element] | None = None
    for element in walk(body, encoding, offset):
        start = element.start - _head_length(element)
        if last is not None:
            found[last[1].tag] = (last[0], start, last[1])
        last = (start, element)
        if element.tag > _LAST:
            break
    rest = len(body)
    if last is not None and last[1].tag > _LAST:
        rest = last[0]
    elif last is not None:
        found[last[1].tag] = (last[0], rest, last[1])
    stays = {
        tag: piece
        for tag, piece in found.items()
        if (tag >> 16 != _PATIENT_GROUP or tag == ISSUER) and tag & 0xFFFF != 0
    }
    return stays, rest


def _texts(
    body: Bytes, kept: Mapping[int, tuple[int, int, Element]], identity: RightIdentity
) -> dict[int, bytes]:
    def value(tag: int) -> bytes:
        return body[kept[tag][2].start : kept[tag][2].end] if tag in kept else b""

    tags = tuple(
        part.strip() for part in value(CHARSET).decode("ascii", "replace").strip("\x00 ").split("\\")
    )
    others = [value(tag) for tag in _TEXTS if value(tag)]
    wanted = "".join((identity.name, identity.patient_id, identity.issuer, identity.accession_number))
    term, codec = _charset(tags, others, wanted)
    name = _name(identity) if codec is not None else identity.alphabetic
    written = {
        ACCESSION: identity.accession_number,
        NAME: name,
        NUMBER: identity.patient_id,
        BIRTH_DATE: identity.birth_date,
        SEX: identity.sex,
        STUDY_UID: identity.study_instance_uid,
        SERIES_UID: identity.series_instance_uid,
    }
    if ISSUER in kept:
        written[ISSUER] = identity.issuer
    if term is not None:
        written[CHARSET] = term
    return {tag: text.encode(codec or "ascii", "replace") for tag, text in written.items()}


def _charset(tags: tuple[str, ...], others: list[bytes], wanted: str) -> tuple[str | None, str | None]:
    """The term to write (None: it stays) and the codec; codec None where Chinese cannot stand beside the rest."""
    if len(tags) == 1 and _ONE_SET.fullmatch(tags[0]):
        codec = codec_of(tags[0]) or "ascii"
        return (
            (None, codec)
            if _encodes(wanted, "gbk" if tags[0] == "GBK" else codec)
            else ("GB18030", "gb18030")
        )
    if wanted.isascii():
        return None, "ascii"
    if any(b"\x1b" in text for text in others):
        return None, None
    if all(text.isascii() for text in others):
        return "ISO_IR 192", "utf-8"
    # The tag says nothing that Chinese could be written in, and something beyond ASCII stands there all the same.
    leaning = decoder_for(tags, others).leaning
    if leaning == "gb18030":
        return "GB18030", "gb18030"
    return ("ISO_IR 192", "utf-8") if leaning == "utf-8" else (None, None)


def _encodes(text: str, codec: str) -> bool:
    try:
        text.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


def _name(identity: RightIdentity) -> str:
    if identity.name.isascii():
        return identity.alphabetic
    return f"{identity.alphabetic}={identity.name}"


def _element(tag: int, value: bytes, encoding: Encoding) -> bytes:
    vr = _VRS[tag]
    value += (b"\x00" if vr == b"UI" else b" ") * (len(value) % 2)
    order = "<" if encoding.little else ">"
    head = struct.pack(order + "HH", tag >> 16, tag & 0xFFFF)
    if encoding.implicit:
        return head + struct.pack(order + "L", len(value)) + value
    return head + vr + struct.pack(order + "H", len(value)) + value


def _head_length(element: Element) -> int:
    short = element.vr == b"" or element.vr in _SHORT
    return 8 if short else 12


_SHORT = frozenset(b"AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US".split())


def _deflated(body: bytes) -> bytes:
    engine = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    stream = engine.compress(body) + engine.flush()
    return stream + b"\x00" * (len(stream) % 2)

"""What a study is filed and shown under, from the first groups of its data set."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from telemed.imaging.beginning import elements_to_the_end
from telemed.imaging.charset import TextDecoder, decoder_for
from telemed.imaging.elements import Bytes, Element, Encoding, items, walk
from telemed.imaging.errors import HeaderError
from telemed.imaging.header_tags import (
    CHARSET,
    LAST_GROUP,
    NUMBERS,
    OTHER_IDS,
    OTHER_IDS_SEQUENCE,
    PATIENT_ID,
    PATIENT_NAME,
    SERIES_UID,
    SOP_CLASS,
    SOP_INSTANCE,
    SPEAKING,
    STUDY_UID,
    TEXTS,
    WANTED,
)
from telemed.imaging.part10 import (
    DEFLATED_LIKE,
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    LARGEST_INFLATED,
    dataset_offset,
    encoding_of,
    inflate_from,
    read_file_meta,
    uid_text,
)
from telemed.imaging.person_name import PersonName, parse_person_name

__all__ = [
    "HeaderError",
    "PersonName",
    "StudyHeader",
    "dataset_offset",
    "read_header",
    "read_header_from_dataset",
    "read_whole_beginning",
    "read_whole_dataset",
    "verify_structure",
]

_UID = re.compile(r"^[0-9.]{1,64}$")
# A header is read from this much of a deflated data set first.
_FIRST_INFLATED = 1 << 20


@dataclass(frozen=True)
class StudyHeader:
    """The identifying and describing elements of one object.

    Texts are Unicode with padding removed, "" where the element is absent or empty. Dates, times and the
    zone are as received (DICOM DA, TM, "+0800"). Numbers are None where absent or not a number.
    `character_sets` are the values of (0008,0005) as received.
    """

    sop_class_uid: str
    sop_instance_uid: str
    study_instance_uid: str
    series_instance_uid: str
    transfer_syntax_uid: str
    modality: str = ""
    patient_id: str = ""
    issuer: str = ""
    other_patient_ids: tuple[str, ...] = ()
    patient_name: PersonName = field(default_factory=PersonName)
    sex: str = ""
    birth_date: str = ""
    age: str = ""
    study_date: str = ""
    study_time: str = ""
    timezone_offset: str = ""
    accession_number: str = ""
    study_description: str = ""
    series_description: str = ""
    series_number: int | None = None
    instance_number: int | None = None
    body_part: str = ""
    view_position: str = ""
    rows: int | None = None
    columns: int | None = None
    frames: int | None = None
    manufacturer: str = ""
    institution_name: str = ""
    station_name: str = ""
    character_sets: tuple[str, ...] = ()


def read_header(data: Bytes, *, default_charset: str | None = None) -> StudyHeader:
    """The header of a Part 10 file, or of a bare data set whose encoding is guessed from its bytes.

    `default_charset` is the encoding set for the device that sent it (see `charset.TextDecoder`). Reading
    stops behind group 0028; what follows, pixel data included, is not touched, so a cut file may still give
    a header: `verify_structure` tells.

    Raises HeaderError: `header.not_dicom` for bytes that are no data set, `header.no_uid` and
    `header.invalid_uid` (param: element) when an identifying UID is absent or malformed,
    `header.cut_short`, `header.damaged`.
    """
    meta = read_file_meta(data)
    return _read(
        data,
        meta.dataset_offset,
        meta.transfer_syntax_uid,
        default_charset,
        {SOP_CLASS: meta.sop_class_uid, SOP_INSTANCE: meta.sop_instance_uid},
    )


def read_header_from_dataset(
    data: Bytes, transfer_syntax_uid: str, *, start: int = 0, default_charset: str | None = None
) -> StudyHeader:
    """The header of the data set at `start`, as C-STORE delivers it, deflated ones included. As `read_header`."""
    return _read(data, start, transfer_syntax_uid, default_charset, {})


def read_whole_dataset(
    data: Bytes, transfer_syntax_uid: str, *, start: int = 0, default_charset: str | None = None
) -> StudyHeader:
    """As `read_header_from_dataset`, of a data set that is whole to its last byte: `verify_structure` on the way.

    Raises HeaderError as both do; what is wrong with the header is told first.
    """
    return _read(data, start, transfer_syntax_uid, default_charset, {}, whole=True)


def read_whole_beginning(
    head: bytes, size: int, transfer_syntax_uid: str, *, start: int, default_charset: str | None = None
) -> StudyHeader | None:
    """What `read_whole_dataset` gives for the `size` bytes of which `head` are the first; None: it has to be asked.

    Almost every object says in its first kilobytes where each of its elements ends. Never another header than
    `read_whole_dataset` would give, and none where that would raise.
    """
    if transfer_syntax_uid in DEFLATED_LIKE or transfer_syntax_uid == EXPLICIT_BIG:
        return None
    encoding = encoding_of(transfer_syntax_uid, head, start)
    found = elements_to_the_end(head, size, start, WANTED, LAST_GROUP, implicit=encoding.implicit)
    if found is None or not encoding.little:
        return None
    try:
        return _header_of(head, encoding, found, transfer_syntax_uid, default_charset, {}, None)
    except HeaderError:
        return None


def verify_structure(data: Bytes, transfer_syntax_uid: str | None = None) -> None:
    """Walk over every top-level element to the last byte; values are passed over unread.

    `data` is a Part 10 file, or a bare data set when `transfer_syntax_uid` is given. Raises HeaderError
    `header.cut_short` when bytes are missing at the end and `header.damaged` when they are no elements.
    """
    offset = 0
    if transfer_syntax_uid is None:
        meta = read_file_meta(data)
        offset, transfer_syntax_uid = meta.dataset_offset, meta.transfer_syntax_uid
    if transfer_syntax_uid in DEFLATED_LIKE:
        data, offset = inflate_from(data, offset), 0
    elements = walk(data, encoding_of(transfer_syntax_uid, data, offset), offset)
    if not sum(1 for _ in elements):
        raise HeaderError("header.not_dicom")


def _read(
    data: Bytes,
    offset: int,
    syntax: str,
    default_charset: str | None,
    from_meta: dict[int, str],
    *,
    whole: bool = False,
) -> StudyHeader:
    if syntax in DEFLATED_LIKE:
        data, offset = inflate_from(data, offset, LARGEST_INFLATED if whole else _FIRST_INFLATED), 0
    encoding = encoding_of(syntax, data, offset)
    found, problem = _collect(data, encoding, offset, whole=whole)
    return _header_of(data, encoding, found, syntax, default_charset, from_meta, problem, whole=whole)


def _header_of(
    data: Bytes,
    encoding: Encoding,
    found: dict[int, Element],
    syntax: str,
    default_charset: str | None,
    from_meta: dict[int, str],
    problem: HeaderError | None,
    *,
    whole: bool = True,
) -> StudyHeader:
    raw = {tag: data[element.start : element.end] for tag, element in found.items()}
    uids = _uids(raw, from_meta, problem)
    if whole and problem is not None:
        raise problem
    tags = tuple(raw.get(CHARSET, b"").decode("ascii", "replace").strip("\x00 ").split("\\"))
    decoder = decoder_for(tags, (raw[tag] for tag in SPEAKING if tag in raw), default=default_charset)
    values: dict[str, Any] = {n: decoder.values(raw[tag])[0] for n, tag in TEXTS.items() if tag in raw}
    values |= {n: _number(raw[tag], found[tag], encoding) for n, tag in NUMBERS.items() if tag in raw}
    return StudyHeader(
        sop_class_uid=uids[0],
        sop_instance_uid=uids[1],
        study_instance_uid=uids[2],
        series_instance_uid=uids[3],
        transfer_syntax_uid=syntax or (IMPLICIT_LITTLE if encoding.implicit else EXPLICIT_LITTLE),
        patient_name=parse_person_name(raw.get(PATIENT_NAME, b""), decoder),
        other_patient_ids=_other_ids(data, encoding, found, decoder),
        character_sets=tuple(tag.strip() for tag in tags if tag.strip()),
        **values,
    )


def _collect(
    data: Bytes, encoding: Encoding, offset: int, *, whole: bool
) -> tuple[dict[int, Element], HeaderError | None]:
    """The wanted elements, and what stopped the walk early, if anything did; `whole`: it goes to the end."""
    found: dict[int, Element] = {}
    elements = walk(data, encoding, offset)
    try:
        for element in elements:
            tag = element.tag
            if tag >> 16 > LAST_GROUP:
                break
            if tag in WANTED and tag not in found:
                found[tag] = element
        if whole:
            for _ in elements:
                pass
    except HeaderError as error:
        return found, error
    return found, None


def _uids(
    raw: dict[int, bytes], from_meta: dict[int, str], problem: HeaderError | None
) -> tuple[str, str, str, str]:
    wanted = (SOP_CLASS, SOP_INSTANCE, STUDY_UID, SERIES_UID)
    uids = [uid_text(raw.get(tag, b"")) or from_meta.get(tag, "") for tag in wanted]
    for tag, uid in zip(wanted, uids, strict=True):
        name = f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
        if not uid and not raw:
            raise HeaderError("header.not_dicom") from problem
        if not uid:
            raise problem if problem is not None else HeaderError("header.no_uid", element=name)
        if not _UID.match(uid):
            raise HeaderError("header.invalid_uid", element=name)
    return uids[0], uids[1], uids[2], uids[3]


def _other_ids(
    data: Bytes, encoding: Encoding, found: dict[int, Element], decoder: TextDecoder
) -> tuple[str, ...]:
    ids: list[str] = []
    if OTHER_IDS in found:
        element = found[OTHER_IDS]
        ids += decoder.values(data[element.start : element.end])
    if OTHER_IDS_SEQUENCE in found:
        for start, end in items(data, encoding, found[OTHER_IDS_SEQUENCE]):
            for element in walk(data, encoding, start, end):
                if element.tag == PATIENT_ID:
                    ids.append(decoder.text(data[element.start : element.end]))
    return tuple(dict.fromkeys(value for value in ids if value))


def _number(value: bytes, element: Element, encoding: Encoding) -> int | None:
    if element.tag in (NUMBERS["rows"], NUMBERS["columns"]):
        return int.from_bytes(value[:2], "little" if encoding.little else "big") if len(value) >= 2 else None
    try:
        return int(float(value.split(b"\\")[0].strip(b"\x00 ") or b"nan"))
    except (ValueError, OverflowError):
        return None

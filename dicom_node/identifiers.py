"""Requests and answers of queries: text in every character set of the field, and every key that was asked for."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pydicom._dicom_dict import DicomDictionary
from pydicom.datadict import tag_for_keyword

from telemed.dimse.identifier import Elements, Encoding, Key, Value, read_identifier
from telemed.domain.names import HAN, divided
from telemed.domain.people import Device
from telemed.imaging.charset import TextDecoder, decoder_for
from telemed.imaging.written_text import Charset, charset_for

CHARACTER_SET = 0x00080005
# "US or SS" and the like: the first will do, none of them is ever answered with a value.
VR_OF: Mapping[int, str] = {tag: str(entry[0]).split(" ")[0] for tag, entry in DicomDictionary.items()}
_TEXT_VRS = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})

# What is known of one row: keyword -> text, or the items of a sequence.
Known = Mapping[str, str | Sequence["Known"]]


def tag_of(keyword: str) -> int:
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise KeyError(keyword)
    return tag


_NUMBERS = frozenset(
    tag_of(name)
    for name in (
        "PatientID",
        "IssuerOfPatientID",
        "AccessionNumber",
        "RequestedProcedureID",
        "ScheduledProcedureStepID",
        "CodeValue",
    )
)
_LONGEST = {"SH": 16, "LO": 64}


@dataclass(frozen=True)
class Request:
    """A decoded identifier."""

    keys: tuple[Key, ...]
    charset: Charset
    decoder: TextDecoder
    by_tag: Mapping[int, Key] = field(default_factory=dict)

    def values(self, keyword: str, within: str | None = None) -> list[str]:
        """The values of a key; `within` is the sequence whose item it stands in."""
        key = self.key(keyword, within)
        return [] if key is None or key.inner is not None else _values(key, self.decoder)

    def value(self, keyword: str, within: str | None = None) -> str:
        values = self.values(keyword, within)
        return values[0] if len(values) == 1 else "\\".join(values)

    def key(self, keyword: str, within: str | None = None) -> Key | None:
        tag = tag_of(keyword)
        if within is None:
            return self.by_tag.get(tag)
        sequence = self.by_tag.get(tag_of(within))
        if sequence is None or sequence.inner is None:
            return None
        return next((key for key in sequence.inner if key.tag == tag), None)

    def matching(self) -> set[tuple[int, ...]]:
        """Where values were given: paths of tags."""
        return set(_given(self.keys, ()))


def read_request(data: bytes, *, implicit: bool, device: Device) -> Request:
    """Raises ProtocolError for bytes that are no data set."""
    keys = read_identifier(data, Encoding(implicit), VR_OF)
    by_tag = {key.tag: key for key in keys}
    declared = by_tag[CHARACTER_SET].raw if CHARACTER_SET in by_tag else b""
    tags = declared.decode("ascii", "replace").strip("\x00 ").split("\\")
    decoder = decoder_for(tags, _texts(keys), default=device.default_charset)
    return Request(keys, charset_for(tags, device.default_charset or ""), decoder, by_tag)


def answer(
    request: Request,
    known: Known,
    always: Known | None = None,
    *,
    latin: Callable[[str], str] = lambda text: text,
) -> Elements:
    """Every key that was asked for, empty where nothing is known, and what belongs into every answer.

    `latin` writes any text in Latin letters, for whoever reads nothing else.
    """
    answered = _answered(request.keys, known)
    for keyword, value in (always or {}).items():
        tag = tag_of(keyword)
        answered[tag] = (VR_OF[tag], _value(value))
    if request.charset.latin:
        answered = _in_latin(answered, latin)
    answered[CHARACTER_SET] = ("CS", request.charset.term)
    return answered


def person_name(name: str, alphabetic: str) -> str:
    """PN with its component groups: Latin letters, and the characters where the name has them."""
    if not name:
        return ""
    if not HAN.search(name):
        # A name in a script of its own is not told by marks alone.
        return f"{alphabetic}={name}" if "?" in alphabetic else alphabetic
    # A minority name keeps its dot in the group of characters: there it is part of the name.
    family, given = divided(name)
    written = name if re.search("[·・•‧]", name) else "^".join(part for part in (family, given) if part)
    return f"{alphabetic}={written}"


def _answered(keys: Sequence[Key], known: Known) -> dict[int, tuple[str, Value]]:
    found: dict[int, tuple[str, Value]] = {}
    values = {tag_of(keyword): value for keyword, value in known.items()}
    for key in keys:
        value = values.get(key.tag, "")
        if key.inner is None:
            found[key.tag] = (key.vr, value if isinstance(value, str) else "")
            continue
        items: Sequence[Known] = () if isinstance(value, str) else value
        # An empty sequence asks for all of it (PS3.4 C.2.2.2.6).
        found[key.tag] = ("SQ", [_answered(key.inner, i) if key.inner else _whole(i) for i in items])
    return found


def _whole(known: Known) -> dict[int, tuple[str, Value]]:
    return {tag_of(keyword): (VR_OF[tag_of(keyword)], _value(value)) for keyword, value in known.items()}


def _in_latin(elements: Elements, latin: Callable[[str], str]) -> dict[int, tuple[str, Value]]:
    """Numbers stay as they are: one that cannot be written must not come back as another."""
    found: dict[int, tuple[str, Value]] = {}
    for tag, (vr, value) in elements.items():
        if not isinstance(value, str):
            found[tag] = (vr, [_in_latin(item, latin) for item in value])
        elif vr == "PN":
            found[tag] = (vr, value.partition("=")[0])
        elif vr in _TEXT_VRS and tag not in _NUMBERS:
            found[tag] = (vr, latin(value)[: _LONGEST.get(vr)])
        else:
            found[tag] = (vr, value)
    return found


def _value(value: str | Sequence[Known]) -> Value:
    return value if isinstance(value, str) else [_whole(item) for item in value]


def _values(key: Key, decoder: TextDecoder) -> list[str]:
    if key.vr in _TEXT_VRS:
        values = decoder.values(key.raw)
    elif key.vr in ("US", "UL"):
        width = 2 if key.vr == "US" else 4
        values = [
            str(int.from_bytes(key.raw[at : at + width], "little")) for at in range(0, len(key.raw), width)
        ]
    else:
        values = key.raw.decode("ascii", "replace").split("\\")
    return [value.strip("\x00 ") for value in values]


def _texts(keys: Sequence[Key]) -> list[bytes]:
    found = [key.raw for key in keys if key.inner is None and key.vr in _TEXT_VRS]
    for key in keys:
        found += _texts(key.inner or ())
    return found


def _given(keys: Sequence[Key], path: tuple[int, ...]) -> list[tuple[int, ...]]:
    found: list[tuple[int, ...]] = []
    for key in keys:
        here = (*path, key.tag)
        if key.inner is not None:
            found += _given(key.inner, here)
        elif key.raw.strip(b"\x00 *\\"):
            found.append(here)
    return found

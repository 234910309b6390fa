"""A person name (VR PN) as received and as people read it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from telemed.imaging.charset import TextDecoder

_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


@dataclass(frozen=True)
class PersonName:
    """`raw` is the whole decoded value with its carets; `display` is what a person should see.

    The groups are those of PS3.5 6.2.1: alphabetic=ideographic=phonetic.
    """

    raw: str = ""
    alphabetic: str = ""
    ideographic: str = ""
    phonetic: str = ""

    @property
    def display(self) -> str:
        """The written Chinese name where there is one, family name first.

        Han characters stand together ("张^三" is 张三), other scripts get spaces ("Wang^XiaoDong" is
        Wang XiaoDong); the middle dot of minority names stays.
        """
        return _display(self.ideographic or self.alphabetic or self.phonetic)


def parse_person_name(value: bytes, decoder: TextDecoder) -> PersonName:
    """The name stored as `value`. Only the first value of a multi-valued element is taken.

    Decoded before it is split: "^" and "=" may be second bytes of a character.
    """
    raw = decoder.values(value)[0]
    groups = [group.strip(" \x00") for group in raw.split("=")]
    groups += [""] * (3 - len(groups))
    return PersonName(raw=raw.rstrip("^= "), alphabetic=groups[0], ideographic=groups[1], phonetic=groups[2])


def _display(group: str) -> str:
    family, given, middle, prefix, suffix = ([part.strip() for part in group.split("^")] + [""] * 5)[:5]
    parts = [part for part in (prefix, family, given, middle, suffix) if part]
    return ("" if all(_HAN.search(part) for part in parts) else " ").join(parts)

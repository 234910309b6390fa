"""Which characters a font can print, read from its own character map (OpenType `cmap`, format 12)."""

import struct
import unicodedata
from collections.abc import Iterable
from pathlib import Path

# Characters that leave no mark: breaks and spaces, joiners, direction and variation marks (Unicode's default
# ignorables, as far as text from a form or a device may hold them).
_UNMARKED = frozenset(
    {0x09, 0x0A, 0x0D, 0xAD, 0x034F, 0x061C, 0x2028, 0x2029, 0xFEFF}
    | set(range(0x200B, 0x2010))
    | set(range(0x202A, 0x202F))
    | set(range(0x2060, 0x2065))
    | set(range(0xFE00, 0xFE10))
    | set(range(0xE0100, 0xE01F0))
)


def covered_characters(font: Path) -> frozenset[int]:
    """The code points an OpenType font has glyphs for. Raises ValueError where it has no map of the whole range."""
    data = font.read_bytes()
    (tables,) = struct.unpack_from(">H", data, 4)
    places = {
        data[at : at + 4]: struct.unpack_from(">I", data, at + 8)[0] for at in range(12, 12 + 16 * tables, 16)
    }
    cmap = places[b"cmap"]
    (count,) = struct.unpack_from(">H", data, cmap + 2)
    for index in range(count):
        _, _, offset = struct.unpack_from(">HHI", data, cmap + 4 + 8 * index)
        start = cmap + offset
        if struct.unpack_from(">H", data, start)[0] == 12:
            (groups,) = struct.unpack_from(">I", data, start + 12)
            spans = struct.iter_unpack(">III", data[start + 16 : start + 16 + 12 * groups])
            return frozenset(code for first, last, _ in spans for code in range(first, last + 1))
    raise ValueError(f"{font.name} has no character map of format 12")


def missing(texts: Iterable[str], covered: frozenset[int]) -> list[str]:
    """The characters of the texts that no glyph stands for, each once, in the order they appear."""
    # Composed first, as the typesetter does: a letter with its accent is one glyph.
    seen = dict.fromkeys(character for text in texts for character in unicodedata.normalize("NFC", text))
    return [
        character for character in seen if ord(character) not in covered and ord(character) not in _UNMARKED
    ]


def named(characters: Iterable[str]) -> str:
    """Characters as a person can find them: those without a visible form by their code."""
    return " ".join(
        f"{character} (U+{ord(character):04X})" if character.isprintable() else f"U+{ord(character):04X}"
        for character in characters
    )

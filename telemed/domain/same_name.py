"""Whether two spellings of a name can be of one person: 张三 and ZHANG^SAN can, 张三 and LI^SI cannot."""

import re
import unicodedata
from collections.abc import Callable

_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
# Spaces and the middle dots of minority names.
_BETWEEN = re.compile(r"[\s·・•]")
_DOTTED = re.compile("[·・•]")


def names_differ(known: str, other: str, readings: Callable[[str], str] | None = None) -> bool:
    """True only where it is certain: a missing name or an unknown script says nothing.

    `readings` gives all plausible readings of a Chinese name, space separated; without it a Chinese spelling beside
    a Latin one says nothing.
    """
    written = [name for name in (known, other) if _HAN.search(name)]
    if len(written) == 2:
        return _plain(known) != _plain(other)
    if not written:
        return _unlike(_letters(known), [_letters(other)])
    (chinese,) = written
    # A Uyghur or Tibetan name in Latin letters follows its own language and not the characters.
    if readings is None or _DOTTED.search(chinese):
        return False
    latin = other if chinese is known else known
    return _unlike(_letters(latin), [_letters(one) for one in readings(_plain(chinese)).split()])


def _unlike(letters: str, others: list[str]) -> bool:
    others = [one for one in others if one]
    return bool(letters and others) and letters not in others


def _plain(name: str) -> str:
    return _BETWEEN.sub("", name)


def _letters(name: str) -> str:
    """Its Latin letters in no order, since machines turn family and given name round and split syllables freely."""
    bare = unicodedata.normalize("NFKD", name.lower())
    # ü is written u, v, or yu (in passports).
    bare = bare.replace("v", "u").replace("lyu", "lu").replace("nyu", "nu")
    return "".join(sorted(letter for letter in bare if "a" <= letter <= "z"))

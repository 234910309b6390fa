"""By what a name is found: its characters, every reading of it, and their initials."""

import re
import unicodedata

from telemed.domain.matching import plain_name
from telemed.domain.names import HAN

LONGEST = 120
_SEPARATORS = re.compile(r"[\s^·・•‧.,'\-]")


def search_text(typed: str) -> str:
    """As names are kept for searching: without separators, width and case; ü typed as v or ü is one."""
    folded = unicodedata.normalize("NFKC", typed).casefold().replace("ü", "v")
    return plain_name(_SEPARATORS.sub("", folded))[:LONGEST]


def name_keys(name: str, readings: str, initials: str) -> frozenset[str]:
    """`readings` and `initials` are separated by spaces: a family name may have several."""
    found = {search_text(name)}
    if HAN.search(name):
        spellings = [*readings.split(" "), *initials.split(" ")]
        found.update(search_text(spelling) for spelling in spellings)
        # lü is typed lv by most, lu by those who read it from a passport.
        found.update(search_text(spelling.replace("v", "u")) for spelling in spellings)
    else:
        words = [search_text(word) for word in re.split(r"[\s^,]+", name)]
        found.update(words)
        found.add("".join(word[0] for word in words if word))
    return frozenset(found - {""})

"""A Chinese name in Latin letters, as passports write it: "Zhang^San", "Ouyang^Xiaoming"."""

import re
import unicodedata
from functools import lru_cache

from telemed.domain.names import HAN, divided

# A family name may have a reading of its own, which the general reading does not know.
_OF_FAMILY = {
    "单": "shan", "解": "xie", "仇": "qiu", "曾": "zeng", "查": "zha", "区": "ou", "朴": "piao", "盖": "ge",
    "尉迟": "yuchi", "万俟": "moqi", "长孙": "zhangsun", "澹台": "tantai", "宓": "fu", "冼": "xian", "幺": "yao",
    "任": "ren", "华": "hua", "翟": "zhai", "种": "chong", "繁": "po", "员": "yun", "乐": "yue", "缪": "miao",
    "燕": "yan", "覃": "qin", "晟": "cheng", "黑": "he", "逄": "pang", "召": "shao", "应": "ying", "宁": "ning",
}  # fmt: skip
_HAN_RUN = re.compile(f"({HAN.pattern}+)")
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 .'-")
# A letter that has no Latin form: what is cut short must be seen to be.
_UNREADABLE = "?"


@lru_cache(maxsize=4096)
def alphabetic(name: str) -> str:
    """The first component group of a PN: ASCII alone, family and given name divided by a caret."""
    family, given = divided(name)
    first = _OF_FAMILY.get(family) or "".join(_syllables(family))
    return "^".join(part for part in (_capital(first), _capital("".join(_syllables(given)))) if part)


@lru_cache(maxsize=1024)
def latin(text: str) -> str:
    """Any other text, syllable by syllable, for a machine that reads nothing else."""
    return text if text.isascii() else _plain(" ".join(_syllables(text)))


def _syllables(text: str) -> list[str]:
    if not HAN.search(text):
        return [text]
    from pypinyin import Style, lazy_pinyin  # 50 MB of dictionaries, for those who meet a new name

    found: list[str] = []
    for piece in filter(None, _HAN_RUN.split(text)):
        if HAN.match(piece):
            # Passports write "lyu" where pinyin has an umlaut.
            found += [one.replace("v", "yu") for one in lazy_pinyin(piece, style=Style.NORMAL)]
        else:
            found.append(piece)
    return found


def _plain(text: str) -> str:
    """ASCII: letters without their accents; what is no letter goes, a letter that is unknown is marked."""
    letters = []
    for char in unicodedata.normalize("NFKD", text):
        if char in _PLAIN:
            letters.append(char)
        elif unicodedata.category(char)[0] in "LN":
            letters.append(_UNREADABLE)
        elif char in "·・•‧":
            letters.append(" ")
    return "".join(letters).strip()


def _capital(text: str) -> str:
    plain = _plain(text)
    return plain[:1].upper() + plain[1:]

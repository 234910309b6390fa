"""A Chinese name in Latin letters, as passports write it: "Zhang^San", "Ouyang^Xiaoming"."""

import re
from functools import lru_cache

from telemed.domain.names import HAN, divided

# A family name may have a reading of its own, which the general reading does not know.
_OF_FAMILY = {
    "单": "shan", "解": "xie", "仇": "qiu", "曾": "zeng", "查": "zha", "区": "ou", "朴": "piao", "盖": "ge",
    "尉迟": "yuchi", "万俟": "moqi", "长孙": "zhangsun", "澹台": "tantai", "宓": "fu", "冼": "xian", "幺": "yao",
    "任": "ren", "华": "hua", "翟": "zhai", "种": "chong", "繁": "po", "员": "yun", "乐": "yue", "缪": "miao",
    "燕": "yan", "覃": "qin", "晟": "cheng", "黑": "he", "逄": "pang", "召": "shao", "应": "ying", "宁": "ning",
}  # fmt: skip
_NO_LETTER = re.compile(r"[^A-Za-z0-9 .'-]")


@lru_cache(maxsize=4096)
def alphabetic(name: str) -> str:
    """The first component group of a PN: ASCII alone, family and given name divided by a caret."""
    family, given = divided(name)
    first = _OF_FAMILY.get(family) or _latin(family)
    return "^".join(part for part in (_capital(first), _capital(_latin(given))) if part)


def _latin(text: str) -> str:
    if not HAN.search(text):
        return text
    from pypinyin import Style, lazy_pinyin  # 50 MB of dictionaries, for those who meet a new name

    # Passports write "lyu" where pinyin has an umlaut.
    return "".join(lazy_pinyin(text, style=Style.NORMAL)).replace("v", "yu")


def _capital(text: str) -> str:
    plain = _NO_LETTER.sub("", text).strip()
    return plain[:1].upper() + plain[1:]

"""Where a Chinese name divides into family and given name."""

import re

HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
# The compound family names still met; every other family name has one character.
_COMPOUND_TEXT = """
欧阳 太史 端木 上官 司马 东方 独孤 南宫 万俟 闻人 夏侯 诸葛 尉迟 公羊 赫连 澹台
皇甫 宗政 濮阳 公冶 太叔 申屠 公孙 慕容 仲孙 钟离 长孙 宇文 司徒 鲜于 司空 令狐
百里 呼延 东郭 南门 拓跋 轩辕 完颜 耶律 叶赫 那拉 西门 第五 左丘 谷梁 歐陽 東方
獨孤 萬俟 聞人 諸葛 尉遲 濮陽 公孫 慕容 仲孫 鍾離 長孫 呼延 東郭 南門 軒轅 西門
左丘 穀梁
"""
_COMPOUND = frozenset(_COMPOUND_TEXT.split())
_DOTS = re.compile("[·・•‧]")


def divided(name: str) -> tuple[str, str]:
    """Family and given name of a name as it is shown; the second is "" where it cannot be told.

    A minority name keeps its dot and is divided there; a name in Latin letters is divided at its first space.
    """
    text = name.strip()
    if not HAN.search(text):
        family, _, given = text.partition(" ")
        return family, given.strip()
    if _DOTS.search(text):
        first, rest = _DOTS.split(text, maxsplit=1)
        return first, rest
    text = text.replace(" ", "")
    length = 2 if text[:2] in _COMPOUND and len(text) > 2 else 1
    return text[:length], text[length:]

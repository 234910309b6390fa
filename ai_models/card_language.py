"""The figures' tables of a card in the card's language: they are made once, in English, and their words replaced."""

from __future__ import annotations

import re

CHINESE = {
    "PTB-XL folds 1-8": "PTB-XL 第 1-8 折",
    "PTB-XL fold 9": "PTB-XL 第 9 折",
    "PTB-XL and China": "PTB-XL 与中国",
    "LUDB, first half": "LUDB 前一半",
    "LUDB, second half": "LUDB 后一半",
    "held out": "未参与选择",
    "chosen on": "参与选择",
    "as recorded": "原始记录",
    "planted": "模拟接反",
    "coverage of the normal": "正常记录的覆盖率",
    "drafts of all": "草稿/全部",
    "wanted inside": "内层所求精确率",
    "precision": "精确率",
    "out of fold, folds 1-8": "折外，第 1-8 折",
    "five-fold, all 434": "五折，全部 434 份",
    "teacher, fold 9": "教师网络，第 9 折",
    "labels alone, fold 9": "仅用标注，第 9 折",
    "median-beat logistic, fold 9": "中位心搏逻辑回归，第 9 折",
    "shuffled labels, fold 9": "打乱标注，第 9 折",
    "fold 9": "第 9 折",
    "China": "中国",
    "threshold": "阈值",
    "macro": "宏平均",
    "mean absolute ms": "平均绝对误差 ms",
    "mean ms": "平均误差 ms",
    "SD ms": "标准差 ms",
    "95th percentile": "第 95 百分位",
    "5th": "第 5 百分位",
    "median": "中位数",
    "missed": "漏检",
    "found": "检出",
    "extra": "多检",
    "by beat": "逐搏",
    "representative": "代表心搏",
    "marks": "标注",
    "onset": "起点",
    "offset": "终点",
    "peak": "峰",
    "said": "说出",
    "all": "合计",
    "Se": "灵敏度",
    "Sp": "特异度",
}
"""What the tables say in words. Abbreviations that a Chinese reader uses too (AUC, PPV, F1, NORM) stay."""
_WORDS = re.compile(
    "|".join(rf"(?<![\w-]){re.escape(words)}(?![\w-])" for words in sorted(CHINESE, key=len, reverse=True))
)


def in_language(text: str, language: str) -> str:
    """`text`, a table or a list made of the words above, in "zh-CN"; in any other language as it is."""
    return _WORDS.sub(lambda found: CHINESE[found[0]], text) if language == "zh-CN" else text

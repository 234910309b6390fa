"""Whatever a model, its engine or its reader may refuse has a sentence in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import ai_models
from ai_models.card_language import CHINESE, in_language
from ai_models.ecg.interpretation.rules import rule_set
from ai_models.registry import Registry
from telemed import i18n

CODE = re.compile(r'"((?:model|tensor|body|inference|file|waveform|film)\.[a-z_]+)"')
NOT_SHOWN = {"model.onnx"}


def test_every_code_of_the_package_is_in_the_catalogue() -> None:
    sources = [
        *Path(ai_models.__file__).parent.rglob("*.py"),
        Path(i18n.__file__).parents[1] / "cli" / "ai.py",
    ]
    found = {code for path in sources for code in CODE.findall(path.read_text("utf-8"))} - NOT_SHOWN
    assert "model.wrong_digest" in found
    for language in i18n.languages:
        assert found - set(i18n.catalogue(language)) == set()


def test_no_table_of_a_chinese_card_keeps_an_english_word() -> None:
    cards = [*(model.card("zh-CN") for model in Registry().models()), rule_set().card("zh-CN")]
    tables = [
        line
        for card in cards
        for line in card.read_text("utf-8").splitlines()
        if line.startswith("|") and "](" not in line and "`" not in line
    ]
    assert len(tables) > 100
    assert [line for line in tables if in_language(line, "zh-CN") != line] == []
    assert in_language("| held out | all-round |", "zh-CN") == "| 未参与选择 | all-round |"
    assert in_language("| held out |", "en") == "| held out |"
    assert all(words.isascii() and not chinese.isascii() for words, chinese in CHINESE.items())

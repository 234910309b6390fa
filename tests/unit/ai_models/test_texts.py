"""Whatever a model, its engine or its reader may refuse has a sentence in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import ai_models
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

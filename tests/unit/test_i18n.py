import json
import re
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from string import Formatter

import pytest

from telemed.i18n import catalogue, languages, text

CJK = re.compile(r"[⺀-〿㐀-鿿豈-﫿＀-￯\U00020000-\U0003134f]")


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name is not None}


def test_every_language_has_the_same_keys() -> None:
    first, *others = (catalogue(language) for language in languages)
    assert first
    for other in others:
        assert set(other) == set(first)


def test_every_language_fills_the_same_placeholders() -> None:
    chinese, english = catalogue("zh-CN"), catalogue("en")
    differing = [key for key in chinese if placeholders(chinese[key]) != placeholders(english[key])]
    assert differing == []


def test_placeholders_are_named() -> None:
    unnamed = [
        k for lang in languages for k, v in catalogue(lang).items() if placeholders(v) & {"", "0", "1"}
    ]
    assert unnamed == []


def test_the_english_catalogue_holds_no_chinese() -> None:
    # A language is called by its own name: whoever looks for it reads no other.
    own = "page.language.zh-CN"
    assert [key for key, value in catalogue("en").items() if CJK.search(value) and key != own] == []


def test_no_text_is_empty() -> None:
    assert [key for lang in languages for key, value in catalogue(lang).items() if not value.strip()] == []


@pytest.mark.parametrize("language", languages)
def test_the_file_is_sorted_and_repeats_no_key(language: str) -> None:
    def keys_in_order(pairs: Sequence[tuple[str, object]]) -> list[str]:
        return [key for key, _ in pairs]

    raw = files("telemed.i18n").joinpath(f"{language}.json").read_text(encoding="utf-8")
    keys = json.loads(raw, object_pairs_hook=keys_in_order)
    assert keys == sorted(set(keys))


def test_parameters_are_filled_in() -> None:
    assert text("pdf.page", "zh-CN", page="1", pages="2") == "第 1 / 2 页"
    assert text("pdf.page", "en", page="1", pages="2") == "Page 1 of 2"


def test_an_unknown_key_a_missing_parameter_and_an_unknown_language_are_errors() -> None:
    with pytest.raises(KeyError, match="no_such_key"):
        text("no_such_key", "en")
    with pytest.raises(KeyError, match="pages"):
        text("pdf.page", "en", page="1")
    with pytest.raises(KeyError, match="fr"):
        catalogue("fr")


def test_chinese_has_the_marks_of_chinese() -> None:
    """Half-width marks belong to codes and to formats that are typed."""
    typed = {"error.viewport", "error.window"}
    wrong = [
        key
        for key, text in catalogue("zh-CN").items()
        if key not in typed and re.search("[\u3400-\u9fff][,;:?!()]|[,;:?!()][\u3400-\u9fff]", text)
    ]
    assert wrong == []


def test_every_field_that_an_error_names_has_its_word() -> None:
    named = set()
    for package in ("telemed", "ai_models"):
        for module in Path(str(files(package))).rglob("*.py"):
            named |= set(re.findall(r'field="([a-z_0-9]+)"', module.read_text(encoding="utf-8")))
    assert named
    assert sorted(name for name in named if f"field.{name}" not in catalogue("en")) == []

"""The one catalogue of every text a person sees: pages, PDF, e-mail, problem+json, command-line errors.

Flat JSON, one file a language, the same keys in each; zh-CN is the default, both are complete.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

languages: Final = ("zh-CN", "en")


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """All texts of a language by key, read once; KeyError for a language without a catalogue."""
    if language not in languages:
        raise KeyError(f"no catalogue for the language {language!r}; there are {', '.join(languages)}")
    source = files(__name__).joinpath(f"{language}.json").read_text(encoding="utf-8")
    texts: dict[str, str] = json.loads(source)
    return MappingProxyType(texts)


def text(key: str, language: str, /, **params: object) -> str:
    """The text of a key with its parameters filled in; KeyError for an unknown key or an absent parameter."""
    return catalogue(language)[key].format(**params)

"""An error as one sentence in the operator's language."""

import os

from telemed.domain.errors import DomainError
from telemed.i18n import languages, text
from telemed.settings import SettingsError


def sentence(fault: DomainError | SettingsError) -> str:
    return sentence_of(fault.code, **fault.params)


def sentence_of(code: str, **params: str | int) -> str:
    language = os.environ.get("TELEMED_LANGUAGE", "zh-CN")
    return text(code, language if language in languages else "zh-CN", **params)

"""An error as one sentence in the operator's language."""

import os

from telemed.domain.errors import DomainError
from telemed.i18n import languages, text
from telemed.settings import SettingsError


def sentence(fault: DomainError | SettingsError) -> str:
    language = os.environ.get("TELEMED_LANGUAGE", "zh-CN")
    return text(fault.code, language if language in languages else "zh-CN", **fault.params)

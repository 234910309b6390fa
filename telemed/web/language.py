"""Which of the catalogue's languages a browser wants."""

from telemed.i18n import languages

LANGUAGE_COOKIE = "telemed_language"


def preferred(accept_language: str, default: str) -> str:
    """The best match for an Accept-Language header (RFC 9110 12.5.4); `default` where there is none."""
    wishes = []
    for position, part in enumerate(accept_language.split(",")):
        tag, _, rest = part.strip().partition(";")
        weight = _weight(rest)
        if tag and weight > 0:
            wishes.append((-weight, position, tag.strip().lower()))
    for _, _, tag in sorted(wishes):
        for language in languages:
            # "zh-TW" is still better served by Chinese than by English.
            if tag.split("-")[0] == language.split("-")[0].lower():
                return language
    return default if default in languages else languages[0]


def _weight(rest: str) -> float:
    name, _, value = rest.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0

"""Which lead a channel is: by code, else by its name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from telemed.imaging.waveform.model import LEADS
from telemed.imaging.waveform.values import text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telemed.imaging.waveform.direct import Source

# PS3.16 CID 3001: MDC "2:n" and SCPECG "5.6.3-9-n" end in the same number.
_NUMBERS = {
    1: "I",
    2: "II",
    3: "V1",
    4: "V2",
    5: "V3",
    6: "V4",
    7: "V5",
    8: "V6",
    61: "III",
    62: "aVR",
    63: "aVL",
    64: "aVF",
}
_CODE = re.compile(r"^(?:2:|5\.6\.3-9-)0*(\d+)$")
_BY_NAME = {lead.upper(): lead for lead in LEADS}
_NOISE = re.compile(r"^(?:MDC_ECG_LEAD_|ECG[ _-]*)?(?:LEAD|导联)?[\s:_-]*|\s*\(.*\)$|\s*(?:LEAD|导联)$")


def lead_of_code(value: str) -> str | None:
    """The lead of an MDC or SCPECG code value, None for any other code."""
    match = _CODE.match(_clean(value))
    return _NUMBERS.get(int(match.group(1))) if match else None


def lead_of_name(meaning: str) -> str | None:
    """The lead of a written name: "I", "Lead I", "Lead I (Einthoven)", "AVR", "MDC_ECG_LEAD_aVR"."""
    return _BY_NAME.get(_NOISE.sub("", _clean(meaning).upper()).replace(" ", ""))


def leads_of_channels(channels: Sequence[Source]) -> list[str | None]:
    """The lead of each channel definition, None where it is none of the twelve.

    Codes win over names. Devices exist that copy one code to every channel: where the codes repeat and the
    names do not, the names are believed.
    """
    by_code, by_name = [], []
    for channel in channels:
        source = _source(channel)
        code = lead_of_code(text(source, "CodeValue")) if source is not None else None
        meaning = text(source, "CodeMeaning") if source is not None else ""
        name = lead_of_name(meaning) or lead_of_name(text(channel, "ChannelLabel"))
        by_code.append(code or name)
        by_name.append(name or code)
    return by_name if _repeats(by_code) and not _repeats(by_name) else by_code


def _source(channel: Source) -> Source | None:
    sources = channel.get("ChannelSourceSequence") or []
    return sources[0] if len(sources) else None


def _repeats(leads: list[str | None]) -> bool:
    known = [lead for lead in leads if lead]
    return len(set(known)) < len(known)


def _clean(text: str) -> str:
    return text.replace("\x00", "").strip()

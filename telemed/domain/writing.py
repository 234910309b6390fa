"""How a centre writes its reports, as rows: parts that must not be empty, whole texts and short codes."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from telemed.domain.errors import InvalidInput


class Part(StrEnum):
    FINDINGS = "findings"
    IMPRESSION = "impression"
    RECOMMENDATION = "recommendation"


class Demanded(StrEnum):
    ALWAYS = "always"
    # What is normal needs no recommendation; what is not, may.
    WHEN_ABNORMAL = "when_abnormal"


# A report without these is none, whatever a centre's rows say.
ALWAYS = (Part.FINDINGS, Part.IMPRESSION)


@dataclass(eq=False, kw_only=True)
class RequiredPart:
    """An empty modality or body part stands for every one."""

    uid: str
    consortium_id: int
    part: Part
    demanded: Demanded
    modality: str = ""
    body_part: str = ""
    id: int = field(init=False)

    def fits(self, modality: str, body_part: str) -> bool:
        return fits_exam(self.modality, self.body_part, modality, body_part)


class TextKind(StrEnum):
    # Fills a whole report.
    TEMPLATE = "template"
    # Stands for its words where it is typed.
    MACRO = "macro"


_CODE = re.compile(r"[a-z0-9]{1,16}", re.ASCII)


@dataclass(eq=False, kw_only=True)
class ReportText:
    """`code` is what is typed behind a semicolon; a macro has its words in `findings` alone."""

    uid: str
    consortium_id: int
    kind: TextKind
    code: str
    title: str
    findings: str
    impression: str = ""
    recommendation: str = ""
    abnormal: bool = True
    modality: str = ""
    body_part: str = ""
    id: int = field(init=False)

    def demand_sound(self) -> None:
        if not _CODE.fullmatch(self.code):
            raise InvalidInput("error.text_code_invalid", field="code")
        for name in ("title", "findings"):
            if not getattr(self, name).strip():
                raise InvalidInput("error.field_required", field=name)


def fits_exam(wanted: str, wanted_part: str, modality: str, body_part: str) -> bool:
    return wanted in ("", modality) and wanted_part.casefold() in ("", body_part.casefold())


def demanded_parts(rows: Iterable[RequiredPart], modality: str, body_part: str) -> dict[Part, Demanded]:
    """The parts that this exam's report needs; the stricter row wins."""
    found = dict.fromkeys(ALWAYS, Demanded.ALWAYS)
    for row in rows:
        if row.fits(modality, body_part) and found.get(row.part) is not Demanded.ALWAYS:
            found[row.part] = row.demanded
    return found


def first_missing(
    demanded: Mapping[Part, Demanded], texts: Mapping[str, str], *, abnormal: bool
) -> Part | None:
    """In the order of the page, so that the cursor goes to the first gap."""
    for part in Part:
        needed = demanded.get(part)
        if needed is None or (needed is Demanded.WHEN_ABNORMAL and not abnormal):
            continue
        if not texts[part].strip():
            return part
    return None

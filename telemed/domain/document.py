"""What a signed report prints: every word is decided before the page is set.

Five parts: the patient; the exam and its method; 检查所见; 诊断意见 and 建议; the signatures. Texts that come
from people are here as they wrote them; the labels around them belong to the page and its language.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime, tzinfo


@dataclass(frozen=True, kw_only=True)
class ReportDocument:
    """Instants are aware and shown in the site's `zone`. An empty text leaves its place out."""

    language: str  # "zh-CN" | "en"
    zone: tzinfo
    # The head: both institutions of the case, and which version of the report this is.
    consortium_name: str
    reporting_institution: str
    applicant_institution: str
    exam: str  # what was examined: the page's title, as "十二导联心电图"
    accession_number: str  # 检查号
    version: int  # from 1
    state: str  # a value of `ReportState`, or "preliminary": an emergency report before the final
    critical: bool = False  # a critical value (危急值) was reported
    # 1. The patient. Names are as the order or the object has them.
    patient_name: str
    sex: str  # "M" | "F" | "O" | ""
    age: str  # with its unit, in the document's language: "56岁", "3 months"
    patient_id: str = ""
    id_last4: str = ""
    # 2. The exam and its method.
    examined_at: datetime | None
    method: str = ""
    clinical_history: str = ""
    # 3. and 4. What the doctor wrote.
    findings: str  # 检查所见
    impression: str  # 诊断意见
    recommendation: str = ""  # 建议
    # The pictures printed after it, each with what its reader says is to be seen on it; empty where he says nothing.
    picture_notes: tuple[str, ...] = ()
    # Pictures and recordings of the exam that could not be printed: the paper says how many.
    pictures_missing: int = 0
    # 5. The signatures. Where one doctor signs alone there is no reviewer.
    reporting_doctor: str
    reviewing_doctor: str = ""
    signed_at: datetime | None = None
    reviewed_at: datetime | None = None
    # How a machine took part in this report; empty where none did.
    ai_note: str = ""
    verification_code: str = ""
    verification_url: str = ""

    def __post_init__(self) -> None:
        for name in ("examined_at", "signed_at", "reviewed_at"):
            instant = getattr(self, name)
            if instant is not None and instant.tzinfo is None:
                raise ValueError(f"{name} has no time zone: a report prints instants of a known zone")

    def texts(self) -> Iterator[str]:
        """Everything that will be printed as it stands; so that it can be checked before someone signs."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, str):
                yield value
            elif isinstance(value, tuple):
                yield from value

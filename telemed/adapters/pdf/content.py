"""A report as the template takes it: finished strings in the document's language, in the order of the page."""

from datetime import datetime
from typing import TypedDict

from telemed.adapters.pdf.ecg_page import EcgPage
from telemed.adapters.pdf.pictures import Picture
from telemed.domain.document import ReportDocument
from telemed.i18n import text

# What a state demands to be said on every page; a final report needs no words.
_NOTICES = ("draft", "awaiting_review", "held", "preliminary", "amended", "withdrawn")
_NOTHING = "—"

LabelledText = tuple[str, str]


class Fact(TypedDict):
    label: str
    value: str
    span: int  # of the columns of label and value: three beside each other for the exam, two for signatures


class PicturePage(TypedDict):
    title: str
    note: str
    captions: list[str]
    items: list[Picture]


class Content(TypedDict):
    lang: str
    region: str | None
    consortium: str
    institution: str
    title: str
    critical: str | None
    notice: str | None
    patient: list[Fact]
    exam: list[Fact]
    sections: list[LabelledText]
    ai_note: LabelledText | None
    missing: str | None
    signatures: list[Fact]
    version: str
    identity: list[LabelledText]
    examined: LabelledText
    verification: list[LabelledText]
    times_in: str | None
    page: str
    ecg: EcgPage | None
    pictures: PicturePage | None


def content(document: ReportDocument, ecg: EcgPage | None, pictures: list[Picture]) -> Content:
    language = document.language
    lang, _, region = language.partition("-")

    def label(key: str) -> str:
        return text(f"pdf.{key}", language)

    def labelled(*keys: str) -> list[LabelledText]:
        return [(label(key), value) for key in keys if (value := getattr(document, key))]

    def fact(key: str, value: str, span: int = 1) -> Fact:
        return {"label": label(key), "value": value or _NOTHING, "span": span}

    sex = document.sex if document.sex in ("M", "F", "O") else "unknown"
    identity = [
        (label("name"), document.patient_name or _NOTHING),
        (label("sex"), label(f"sex.{sex}")),
        (label("age"), document.age or _NOTHING),
        (label("accession_number"), document.accession_number or _NOTHING),
    ]
    examined_at = _local(document, document.examined_at)
    state = label(f"state.{document.state}")
    version = text("pdf.version", language, version=document.version)
    return {
        "lang": lang,
        "region": region or None,
        "consortium": document.consortium_name,
        "institution": document.reporting_institution,
        "title": text("pdf.title", language, exam=document.exam),
        "critical": label("critical") if document.critical else None,
        "notice": label(f"notice.{document.state}") if document.state in _NOTICES else None,
        "patient": [
            *(Fact(label=key, value=value, span=1) for key, value in identity),
            fact("patient_id", document.patient_id),
            fact("id_last4", document.id_last4),
        ],
        "exam": [
            fact("examined_at", examined_at),
            fact("applicant_institution", document.applicant_institution, span=2),
            *(
                fact(key, value, 3)
                for key in ("method", "clinical_history")
                if (value := getattr(document, key))
            ),
        ],
        "sections": labelled("findings", "impression", "recommendation"),
        "ai_note": (label("ai_note"), document.ai_note) if document.ai_note else None,
        "missing": text("pdf.pictures.missing", language, count=document.pictures_missing)
        if document.pictures_missing
        else None,
        "signatures": [
            fact("reporting_doctor", document.reporting_doctor),
            fact("signed_at", _local(document, document.signed_at)),
            *(
                (
                    fact("reviewing_doctor", document.reviewing_doctor),
                    fact("reviewed_at", _local(document, document.reviewed_at)),
                )
                if document.reviewing_doctor
                else ()
            ),
        ],
        "version": f"{version} · {state}",
        "identity": identity,
        "examined": (label("examined_at"), examined_at or _NOTHING),
        "verification": labelled("verification_code", "verification_url"),
        "times_in": _times_in(document),
        # The typesetter alone knows the numbers and puts them into these places.
        "page": text("pdf.page", language, page="{page}", pages="{pages}"),
        "ecg": ecg,
        "pictures": _picture_page(pictures, document) if pictures else None,
    }


def issued_at(document: ReportDocument) -> datetime | None:
    """The instant the file is dated: the last signature, so that the same report gives the same bytes."""
    return document.reviewed_at or document.signed_at or document.examined_at


def _local(document: ReportDocument, instant: datetime | None) -> str:
    return instant.astimezone(document.zone).strftime("%Y-%m-%d %H:%M") if instant else ""


def _times_in(document: ReportDocument) -> str | None:
    instant = issued_at(document)
    if instant is None:
        return None
    offset = instant.astimezone(document.zone).strftime("%z")
    return text("pdf.times_in", document.language, zone=f"UTC{offset[:3]}:{offset[3:]}")


def _picture_page(pictures: list[Picture], document: ReportDocument) -> PicturePage:
    count, language = len(pictures), document.language
    captions = [text("pdf.picture", language, number=n, count=count) for n in range(1, count + 1)]
    # Of a document without key images the pictures are the first of the exam.
    if len(document.picture_notes) == count:
        captions = [
            f"{one}  {said}".strip() for one, said in zip(captions, document.picture_notes, strict=True)
        ]
    return {
        "title": text("pdf.pictures.title", language),
        "note": text("pdf.pictures.note", language),
        "captions": captions,
        "items": pictures,
    }

import io
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from pypdf import PdfReader

from telemed.adapters.pdf import TypstPdf
from telemed.domain.errors import InvalidInput
from telemed.domain.report import ReportState
from telemed.i18n import catalogue
from telemed.imaging.waveform import Filters, Waveform
from tests.unit.pdf.documents import jpeg, report, waveform


def pages(pdf: bytes) -> list[str]:
    """The text of each page, without the gaps that a reader guesses between Chinese characters."""
    return [re.sub(r"\s+", "", page.extract_text()) for page in PdfReader(io.BytesIO(pdf)).pages]


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_a_report_prints_all_its_five_parts(pdf: TypstPdf, language: str) -> None:
    document = report(language)
    (page,) = pages(pdf.render(document))
    for value in document.texts():
        if value not in (document.language, document.state, document.sex):
            assert squeezed(value) in page
    labels = catalogue(language)
    for key in (
        "findings",
        "impression",
        "recommendation",
        "reporting_doctor",
        "reviewing_doctor",
        "critical",
    ):
        assert squeezed(labels[f"pdf.{key}"]) in page
    assert squeezed(labels["pdf.version"].format(version=2)) in page
    assert squeezed(labels["pdf.sex.F"]) in page


def test_instants_are_printed_in_the_zone_of_the_site(pdf: TypstPdf) -> None:
    (page,) = pages(pdf.render(report()))
    assert "检查时间2026-11-2114:05" in page
    assert "报告时间2026-11-2114:12" in page
    assert "审核时间2026-11-2200:15" in page
    assert "UTC+08:00" in page


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_page_names_the_patient_the_version_and_its_own_number(pdf: TypstPdf, language: str) -> None:
    document = report(language, findings="\n".join(f"{number} mm" for number in range(90)))
    printed = pages(pdf.render(document, waveform(), [jpeg()]))
    assert len(printed) >= 5
    labels = catalogue(language)
    for number, page in enumerate(printed, start=1):
        for fact in (document.patient_name, document.age, document.accession_number, labels["pdf.sex.F"]):
            assert squeezed(fact) in page
        assert squeezed(labels["pdf.version"].format(version=2)) in page
        assert squeezed(labels["pdf.page"].format(page=number, pages=len(printed))) in page
        assert document.verification_code in page


def test_the_english_report_holds_no_chinese(pdf: TypstPdf) -> None:
    recording = waveform(seconds=12, filters=Filters(0.05, 150, 50))
    printed = "".join(pages(pdf.render(report("en", state="preliminary"), recording, [jpeg()])))
    assert re.findall(r"[⺀-〿㐀-鿿豈-﫿＀-￯]", printed) == []


@pytest.mark.parametrize(
    "written",
    [
        '张*三$#\\"',
        "#panic()",
        "$x^2$",
        "*b* _i_ `c`",
        "<a@b>",
        "{page}",
        "\\u{41}",
        "= 1",
        "// x",
        "@preview",
        "''",
    ],
)
def test_what_a_person_wrote_is_never_markup(pdf: TypstPdf, written: str) -> None:
    document = report(patient_name=written, findings=written, accession_number=written, exam=written)
    text = squeezed(PdfReader(io.BytesIO(pdf.render(document))).pages[0].extract_text())
    # In the title, the patient's block, the findings, and twice in the foot.
    assert text.count(squeezed(written)) >= 6


@pytest.mark.parametrize("state", [*ReportState, "preliminary", "addendum"])
def test_every_state_is_named_and_only_a_final_report_needs_no_notice(pdf: TypstPdf, state: str) -> None:
    printed = pages(pdf.render(report(state=str(state)), waveform()))
    texts = catalogue("zh-CN")
    notice = texts.get(f"pdf.notice.{state}")
    assert (notice is None) == (state in ("final", "addendum"))
    for page in printed:
        assert texts[f"pdf.state.{state}"] in page
        assert notice is None or notice in page


def test_a_preliminary_report_says_that_the_final_one_prevails(pdf: TypstPdf) -> None:
    (page,) = pages(pdf.render(report(state="preliminary")))
    assert "急诊初步报告，以正式报告为准" in page


def test_without_a_reviewer_no_reviewer_is_printed(pdf: TypstPdf) -> None:
    (page,) = pages(pdf.render(report(reviewing_doctor="", reviewed_at=None, critical=False, ai_note="")))
    assert "审核医师" not in page
    assert "危急值" not in page
    assert "AI" not in page
    assert "沈予安" in page


def test_absent_facts_are_a_dash_and_an_unknown_sex_is_said(pdf: TypstPdf) -> None:
    (page,) = pages(pdf.render(report(sex="", age="", patient_id="", examined_at=None)))
    assert "性别未记录" in page
    assert "年龄—" in page
    assert "患者编号—" in page
    assert "检查时间—" in page


def test_the_ecg_sheet_says_speed_gain_filter_and_sampling(pdf: TypstPdf) -> None:
    _, silent = pages(pdf.render(report(), waveform()))
    assert "走纸速度25mm/s增益10mm/mV" in silent
    assert "设备滤波未记录" in silent
    assert "采样率500Hz" in silent
    _, filtered = pages(pdf.render(report(), waveform(filters=Filters(0.05, 150, 0))))
    assert "设备滤波高通0.05Hz,低通150Hz打印未另加滤波" in filtered


def test_the_ecg_sheet_says_what_it_does_not_show(pdf: TypstPdf) -> None:
    recording = waveform(seconds=20)
    samples = recording.samples.copy()
    samples[3] = np.nan
    samples[0, 200] = 4.0
    _, page = pages(pdf.render(report(), Waveform(recording.leads, samples, 500.0, derived=("III", "aVF"))))
    assert "图示10秒，全程20秒" in page
    assert "无信号的导联：aVR" in page
    assert "计算得出的导联：IIIaVF" in page
    assert "末端未画出的导联：I" in page


def test_pictures_are_carried_as_they_came(pdf: TypstPdf) -> None:
    one, two = jpeg(), jpeg(500, 300, "RGB")
    (_, page) = PdfReader(io.BytesIO(pdf.render(report(), pictures=[one, two]))).pages
    assert "图 1 / 2" in page.extract_text()
    references: list[Any] = [image.indirect_reference for image in page.images]
    embedded = [reference.get_object()._data for reference in references]
    assert sorted(embedded) == sorted([one, two])


def test_a_picture_in_printing_colours_is_converted(pdf: TypstPdf) -> None:
    assert len(pages(pdf.render(report(), pictures=[jpeg(mode="CMYK")]))) == 2


@pytest.mark.parametrize("broken", [b"", b"no picture", jpeg()[:-400], b"\x89PNG\r\n\x1a\n"])
def test_a_broken_picture_is_refused_by_its_number(pdf: TypstPdf, broken: bytes) -> None:
    with pytest.raises(InvalidInput) as refused:
        pdf.render(report(), pictures=[jpeg(), broken])
    assert (refused.value.code, refused.value.params) == ("error.picture_unreadable", {"number": 2})
    assert refused.value.code in catalogue("en")


def test_the_file_is_pdf_a_2b_with_embedded_fonts_only(pdf: TypstPdf) -> None:
    reader = PdfReader(io.BytesIO(pdf.render(report(), waveform())))
    metadata: Any = reader.xmp_metadata
    assert (metadata.pdfaid_part, metadata.pdfaid_conformance) == ("2", "B")
    assert reader.metadata is not None
    assert "欧阳" not in f"{reader.metadata.title} {reader.metadata.author}"
    for page in reader.pages:
        fonts: Any = page["/Resources"]["/Font"]  # type: ignore[index]
        for font in fonts.values():
            descriptor = font["/DescendantFonts"][0]["/FontDescriptor"]
            assert "NotoSansCJKsc" in descriptor["/FontName"]
            assert "/FontFile3" in descriptor


def test_the_same_report_gives_the_same_bytes_also_from_several_threads(pdf: TypstPdf) -> None:
    document, recording = report(), waveform()
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: pdf.render(document, recording), range(4)))
    assert set(made) == {TypstPdf().render(document, recording)}


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="signed_at"):
        report(signed_at=datetime(2026, 11, 21, 14, 5))

import json
from pathlib import Path

import pytest
import typst
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

import telemed.adapters.pdf
from telemed.adapters.pdf import TypstPdf
from telemed.adapters.pdf.glyphs import covered_characters, missing, named
from telemed.domain.errors import InvalidInput
from telemed.i18n import catalogue, languages
from tests.unit.pdf.documents import report

FONTS = Path(telemed.adapters.pdf.__file__).parent / "fonts"
REGULAR = FONTS / "NotoSansCJKsc-Regular.otf"
BOLD = FONTS / "NotoSansCJKsc-Bold.otf"


def two_byte_characters(codec: str) -> set[int]:
    pairs = (bytes((lead, trail)) for lead in range(0x81, 0xFF) for trail in range(0x40, 0xFF))
    decoded = {pair.decode(codec, errors="ignore") for pair in pairs}
    # Neither single control characters nor the private use area.
    return {ord(character) for character in decoded if len(character) == 1 and character.isprintable()}


def test_the_map_is_read_as_the_font_library_reads_it() -> None:
    assert covered_characters(REGULAR) == set(TTFont(REGULAR).getBestCmap())


def test_a_font_without_a_map_of_the_whole_range_is_refused() -> None:
    with pytest.raises(ValueError, match="format 12"):
        covered_characters(BOLD)


def test_regular_prints_gbk_and_bold_gb_2312() -> None:
    bold = set(TTFont(BOLD).getBestCmap())
    # The one sign of GBK that the source font itself does not have.
    assert two_byte_characters("gbk") - covered_characters(REGULAR) == {ord("≒")}
    assert two_byte_characters("gb2312") - bold == set()
    assert bold < covered_characters(REGULAR)


def test_every_text_of_the_catalogue_can_be_printed() -> None:
    texts = [
        value
        for language in languages
        for key, value in catalogue(language).items()
        if key.startswith("pdf.")
    ]
    assert len(texts) > 80
    assert missing(texts, covered_characters(REGULAR)) == []


@pytest.mark.parametrize(
    "name", ["昇", "玥", "婳", "喆", "堃", "镕", "䶮", "㛃", "𬭼", "𫍯", "𠅤", "阿依古丽·买买提"]
)
def test_names_beyond_gb_2312_print_and_can_be_read_back(pdf: TypstPdf, name: str) -> None:
    assert pdf.missing_glyphs(report(patient_name=name)) == []


@pytest.mark.parametrize("sign", "µμ²³≥≤±→↑↓①⑳℃‰Ωαβγδ·—–…“”≈×÷√∞•▲△●○■□ⅠⅡⅢⅣΔΣ°′″½¼≠♂♀※№㎝")
def test_signs_of_the_trade_print(pdf: TypstPdf, sign: str) -> None:
    assert pdf.missing_glyphs(report(findings=sign)) == []


def test_a_missing_glyph_is_found_before_anyone_signs(pdf: TypstPdf) -> None:
    document = report(patient_name="张𠮷", findings="好😀\n𠮷\x07", reporting_doctor="𪚥医师")
    assert pdf.missing_glyphs(document) == ["𠮷", "😀", "\x07", "𪚥"]
    with pytest.raises(InvalidInput) as refused:
        pdf.render(document)
    assert refused.value.code == "error.report_unprintable"
    assert refused.value.params == {"characters": "𠮷 (U+20BB7) 😀 (U+1F600) U+0007 𪚥 (U+2A6A5)"}
    for language in languages:
        assert "U+20BB7" in catalogue(language)[refused.value.code].format(**refused.value.params)


@pytest.mark.parametrize(
    "field", ["patient_name", "impression", "ai_note", "consortium_name", "verification_code"]
)
def test_every_printed_field_is_looked_at(pdf: TypstPdf, field: str) -> None:
    assert pdf.missing_glyphs(report(**{field: "好𠮷"})) == ["𠮷"]


def test_our_answer_is_the_typesetters_own() -> None:
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FONTS)])
    source = b"""#set text(font: "Noto Sans CJK SC")
#for c in json(bytes(sys.inputs.data)) [#c #text(weight: "bold", c)]"""

    def can_be_set(text: str) -> bool:
        data = {"data": json.dumps([text])}
        try:
            typst.compile(source, font_paths=fonts, sys_inputs=data, pdf_standards="a-2b", format="pdf")
        except typst.TypstError as error:
            assert "could not be displayed" in error.message
            return False
        return True

    covered = covered_characters(REGULAR)
    samples = [
        *"A张镕䶮𬭼𠮷😀\ue000\x07\x00\u0e01",
        "e\u0301",
        "x\u0301",
        "葛\U000e0100",
        "郎",
        "a\u200bb",
        "a\tb",
        "a\u2028b",
    ]
    answers = {sample: missing([sample], covered) == [] for sample in samples}
    assert answers == {sample: can_be_set(sample) for sample in samples}
    assert set(answers.values()) == {True, False}


def test_characters_without_a_form_are_named_by_their_code() -> None:
    assert named("\x07好") == "U+0007 好 (U+597D)"

"""Reports as PDF/A-2b by typst, with the fonts that are embedded here and no others."""

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import typst

from telemed.adapters.pdf.content import content, issued_at
from telemed.adapters.pdf.ecg_page import ecg_page
from telemed.adapters.pdf.glyphs import covered_characters, missing, named
from telemed.adapters.pdf.pictures import wrapped
from telemed.domain.document import ReportDocument
from telemed.domain.errors import InvalidInput
from telemed.imaging.waveform import Waveform

_HERE = Path(__file__).resolve().parent
_FONTS = _HERE / "fonts"


class TypstPdf:
    """Made once and shared: it holds the parsed fonts, which cost more than a page.

    They are read at their first use: a process that prints nothing never loads them.
    """

    def __init__(self) -> None:
        self._template = (_HERE / "report.typ").read_bytes()

    @cached_property
    def _fonts(self) -> typst.Fonts:
        return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(_FONTS)])

    @cached_property
    def _covered(self) -> frozenset[int]:
        # Regular alone decides: it is the larger one, and what Bold lacks falls back to it.
        return covered_characters(_FONTS / "NotoSansCJKsc-Regular.otf")

    def missing_glyphs(self, document: ReportDocument) -> list[str]:
        """The characters of a document that cannot be printed; to be asked before anyone signs it."""
        return missing(document.texts(), self._covered)

    def render(
        self, document: ReportDocument, waveform: Waveform | None = None, pictures: Sequence[bytes] = ()
    ) -> bytes:
        """The report on A4, the ECG on a landscape sheet at 25 mm/s and 10 mm/mV, JPEG pictures after it.

        Raises InvalidInput where a character has no glyph or a picture cannot be read: a box in place of a
        character of a name is never printed.
        """
        if absent := self.missing_glyphs(document):
            raise InvalidInput("error.report_unprintable", characters=named(absent))
        ecg = ecg_page(waveform, document.language) if waveform is not None else None
        data = content(document, ecg, wrapped(pictures))
        dated = issued_at(document)
        # As data, never as source: nothing a person wrote is read as markup. PDF/A stays on, because it turns
        # a missing glyph into an error where a plain PDF would show an empty box.
        return typst.compile(
            self._template,
            format="pdf",
            font_paths=self._fonts,
            ignore_system_fonts=True,
            sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
            pdf_standards="a-2b",
            timestamp=int(dated.timestamp()) if dated else None,
        )

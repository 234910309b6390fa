"""The printed report."""

from telemed.adapters.pdf.typst_pdf import TypstPdf

__all__ = ["TypstPdf"]

import pytest

from telemed.adapters.pdf import TypstPdf


@pytest.fixture(scope="session")
def pdf() -> TypstPdf:
    return TypstPdf()

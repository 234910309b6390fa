from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.receiving import Site, site


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as here:
        yield here

from __future__ import annotations

import pytest

from ai_models.ecg.delineation.reader import DelineationReader
from ai_models.engine import Engine


@pytest.fixture(scope="session")
def delineation(engine: Engine) -> DelineationReader:
    return DelineationReader(engine)

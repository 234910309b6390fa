"""Fresh SQLite databases: the tables are made once and copied."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from telemed.adapters.db.engine import make_engine
from telemed.adapters.db.upgrade import upgrade


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    engine = make_engine(f"sqlite:///{path}")
    upgrade(engine)
    # Closing the last connection writes the log back: the file alone is the database.
    engine.dispose()
    return path


@pytest.fixture
def sqlite_database(_sqlite_template: Path, tmp_path: Path) -> Callable[[], str]:
    """Makes a database with today's tables and returns its URL."""

    def make() -> str:
        path = tmp_path / "telemed.db"
        shutil.copy(_sqlite_template, path)
        return f"sqlite:///{path}"

    return make

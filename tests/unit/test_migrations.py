"""The migrations and `tables.py` say the same, and SQLite is set up to keep what it has confirmed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from telemed.adapters.db.engine import make_engine
from telemed.adapters.db.tables import metadata
from telemed.adapters.db.upgrade import current, newest, upgrade


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'empty.db'}"
    else:
        url = request.getfixturevalue("postgres_server").empty_database()
    engine = make_engine(url)
    yield engine
    engine.dispose()


def differences(engine: Engine) -> list[object]:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))


def test_an_empty_database_is_brought_to_the_tables_of_today(empty: Engine) -> None:
    assert differences(empty) != []
    upgrade(empty)
    assert differences(empty) == []
    assert current(empty) == newest()


def test_indexes_and_conditions_are_those_of_the_tables(empty: Engine) -> None:
    """What the comparison does not look at: the conditions of partial indexes decide races."""
    upgrade(empty)
    inspector = inspect(empty)
    for table in metadata.tables.values():
        found = {index["name"]: index for index in inspector.get_indexes(table.name)}
        for index in table.indexes:
            options = index.dialect_options[empty.dialect.name]
            wanted = str(options["where"]) if options["where"] is not None else None
            row = found[index.name]
            assert bool(row["unique"]) is index.unique, index.name
            condition = row.get("dialect_options", {}).get(f"{empty.dialect.name}_where")
            assert (condition is None) is (wanted is None), index.name
            if wanted is not None:
                # PostgreSQL writes it down with casts and brackets: compare the words.
                assert _words(str(condition)) == _words(wanted), index.name


def _words(condition: str) -> list[str]:
    for noise in ("(", ")", "::text", "::character varying"):
        condition = condition.replace(noise, "")
    return condition.split()


def test_upgrading_again_changes_nothing(empty: Engine) -> None:
    upgrade(empty)
    with empty.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO duty (reading_group_id, user_id, starts_at) SELECT 1, 1, '2026-01-01' WHERE 1 = 0"
            )
        )
    upgrade(empty)
    assert differences(empty) == []


def test_sqlite_is_durable_on_every_connection(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'durable.db'}")
    with engine.connect() as first, engine.connect() as second:
        for connection in (first, second):
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
            # 2 is FULL: NORMAL would lose the last commits of a power cut after they were confirmed.
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
            assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 30_000
            connection.rollback()
    engine.dispose()

"""What stood in the list before its migration stands in its views and is found by its names after it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import JSON, Boolean, DateTime, Engine, MetaData, String, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from telemed.adapters.db import tables as t
from telemed.adapters.db.engine import make_engine
from telemed.adapters.db.upgrade import current, upgrade

BEFORE = "20261122_reassignment"
NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'old.db'}"
    else:
        url = request.getfixturevalue("postgres_server").empty_database()
    made = make_engine(url)
    yield made
    made.dispose()


def plain_value(kind: TypeEngine[Any]) -> Any:
    if isinstance(kind, DateTime):
        return NOW
    if isinstance(kind, JSON | JSONB):
        return {}
    return "1" if isinstance(kind, String) else True if isinstance(kind, Boolean) else 1


def an_old_database(engine: Engine) -> None:
    upgrade(engine, BEFORE)
    tables = MetaData()
    tables.reflect(engine)

    def row(table: str, row_number: int, /, **values: Any) -> None:
        columns = tables.tables[table].c
        given: dict[str, Any] = {
            "id": row_number,
            "uid": f"{table}-{row_number}",
            "version": 1,
            "consortium_id": 1,
            **values,
        }
        known = {name: value for name, value in given.items() if name in columns}
        for column in columns:
            # Whatever else a row must have says nothing here.
            if column.name not in known and not column.nullable and column.server_default is None:
                known[column.name] = plain_value(column.type)
        connection.execute(tables.tables[table].insert().values(known))

    with engine.begin() as connection:
        row("institution", 1, kind="hospital", consortium_id=None)
        row("user_account", 1, role="reporting_doctor", institution_id=1)
        for number, (name, readings, initials) in enumerate(
            (
                ("虚构·甲", "xugoujia", "xgj"),
                ("虚构·甲", "xugoujia", "xgj"),
                ("", "", ""),
                ("单虚构", "danxugou shanxugou", "dxg sxg"),
            ),
            start=1,
        ):
            row(
                "patient", number, institution_id=1, patient_id=f"P{number}", name=name,
                name_pinyin=readings, name_initials=initials,
            )  # fmt: skip
            row("exam_order", number, institution_id=1, accession_number=f"A{number}", patient_id=number)
            row("requested_procedure", number, order_id=number, institution_id=1)
            row(
                "study", number, institution_id=1, study_instance_uid=f"2.25.{number}", patient_id=number,
                state="complete",
            )  # fmt: skip
            row(
                "reading_case", number, institution_id=1, reporting_institution_id=1, study_id=number,
                procedure_id=number, patient_id=number, state="waiting", ai_state="done",
            )  # fmt: skip
        row("critical_rule", 1, code="x", tier="critical")
        for number, (tier, closed) in enumerate(
            (("warning", None), ("critical", None), ("critical", NOW)), 1
        ):
            row(
                "critical_value", number, case_id=1 if number < 3 else 2, institution_id=1, rule_id=1,
                code=f"c{number}", tier=tier, raised_by=1, state="released", closed_at=closed,
            )  # fmt: skip
        findings = [{"name": name, "flag": name != "CD"} for name in ("MI", "CD", "STTC")]
        for number, answer in enumerate(({"findings": findings}, {}), 1):
            row(
                "analysis", number, case_id=number, study_id=number, institution_id=1, result_key=f"{number}",
                answer=answer, sop_instance_uid="", generation=1,
            )  # fmt: skip
        row(
            "report",
            1,
            case_id=4,
            institution_id=1,
            number=1,
            author_id=1,
            state="draft",
            review_comment="虚构",
        )
        row("report", 2, case_id=1, institution_id=1, number=1, author_id=1, state="draft", review_comment="")


def test_names_open_critical_values_and_returned_reports_are_taken_over(engine: Engine) -> None:
    an_old_database(engine)
    upgrade(engine)
    with engine.connect() as connection:
        cases = connection.execute(
            text("SELECT name_id, critical_tier, returned_at IS NOT NULL FROM reading_case ORDER BY id")
        ).all()
        keys = set(
            connection.execute(
                text(
                    "SELECT n.name, k.key FROM person_name_key AS k JOIN person_name AS n ON n.id = k.name_id"
                )
            )
        )
    names = [case[0] for case in cases]
    assert names[0] == names[1] is not None
    assert names[2] is None
    assert names[3] not in (None, names[0])
    assert [case[1] for case in cases] == ["critical", None, None, None]
    assert [bool(case[2]) for case in cases] == [False, False, False, True]
    assert ("虚构甲", "xugoujia") in keys
    assert {key for name, key in keys if name == "单虚构"} == {
        "单虚构",
        "danxugou",
        "shanxugou",
        "dxg",
        "sxg",
    }


def test_what_the_answers_raised_stands_beside_them(engine: Engine) -> None:
    an_old_database(engine)
    upgrade(engine)
    with Session(engine) as session:
        flags = session.scalars(select(t.analysis.c.flags).order_by(t.analysis.c.id)).all()
    assert flags == [["MI", "STTC"], []]


def test_a_new_name_is_entered_after_those_taken_over(engine: Engine) -> None:
    an_old_database(engine)
    upgrade(engine)
    with engine.begin() as connection:
        added = connection.execute(
            text("INSERT INTO person_name (name) VALUES ('新') RETURNING id")
        ).scalar_one()
        assert added == connection.execute(text("SELECT max(id) FROM person_name")).scalar_one()


def test_a_row_that_would_point_to_nothing_stops_the_upgrade(tmp_path: Path) -> None:
    """While tables are made anew SQLite itself does not look; the upgrade does, before it commits."""
    made = make_engine(f"sqlite:///{tmp_path / 'old.db'}")
    an_old_database(made)
    with closing(sqlite3.connect(tmp_path / "old.db")) as unchecked, unchecked:
        unchecked.execute("DELETE FROM patient WHERE id = 3")
    with pytest.raises(RuntimeError, match="reading_case -> patient"):
        upgrade(made)
    assert current(made) == BEFORE
    with made.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    made.dispose()

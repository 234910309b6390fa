"""An archive of any size in the real tables with the real indexes, written by set operations inside the database.

Rows first, indexes after: constraints and indexes are taken off, the rows written, and the very same ones put
back. All people are made up by counting: family name and given name from lists, numbers from the row number.

Skewed as archives are: one hospital reads seven tenths; one per cent of the cases are of people called `COMMON`
(100,000 of 10 million), a single case is of `RARE`; a thousandth of all cases (at least 90, a page
of them) is open and late, about 2,000 more are open.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, text

from telemed.adapters.db import tables as t
from telemed.adapters.identity.here import PinyinReadings
from telemed.domain.name_keys import name_keys, search_text

COMMON, RARE = "虚伟", "虚𬭼"
_FAMILY = "虚拟示例假设构想编造某甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥单曾仇解查"
_GIVEN = "安邦晨达恩芳刚浩佳康兰明宁平青荣善天文祥雅泽知远春夏秋冬梅竹松柏山川海洋"
_SITES = 40
READERS = 200
_BASE_OPEN = 2_000
BIG_PERSONS = ("resident", "patient", "reading_case")
BIG_WORKS = ("exam_order", "requested_procedure", "study", "analysis")
BIG = (*BIG_PERSONS, *BIG_WORKS)

# What a model answers of an ECG, in the size it has.
_ANSWER = json.dumps(
    {
        "model": {"name": "fictional", "version": "1.0", "sha256": "ab" * 32, "precision": "fp32"},
        "in_domain": True,
        "reason": None,
        "findings": [
            {"name": name, "probability": 0.5, "threshold": 0.4, "flag": flag, "code": {"system": "x", "code": name}}
            for name, flag in (("NORM", False), ("MI", True), ("STTC", True), ("CD", False), ("HYP", False))
        ],
        "measurements": {"heart_rate_bpm": 71, "pr_ms": 160, "qrs_ms": 92, "qt_ms": 400, "qtc_ms": 424},
        "statements": [{"code": "x", "text": {"zh": "窦性心律", "en": "Sinus rhythm"}}],
    },
    ensure_ascii=False,
)  # fmt: skip


@dataclass(frozen=True)
class Shape:
    cases: int

    @property
    def late(self) -> int:
        return max(self.cases // 1000, 90)

    @property
    def open(self) -> int:
        return min(self.late + _BASE_OPEN, self.cases)

    def every(self, usual: int) -> int:
        """One in so many of the open ones; of a small archive more, so that its pages are as full."""
        return min(usual, self.open // 60)

    @property
    def patients(self) -> int:
        return max(self.cases // 4, 100)


def fill(engine: Engine, shape: Shape) -> None:
    """Into an upgraded, empty database."""
    now = datetime.now(UTC).replace(microsecond=0)
    dialect = engine.dialect.name
    if dialect == "sqlite":
        _sqlite(engine, shape, now)
        return
    words = _Words(dialect, now)
    with engine.begin() as connection:
        again = _take_off(connection)
        _small_tables(connection, shape)
    # Two at a time: as many as this machine has cores, and the tables do not wait for each other.
    persons, works = _statements(words, shape)
    # Emptied in the same transaction, a table is written without a log of it.
    _side_by_side(engine, [[f"TRUNCATE {', '.join(names)}", *line] for names, line in (
        (BIG_PERSONS, persons), (BIG_WORKS, works),
    )])  # fmt: skip
    by_table: dict[str, list[str]] = {}
    for table, statement in again.keys:
        by_table.setdefault(table, []).append(statement)
    _side_by_side(engine, sorted(by_table.values(), key=len, reverse=True))
    with engine.begin() as connection:
        for statement in (*again.references, "DROP TABLE bench_name"):
            connection.exec_driver_sql(statement)
    vacuum = [[f"VACUUM (ANALYZE) {table}"] for table in (*BIG, "person_name", "person_name_key")]
    _side_by_side(engine, vacuum, commit_each=True)
    with engine.begin() as connection:
        for table in (*BIG, "institution", "user_account", "person_name", "reading_group"):
            connection.exec_driver_sql(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
            )


def _side_by_side(engine: Engine, lines: Sequence[Sequence[str]], *, commit_each: bool = False) -> None:
    def run(statements: Sequence[str]) -> None:
        with engine.connect() as connection:
            if commit_each:
                connection = connection.execution_options(isolation_level="AUTOCOMMIT")
            for statement in statements:
                connection.execute(text(statement))
            if not commit_each:
                connection.commit()

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(run, statements) for statements in lines]:
            done.result()


def _sqlite(engine: Engine, shape: Shape, now: datetime) -> None:
    with engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.execute("PRAGMA foreign_keys=OFF")
        raw.execute("PRAGMA synchronous=OFF")
        raw.execute("PRAGMA cache_size=-400000")
    with engine.begin() as connection:
        indexes = connection.exec_driver_sql(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ("
            + ", ".join(f"'{name}'" for name in BIG)
            + ")"
        ).all()
        for name, _ in indexes:
            connection.exec_driver_sql(f'DROP INDEX "{name}"')
        _small_tables(connection, shape)
        for statements in _statements(_Words("sqlite", now), shape):
            for statement in statements:
                connection.execute(text(statement))
        connection.exec_driver_sql("DROP TABLE bench_name")
        for _, statement in indexes:
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql("ANALYZE")
    engine.dispose()


@dataclass(frozen=True)
class _Again:
    """What makes them again: (table, statement) of keys and indexes, and the references after all of these."""

    keys: list[tuple[str, str]]
    references: list[str]


def _take_off(connection: Connection) -> _Again:
    """Drops constraints and indexes of the big tables."""
    names = ", ".join(f"'{name}'::regclass" for name in BIG)
    constraints = connection.exec_driver_sql(
        "SELECT conrelid::regclass::text, conname, contype, pg_get_constraintdef(oid) FROM pg_constraint"
        f" WHERE (conrelid IN ({names}) OR confrelid IN ({names})) AND contype IN ('f', 'p', 'u')"
        " ORDER BY position(contype::text IN 'fup')"
    ).all()
    again: dict[str, list[tuple[str, str]]] = {"p": [], "u": [], "f": []}
    for table, name, kind, definition in constraints:
        connection.exec_driver_sql(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
        # References hold for every new row; the rows made here keep them by construction.
        suffix = " NOT VALID" if kind == "f" else ""
        again[kind].append((table, f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}{suffix}'))
    indexes = connection.exec_driver_sql(
        "SELECT indexrelid::regclass::text, indrelid::regclass::text, pg_get_indexdef(indexrelid)"
        f" FROM pg_index WHERE indrelid IN ({names})"
    ).all()
    for name, _, _ in indexes:
        connection.exec_driver_sql(f"DROP INDEX {name}")
    keys = [*again["p"], *again["u"], *((table, definition) for _, table, definition in indexes)]
    return _Again(keys, [statement for _, statement in again["f"]])


class _Words:
    """What the two engines call differently."""

    def __init__(self, dialect: str, now: datetime) -> None:
        self._sqlite = dialect == "sqlite"
        self._epoch = int(now.timestamp())

    def series(self, count: int) -> str:
        if self._sqlite:
            return (
                "(WITH RECURSIVE numbers(i) AS"
                f" (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < {count}) SELECT i FROM numbers)"
            )
        return f"(SELECT i FROM generate_series(1::bigint, {count}) AS i)"

    def uid(self, kind: str, number: str = "i") -> str:
        return f"'{kind}0000000-0000-4000-8000-' || {self.padded(number)}"

    def padded(self, number: str) -> str:
        return f"printf('%012d', {number})" if self._sqlite else f"lpad(({number})::text, 12, '0')"

    def at(self, seconds: str) -> str:
        """So many seconds after now."""
        if self._sqlite:
            return f"strftime('%Y-%m-%d %H:%M:%S.000000', {self._epoch} + ({seconds}), 'unixepoch')"
        return f"to_timestamp({self._epoch} + ({seconds}))"

    @property
    def true(self) -> str:
        return "1" if self._sqlite else "true"


def _statements(w: _Words, shape: Shape) -> tuple[list[str], list[str]]:
    """Two lines of statements that do not wait for each other."""
    named = len(_names(shape))
    residents = shape.patients // 4
    first_open = shape.cases - shape.open
    # Everybody is examined about four times; the last of the patients once.
    patient = f"CASE WHEN i = {shape.cases // 2} THEN {shape.patients + 1} ELSE 1 + (i * 7919) % {shape.patients} END"
    site = f"10 + i % {_SITES}"
    left = f"(i - {first_open})"
    is_open = f"i > {first_open}"
    arrived = f"CASE WHEN {is_open} THEN -7200 ELSE (i - {first_open}) * 3 - 86400 END"
    # The first of the open ones are late, the others will not be while this is measured.
    deadline = (
        f"CASE WHEN NOT ({is_open}) THEN (i - {first_open}) * 3 - 84600"
        f" WHEN {left} <= {shape.late} THEN {left} - {shape.late} - 60 ELSE 86400 + {left} % 3600 END"
    )
    state = (
        f"CASE WHEN NOT ({is_open}) THEN CASE WHEN i % 9 = 0 THEN 'repeat_requested' ELSE 'final' END"
        " WHEN i % 5 = 1 THEN 'awaiting_review' WHEN i % 20 = 0 THEN 'reading' ELSE 'waiting' END"
    )
    modality = "CASE WHEN i % 10 < 7 THEN 'ECG' WHEN i % 10 < 9 THEN 'DX' ELSE 'CT' END"
    number, cases = w.padded("i"), f"{w.series(shape.cases)} AS n"

    def name_of(person: str) -> str:
        # The common name is the first, the rare one the second; the others take turns.
        return (
            f"CASE WHEN {person} = {shape.patients + 1} THEN 2 WHEN {person} % 100 = 0 THEN 1"
            f" ELSE 3 + ({person} * 31) % {named - 2} END"
        )

    def insert(table: str, source: str, /, **columns: str) -> str:
        return (
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(columns.values())} FROM {source}"
        )

    place = {"institution_id": site, "consortium_id": "1"}
    persons = [
        insert(
            "resident", f"{w.series(residents)} AS n",
            id="i", uid=w.uid("1"), consortium_id="1", name="''", sex="'F'", id_card_keyed_hash=number,
            id_card_last4=f"substr({number}, 9, 4)", version="1",
        ),
        insert(
            "patient",
            f"{w.series(shape.patients + 1)} AS n JOIN bench_name AS b ON b.id = {name_of('i')}",
            id="i", uid=w.uid("2"), **place, patient_id=f"'P' || {number}", name="b.name", name_pinyin="b.pinyin",
            name_initials="b.initials", sex="'F'", birth_date="'1960-01-01'",
            resident_id=f"CASE WHEN i <= {2 * residents} THEN (i + 1) / 2 END", version="1",
        ),
        insert(
            "reading_case", f"(SELECT i, {patient} AS p FROM {w.series(shape.cases)} AS s) AS n",
            id="i", uid=w.uid("6"), **place,
            reporting_institution_id="CASE WHEN i % 10 < 7 THEN 2 WHEN i % 10 < 9 THEN 3 ELSE 4 END",
            study_id="i", procedure_id="i", patient_id="p", modality=modality, priority="2",
            effective_priority="CASE WHEN i % 50 = 3 THEN 0 WHEN i % 10 = 5 THEN 1 ELSE 2 END",
            deadline=w.at(deadline), arrived_at=w.at(arrived), raised_because="''", state=state, ai_state="'done'",
            generation="1", claimed_by=f"CASE WHEN {is_open} AND i % 20 = 0 THEN 1 + (i / 20) % {READERS} END",
            lease_until=f"CASE WHEN {is_open} AND i % 20 = 0 THEN {w.at('86400')} END", repeat_reason="''",
            returned_at=f"CASE WHEN {is_open} AND {left} % {shape.every(100)} = 4 THEN {w.at('-600')} END",
            critical_tier=f"CASE WHEN {is_open} AND {left} % {shape.every(200)} = 6 THEN 'critical'"
            " WHEN i % 10000 = 6 THEN 'warning' END",
            name_id=name_of("p"), version="1",
        ),
    ]  # fmt: skip
    works = [
        insert(
            "exam_order", cases,
            id="i", uid=w.uid("3"), **place, accession_number=f"'A' || {number}", patient_id=patient,
            source="'api'", priority="2", clinical_history="'胸痛 2 小时,既往高血压 10 年'",
            created_at=w.at(arrived), version="1",
        ),
        insert(
            "requested_procedure", cases,
            id="i", uid=w.uid("4"), order_id="i", **place, modality=modality, description="'十二导联心电图'",
            body_part="''", version="1",
        ),
        insert(
            "study", cases,
            id="i", uid=w.uid("5"), **place, study_instance_uid=f"'2.25.' || {number}", patient_id=patient,
            modality=modality, accession_number=f"'A' || {number}", description="'十二导联心电图'",
            study_date="'20261122'", state="'complete'", generation="1", object_count="1",
            first_object_at=w.at(arrived), last_object_at=w.at(arrived), whole_at=w.at(arrived),
            procedure_id="i", version="1",
        ),
        insert(
            "analysis", f"{cases} WHERE {is_open}",
            uid=w.uid("7"), case_id="i", study_id="i", institution_id="10", consortium_id="1", result_key=number,
            model_name="'fictional'", model_version="'1.0'", model_sha256="''",
            in_domain=w.true, reason="''", created_at=w.at("0"), answer=f"'{_ANSWER}'", flags="'[\"MI\", \"STTC\"]'",
            sop_instance_uid="''", generation="1",
        ),
    ]  # fmt: skip
    return persons, works


def _names(shape: Shape) -> list[str]:
    others = [f + g for f in _FAMILY for g in _GIVEN]
    if shape.cases >= 1_000_000:
        others += [f + g + h for f in _FAMILY for g in _GIVEN for h in _GIVEN[:3]]
    return [COMMON, RARE, *(name for name in dict.fromkeys(others) if name not in (COMMON, RARE))]


def _small_tables(connection: Connection, shape: Shape) -> None:
    readings = PinyinReadings()
    connection.exec_driver_sql(
        "CREATE TABLE bench_name (id integer PRIMARY KEY, name varchar, pinyin varchar, initials varchar)"
    )
    names, keys, found = [], [], []
    for number, name in enumerate(_names(shape), start=1):
        pinyin, initials = readings.pinyin(name), readings.initials(name)
        found.append({"i": number, "name": name, "pinyin": pinyin, "initials": initials})
        names.append({"id": number, "name": search_text(name)})
        keys += [{"key": key, "name_id": number} for key in name_keys(name, pinyin, initials)]
    connection.execute(text("INSERT INTO bench_name VALUES (:i, :name, :pinyin, :initials)"), found)
    connection.execute(t.person_name.insert(), names)
    connection.execute(t.person_name_key.insert(), keys)
    connection.execute(t.institution.insert(), [_place(n) for n in range(1, 10 + _SITES)])
    people = [_reader(number) for number in range(1, READERS + 1)]
    connection.execute(t.user_account.insert(), people)
    connection.execute(t.reading_group.insert(), [
        {"id": n, "uid": f"g{n}", "institution_id": n, "consortium_id": 1, "code": f"g{n}", "name": "示例"}
        for n in (2, 3, 4)
    ])  # fmt: skip


def _place(number: int) -> dict[str, Any]:
    kind = "consortium" if number == 1 else "hospital" if number < 10 else "township"
    return {
        "id": number, "uid": f"place-{number}", "kind": kind, "code": f"place-{number}", "name": f"示例机构 {number}",
        "name_en": "", "parent_id": None if number == 1 else 1, "consortium_id": None if number == 1 else 1,
        "time_zone": "Asia/Shanghai", "quiet_seconds": 30, "second_signature": True, "signing_minutes": 15,
        "version": 1,
    }  # fmt: skip


def _reader(number: int) -> dict[str, Any]:
    return {
        "id": number, "uid": f"reader-{number}", "username": f"reader-{number}", "display_name": f"示例医师 {number}",
        "role": "reporting_doctor", "institution_id": 2, "consortium_id": 1, "password_hash": "",
        "license_number": "FICTION", "language": "zh-CN", "active": True, "failed_sign_ins": 0, "version": 1,
    }  # fmt: skip

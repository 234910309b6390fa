"""An archive of any size in the real tables with the real indexes, written by set operations inside the database.

Rows first, indexes after: constraints and indexes are taken off, the rows written, and the very same ones put
back. All people are made up by counting: family name and given name from lists, numbers from the row number.

Skewed as archives are: one hospital reads seven tenths; one per cent of the cases are of people called `COMMON`
(100,000 of 10 million), one case is of `RARE`; a thousandth of all cases is open and late; about 2,000 more are open.
"""

from __future__ import annotations

import json
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
BIG = ("patient", "resident", "exam_order", "requested_procedure", "study", "reading_case", "analysis")

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
        return self.cases // 1000

    @property
    def open(self) -> int:
        return min(self.late + _BASE_OPEN, self.cases)

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
    with engine.begin() as connection:
        put_back = _take_off(connection)
        _rows(connection, _Words(dialect, now), shape)
        for statement in put_back:
            connection.exec_driver_sql(statement)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM (ANALYZE)")
        for table in (*BIG, "institution", "user_account", "person_name", "reading_group"):
            connection.exec_driver_sql(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
            )


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
        _rows(connection, _Words("sqlite", now), shape)
        for _, statement in indexes:
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql("ANALYZE")
    engine.dispose()


def _take_off(connection: Connection) -> list[str]:
    """Drops constraints and indexes of the big tables; the statements that make them again, keys first."""
    names = ", ".join(f"'{name}'::regclass" for name in BIG)
    constraints = connection.exec_driver_sql(
        "SELECT conrelid::regclass::text, conname, contype, pg_get_constraintdef(oid) FROM pg_constraint"
        f" WHERE (conrelid IN ({names}) OR confrelid IN ({names})) AND contype IN ('f', 'p', 'u')"
        " ORDER BY position(contype::text IN 'fup')"
    ).all()
    again: dict[str, list[str]] = {"p": [], "u": [], "f": []}
    for table, name, kind, definition in constraints:
        connection.exec_driver_sql(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
        # References hold for every new row; the rows made here keep them by construction.
        suffix = " NOT VALID" if kind == "f" else ""
        again[kind].append(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}{suffix}')
    indexes = connection.exec_driver_sql(
        f"SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid IN ({names})"
    ).all()
    for name, _ in indexes:
        connection.exec_driver_sql(f"DROP INDEX {name}")
    return [*again["p"], *again["u"], *(definition for _, definition in indexes), *again["f"]]


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
    def false(self) -> str:
        return "0" if self._sqlite else "false"

    def json(self) -> str:
        return ":answer" if self._sqlite else "CAST(:answer AS jsonb)"


def _rows(connection: Connection, w: _Words, shape: Shape) -> None:
    _small_tables(connection)
    run = connection.execute
    named = len(_names())
    # The common name is the first, the rare one the second; the others take turns.
    name_of = f"CASE WHEN i % 100 = 0 THEN 1 WHEN i = 7 THEN 2 ELSE 3 + (i * 31) % {named - 2} END"
    residents = shape.patients // 4
    first_open = shape.cases - shape.open
    patient = f"(1 + (i * 7919) % {shape.patients})"
    site = f"(10 + i % {_SITES})"
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
    run(
        text(
            "INSERT INTO resident (id, uid, consortium_id, name, sex, id_card_keyed_hash, id_card_last4, version)"
            f" SELECT i, {w.uid('1')}, 1, '', 'F', {w.padded('i')}, substr({w.padded('i')}, 9, 4), 1"
            f" FROM {w.series(residents)} AS n"
        )
    )
    run(
        text(
            "INSERT INTO patient (id, uid, institution_id, consortium_id, patient_id, name, name_pinyin,"
            " name_initials, sex, birth_date, resident_id, version)"
            f" SELECT i, {w.uid('2')}, 10 + i % {_SITES}, 1, 'P' || {w.padded('i')}, b.name, b.pinyin,"
            f" b.initials, 'F', '1960-01-01', CASE WHEN i <= {2 * residents} THEN (i + 1) / 2 END, 1"
            f" FROM {w.series(shape.patients)} AS n JOIN bench_name AS b ON b.id = {name_of}"
        )
    )
    run(
        text(
            "INSERT INTO exam_order (id, uid, institution_id, consortium_id, accession_number, patient_id, source,"
            f" priority, clinical_history, created_at, version) SELECT i, {w.uid('3')}, {site}, 1,"
            f" 'A' || {w.padded('i')}, {patient}, 'api', 2, '胸痛 2 小时,既往高血压 10 年', {w.at(arrived)}, 1"
            f" FROM {w.series(shape.cases)} AS n"
        )
    )
    run(
        text(
            "INSERT INTO requested_procedure (id, uid, order_id, institution_id, consortium_id, modality,"
            f" description, body_part, version) SELECT i, {w.uid('4')}, i, {site}, 1, {modality},"
            " '十二导联心电图', '', 1"
            f" FROM {w.series(shape.cases)} AS n"
        )
    )
    run(
        text(
            "INSERT INTO study (id, uid, institution_id, consortium_id, study_instance_uid, patient_id, modality,"
            " accession_number, description, study_date, state, generation, object_count, first_object_at,"
            f" last_object_at, whole_at, procedure_id, version) SELECT i, {w.uid('5')}, {site}, 1,"
            f" '2.25.' || {w.padded('i')}, {patient}, {modality}, 'A' || {w.padded('i')}, '十二导联心电图',"
            f" '20261122', 'complete', 1, 1, {w.at(arrived)}, {w.at(arrived)}, {w.at(arrived)}, i, 1"
            f" FROM {w.series(shape.cases)} AS n"
        )
    )
    run(
        text(
            "INSERT INTO reading_case (id, uid, institution_id, consortium_id, reporting_institution_id, study_id,"
            " procedure_id, patient_id, modality, priority, effective_priority, deadline, arrived_at, raised_because,"
            " state, ai_state, generation, claimed_by, lease_until, repeat_reason, returned_at, critical_tier,"
            f" name_id, version) SELECT i, {w.uid('6')}, {site}, 1,"
            " CASE WHEN i % 10 < 7 THEN 2 WHEN i % 10 < 9 THEN 3 ELSE 4 END,"
            f" i, i, {patient}, {modality}, 2, CASE WHEN i % 50 = 3 THEN 0 WHEN i % 10 = 5 THEN 1 ELSE 2 END,"
            f" {w.at(deadline)}, {w.at(arrived)}, '', {state}, 'done', 1,"
            f" CASE WHEN {is_open} AND i % 20 = 0 THEN 1 + (i / 20) % {READERS} END,"
            f" CASE WHEN {is_open} AND i % 20 = 0 THEN {w.at('86400')} END, '',"
            f" CASE WHEN {is_open} AND i % 100 = 4 THEN {w.at('-600')} END,"
            f" CASE WHEN {is_open} AND i % 200 = 6 THEN 'critical' WHEN i % 10000 = 6 THEN 'warning' END,"
            f" b.name_id, 1 FROM (SELECT i, {patient} AS p FROM {w.series(shape.cases)} AS s) AS n"
            " JOIN patient ON patient.id = n.p JOIN bench_name AS b ON b.name = patient.name"
        )
    )
    run(text(
        "INSERT INTO analysis (uid, case_id, study_id, institution_id, consortium_id, result_key, model_name,"
        " model_version, model_sha256, in_domain, reason, created_at, answer, sop_instance_uid, generation)"
        f" SELECT {w.uid('7')}, i, i, 10, 1, {w.padded('i')}, 'fictional', '1.0', '',"
        f" NOT CAST({w.false} AS boolean), '', {w.at('0')}, {w.json()}, '', 1"
        f" FROM {w.series(shape.cases)} AS n WHERE {is_open}"
    ), {"answer": _ANSWER})  # fmt: skip


def _names() -> list[str]:
    others = [f + g for f in _FAMILY for g in _GIVEN]
    others += [f + g + h for f in _FAMILY for g in _GIVEN for h in _GIVEN[:12]]
    return [COMMON, RARE, *(name for name in dict.fromkeys(others) if name not in (COMMON, RARE))]


def _small_tables(connection: Connection) -> None:
    readings = PinyinReadings()
    connection.exec_driver_sql(
        "CREATE TEMPORARY TABLE bench_name"
        " (id integer PRIMARY KEY, name varchar, pinyin varchar, initials varchar, name_id integer)"
    )
    names, keys, found = [], [], []
    for number, name in enumerate(_names(), start=1):
        pinyin, initials = readings.pinyin(name), readings.initials(name)
        found.append({"i": number, "name": name, "pinyin": pinyin, "initials": initials})
        names.append({"id": number, "name": search_text(name)})
        keys += [{"key": key, "name_id": number} for key in name_keys(name, pinyin, initials)]
    connection.execute(text("INSERT INTO bench_name VALUES (:i, :name, :pinyin, :initials, :i)"), found)
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

"""`find_exact`, `find_300`: C-FIND at 100,000 studies, from request to last answer, on an open association."""

from __future__ import annotations

import os
import socket
import statistics
import struct
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime

from pydicom import Dataset

from bench.dicom_rows import servers
from bench.dicom_rows.servers import CALLING, Server
from bench.dicom_rows.study_archive import (
    SOP_CLASS,
    archive,
    day_of,
    implicit,
    name_of,
    object_uid,
    series_uid,
    study_uid,
)
from bench.result import Row, under_limit
from bench.rounds import skipped
from telemed.adapters.db import tables as t
from telemed.adapters.db.engine import make_engine
from telemed.dimse import command as c
from telemed.dimse import pdu as p

STUDIES = 100_000
# row -> (limit in milliseconds, keys)
ROWS = {
    "find_exact": (5.0, {"StudyInstanceUID": "2.25.10005000"}),
    "find_300": (60.0, {"StudyDate": "20260301"}),
}
_STUDY_ROOT_FIND, _IMPLICIT = "1.2.840.10008.5.1.4.1.2.2.1", "1.2.840.10008.1.2"
_ASKED = ("PatientName", "PatientID", "StudyInstanceUID", "StudyDate", "StudyTime", "AccessionNumber")
_PENDING = (0xFF00, 0xFF01)
_C_FIND_RQ = 0x0020


def row(what: str, quick: bool) -> Row:
    limit, keys = ROWS[what]
    studies = STUDIES // 10 if quick else STUDIES
    times, rounds = (12, 1) if quick else (20, 3)
    theirs: list[float] = []
    try:
        with ExitStack() as stack:
            ours = stack.enter_context(servers.node())
            _fill(ours, studies)
            other, why_not = _beside(stack, studies, even_if_not_kept=not quick)
            spent, answers, found, shares = [], 0, 0, []
            for _ in range(rounds):
                busy, started = time.process_time(), time.perf_counter()
                some, answers = _ask(ours, keys, times)
                shares.append((time.process_time() - busy) / (time.perf_counter() - started))
                spent += some
                if other is not None:
                    some, found = _ask(other, keys, times)
                    theirs += some
    except servers.NoPeer as reason:
        return skipped(what, f"<= {limit} ms", str(reason))
    measured = under_limit(
        what,
        spent,
        "ms",
        limit,
        of="p50",
        note=f"{answers} answers, {studies} studies of as many people, SQLite, fastest {min(spent):.1f} ms, load"
        f" {os.getloadavg()[0]:.1f}, the asker at {max(shares):.2f} of its core; ratio to the limit; Orthanc: "
        + (f"{found} answers, fastest {min(theirs):.1f} ms" if theirs else f"not measured, {why_not}"),
    )
    if max(shares) > servers.BOUND:
        measured = replace(measured, met=False, note=f"CLIENT-BOUND; {measured.note}")
    if not theirs:
        return measured
    peer_value = round(statistics.median(theirs), 3)
    return replace(measured, peer=servers.orthanc_version(), peer_value=peer_value)


def _beside(stack: ExitStack, studies: int, *, even_if_not_kept: bool) -> tuple[Server | None, str]:
    """Orthanc with the same studies, or why there is none."""
    try:
        kept = archive(studies, even_if_not_kept=even_if_not_kept)
        if kept is None:
            return None, "its archive is filled in a whole run, or where TELEMED_BENCH_ARCHIVES keeps it"
        return stack.enter_context(servers.orthanc(kept=kept)), ""
    except servers.NoPeer as reason:
        return None, str(reason)


def _ask(server: Server, keys: dict[str, str], times: int) -> tuple[list[float], int]:
    request = c.command_set(
        {
            c.SOP_CLASS: _STUDY_ROOT_FIND,
            c.FIELD: _C_FIND_RQ,
            c.MESSAGE_ID: 1,
            c.PRIORITY: c.MEDIUM_PRIORITY,
            c.DATA_SET_TYPE: c.WITH_DATA_SET,
        }
    )
    asked = b"".join(
        (
            *p.data_pdus(1, request, command=True, largest=p.LARGEST_PDU),
            *p.data_pdus(1, _identifier(keys), command=False, largest=p.LARGEST_PDU),
        )
    )
    spent, answers = [], 0
    with _line(server) as line:
        for turn in range(times + 3):
            started = time.perf_counter()
            line.sendall(asked)
            answers = sum(1 for status in _statuses(line) if status in _PENDING)
            if turn >= 3:
                spent.append(1e3 * (time.perf_counter() - started))
    return spent, answers


def _statuses(line: socket.socket) -> Iterator[int]:
    status = _PENDING[0]
    while status in _PENDING:
        kind, _, length = struct.unpack(">BBL", _exactly(line, 6))
        body = _exactly(line, length)
        if kind != p.P_DATA:
            raise RuntimeError(f"the association ended with PDU {kind}")
        for fragment in p.fragments(body):
            if fragment.command and fragment.last:
                status = c.number_of(c.read_command_set(fragment.data).get(c.STATUS)) or 0
                yield status


def _exactly(line: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        piece = line.recv(count - len(data))
        if not piece:
            raise RuntimeError("the line ended")
        data += piece
    return bytes(data)


@contextmanager
def _line(server: Server) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.sendall(
            p.associate_request(
                calling=CALLING,
                called=server.called,
                contexts={1: p.Context(_STUDY_ROOT_FIND, (_IMPLICIT,))},
                largest_pdu=p.LARGEST_PDU,
                implementation_uid="2.25.1",
                implementation_name="BENCH",
            )
        )
        kind, _, length = struct.unpack(">BBL", _exactly(line, 6))
        _exactly(line, length)
        if kind != p.ASSOCIATE_AC:
            raise RuntimeError("the association was not accepted")
        yield line


def _identifier(keys: dict[str, str]) -> bytes:
    asked = Dataset()
    asked.QueryRetrieveLevel = "STUDY"
    for name in _ASKED:
        setattr(asked, name, keys.get(name, ""))
    return implicit(asked)


def _fill(server: Server, studies: int) -> None:
    """One ECG a study and a study a person."""
    assert server.settings is not None
    engine = make_engine(server.settings.database_url)
    with engine.begin() as connection:
        (device,) = connection.execute(t.device.select().where(t.device.c.ae_title == CALLING)).all()
        place = {"institution_id": device.institution_id, "consortium_id": device.consortium_id}
        for start in range(1, studies + 1, 5000):
            numbers = range(start, min(start + 5000, studies + 1))
            connection.execute(t.patient.insert(), [_patient(n, place) for n in numbers])
            connection.execute(t.study.insert(), [_study(n, place) for n in numbers])
            connection.execute(t.series.insert(), [_series(n, place) for n in numbers])
            connection.execute(t.stored_object.insert(), [_object(n, place) for n in numbers])
        connection.exec_driver_sql("ANALYZE")
    engine.dispose()


def _patient(n: int, place: dict[str, int]) -> dict[str, object]:
    return place | {
        "id": n, "uid": str(uuid.uuid4()), "patient_id": f"P{n:07d}", "name": name_of(n), "name_pinyin": "ceshi",
        "name_initials": "cs", "sex": "F", "birth_date": date(1960, 1, 1), "version": 1,
    }  # fmt: skip


def _study(n: int, place: dict[str, int]) -> dict[str, object]:
    now = datetime(2026, 11, 21, 4, tzinfo=UTC)
    return place | {
        "id": n, "uid": str(uuid.uuid4()), "study_instance_uid": study_uid(n), "patient_id": n,
        "modality": "ECG", "accession_number": f"A{n}", "description": "", "body_part": "",
        "study_date": day_of(n), "study_time": "120000", "state": "complete", "generation": 1,
        "object_count": 1, "first_object_at": now, "last_object_at": now, "version": 1,
    }  # fmt: skip


def _series(n: int, place: dict[str, int]) -> dict[str, object]:
    return place | {
        "id": n, "uid": str(uuid.uuid4()), "study_id": n, "series_instance_uid": series_uid(n),
        "modality": "ECG", "number": 1, "description": "",
    }  # fmt: skip


def _object(n: int, place: dict[str, int]) -> dict[str, object]:
    return place | {
        "id": n, "uid": str(uuid.uuid4()), "study_id": n, "series_id": n,
        "sop_class_uid": SOP_CLASS, "sop_instance_uid": object_uid(n),
        "transfer_syntax_uid": "1.2.840.10008.1.2.1", "role": "primary", "dataset_sha256": f"{n:064x}",
        "file_sha256": f"{n:064x}", "size": 1, "received_at": datetime(2026, 11, 21, 4, tzinfo=UTC),
        "frames": 1, "placed": True, "quality": "", "version": 1,
    }  # fmt: skip

"""What must be true after every drill, read from rows and bytes; each fault is one line for whoever looks for it."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from telemed.application.objects import read_object
from telemed.application.seal import verify_chain
from telemed.application.verify import verify_objects
from telemed.bootstrap import Application
from telemed.domain.errors import Unavailable
from telemed.domain.events import Kind
from telemed.imaging.header import dataset_offset

# However often a step was cut and walked again: what must be counted, and the events that must be as many.
_COUNTS = {
    # What a person let out of quarantine was received as a conflict.
    "SELECT count(*) - (SELECT count(*) FROM event WHERE kind = 'object.released')"
    " FROM stored_object WHERE role = 'primary'": (Kind.OBJECT_RECEIVED,),
    "SELECT count(*) FROM stored_object": (Kind.OBJECT_STORED,),
    "SELECT count(*) FROM stored_object WHERE role = 'derived'": (Kind.OBJECT_MADE,),
    "SELECT coalesce(sum(generation), 0) FROM study": (Kind.STUDY_COMPLETE, Kind.CASE_INFERRED),
    "SELECT count(*) FROM reading_case": (Kind.CASE_ROUTED,),
    "SELECT count(*) FROM report": (Kind.CASE_CLAIMED, Kind.REPORT_SIGNED, Kind.REPORT_FINAL),
    "SELECT count(*) FROM delivery": (Kind.REPORT_DELIVERED,),
    "SELECT count(*) FROM delivery WHERE opened_at IS NOT NULL": (Kind.DELIVERY_OPENED,),
    "SELECT count(*) FROM delivery WHERE acknowledged_at IS NOT NULL": (Kind.DELIVERY_ACKNOWLEDGED,),
}


# What models said becomes objects too: nobody sent them, and nobody is told that they are safe.
RECEIVED = "SELECT id, sop_instance_uid, role FROM stored_object WHERE role <> 'derived' ORDER BY id"


@dataclass(frozen=True)
class Promised:
    """Each acknowledged object (SOP Instance UID, SHA-256 of its data set), and who was to get a report."""

    objects: Set[tuple[str, str]]
    recipients: frozenset[str] = frozenset()


def faults(application: Application, promised: Promised) -> list[str]:
    """Empty where every promise holds."""
    return [
        *_objects(application, promised),
        *_files(application),
        *_cases(application),
        *_reports(application, promised),
        *_events(application),
        *_jobs(application),
    ]


def rows(application: Application, statement: str) -> list[Any]:
    with application.sql.connect() as connection:
        return list(connection.exec_driver_sql(statement).all())


def _objects(application: Application, promised: Promised) -> Iterator[str]:
    # By the bytes that are there: what was sent knows nothing of heads and rows.
    held = Counter(
        (row.sop_instance_uid, held_sha256(application, row.id)) for row in rows(application, RECEIVED)
    )
    for key in promised.objects:
        if held[key] != 1:
            yield f"object {key[0]} was acknowledged and is there {held[key]} times"
    for sop_instance_uid, _ in set(held) - promised.objects:
        yield f"object {sop_instance_uid} is there with bytes that nobody acknowledged"
    for checked in verify_objects(application.world):
        if checked.fault:
            yield f"object {checked.stored.sop_instance_uid}: {checked.fault}"


def held_sha256(application: Application, object_id: int) -> str:
    """Of the data set that is kept; "" where nothing can be read, of which `verify_objects` says more."""
    with application.world.unit_of_work(write=False) as uow:
        stored = uow.studies.object(object_id)
    try:
        file = read_object(application.world, stored)
    except Unavailable:
        return ""
    return hashlib.sha256(file[dataset_offset(file) :]).hexdigest()


def _files(application: Application) -> Iterator[str]:
    """Nothing half-written, nothing twice, nothing that no row knows."""
    folder = application.settings.data_dir
    yield from (f"left behind: {name}" for name in leftovers(folder))
    spool = [path for path in (folder / "spool").glob("??/*") if path.is_file()]
    yield from (f"placed, and still in the spool: {path.name}" for path in spool)
    stored = {path.stem for path in (folder / "objects").glob("??/??/*")}
    known = {row.file_sha256 for row in rows(application, "SELECT file_sha256 FROM stored_object")}
    documents = {row.pdf_sha256 for row in rows(application, "SELECT pdf_sha256 FROM report")}
    yield from (f"file without a row: {name}" for name in sorted(stored - known - documents))


def leftovers(folder: Path) -> list[str]:
    """Files that began to be written and were never finished."""
    places = (folder / "spool" / "incoming", folder / "objects" / "incoming")
    return sorted(path.name for place in places for path in place.glob("*") if path.suffix != ".lock")


def _cases(application: Application) -> Iterator[str]:
    found = rows(
        application,
        "SELECT s.study_instance_uid, s.state, s.object_count, count(c.id) AS cases,"
        " (SELECT count(*) FROM stored_object o WHERE o.study_id = s.id AND o.role = 'primary') AS objects"
        " FROM study s LEFT JOIN reading_case c ON c.study_id = s.id AND c.follows_case_id IS NULL GROUP BY s.id",
    )
    for row in found:
        if row.cases != 1:
            yield f"study {row.study_instance_uid} has {row.cases} cases"
        if row.state != "complete" or row.object_count != row.objects:
            yield f"study {row.study_instance_uid} is {row.state}, {row.object_count} of {row.objects}"
    for row in rows(
        application, "SELECT uid, ai_state FROM reading_case WHERE ai_state IN ('pending', 'failed')"
    ):
        yield f"case {row.uid}: AI is {row.ai_state}"


def _reports(application: Application, promised: Promised) -> Iterator[str]:
    if not promised.recipients:
        return
    cases = rows(
        application,
        "SELECT c.uid, count(r.id) AS final FROM reading_case c"
        " LEFT JOIN report r ON r.case_id = c.id AND r.state = 'final' GROUP BY c.id",
    )
    yield from (f"case {row.uid} has {row.final} final reports" for row in cases if row.final != 1)
    if len(rows(application, "SELECT id FROM report")) != len(cases):
        yield "there are more reports than final ones"
    with application.world.unit_of_work(write=False) as uow:
        for row in rows(application, "SELECT id FROM report"):
            report = uow.reports.get(row.id)
            if report.digest() != report.content_sha256:
                yield f"report {report.uid}: its seal is not that of its words"
            if not application.world.objects.get(report.pdf_sha256).startswith(b"%PDF"):
                yield f"report {report.uid}: no document"
            copies = uow.deliveries.of_report(report.id)
            if Counter(c.recipient_key for c in copies) != Counter(promised.recipients):
                yield f"report {report.uid} went to {sorted(c.recipient_key for c in copies)}"
            yield from (f"delivery {c.uid} is not acknowledged" for c in copies if c.acknowledged_at is None)


def _events(application: Application) -> Iterator[str]:
    kinds = Counter(row.kind for row in rows(application, "SELECT kind FROM event"))
    for statement, told_of in _COUNTS.items():
        count = rows(application, statement)[0][0]
        for kind in told_of:
            if kinds[kind.value] != count:
                yield f"{kinds[kind.value]} events {kind.value}, not {count}"
    broken = verify_chain(application.world)
    if broken is not None:
        yield f"the chain of events breaks at {broken}"
    if unsealed := rows(application, "SELECT id FROM event WHERE sequence IS NULL"):
        yield f"{len(unsealed)} events are not sealed"


def _jobs(application: Application) -> Iterator[str]:
    for row in rows(application, "SELECT kind, state, attempts, last_error FROM job WHERE state <> 'done'"):
        yield f"job {row.kind} is {row.state} after {row.attempts} attempts: {row.last_error}"

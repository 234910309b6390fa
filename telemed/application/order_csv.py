"""Orders by CSV, as an office writes it: one a line."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from telemed.application.modality_worklist import Schedule
from telemed.application.orders import OrderRequest, place_order
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand
from telemed.domain.errors import DomainError, InvalidInput
from telemed.domain.order import OrderSource, Priority

MAX_CSV_BYTES = 2_000_000


@dataclass(frozen=True)
class CsvResult:
    created: int
    existing: int
    faults: tuple[tuple[int, DomainError], ...]


def place_csv(world: World, *, actor: Actor, data: bytes) -> CsvResult:
    """One order a line; a bad line is told by its number and stops no other line."""
    demand(actor, Action.ORDER)
    created = existing = 0
    faults: list[tuple[int, DomainError]] = []
    for number, row in _rows(data):
        try:
            request = _request_of(row)
            _, new = place_order(world, actor=actor, request=request, source=OrderSource.CSV)
        except DomainError as fault:
            faults.append((number, fault))
        else:
            created, existing = created + new, existing + (not new)
    return CsvResult(created, existing, tuple(faults))


def _rows(data: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    if len(data) > MAX_CSV_BYTES:
        raise InvalidInput("error.file_too_large", field="file", limit=MAX_CSV_BYTES)
    try:
        content = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # What Excel writes on a Chinese Windows.
        try:
            content = data.decode("gb18030")
        except UnicodeDecodeError as fault:
            raise InvalidInput("error.csv_unreadable", field="file") from fault
    # Lines end as on Windows, Unix or an old Macintosh; the module itself would break off at the last.
    reader = csv.DictReader(io.StringIO(content, newline=None))
    required = {"patient_id", "name", "modality"}
    try:
        missing = required - set(reader.fieldnames or ())
    except csv.Error as fault:
        raise InvalidInput("error.csv_unreadable", field="file") from fault
    if missing:
        raise InvalidInput("error.csv_columns", field="file", columns=", ".join(sorted(missing)))
    for row in _told(reader):
        yield (
            reader.line_num,
            {key: (value or "").strip() for key, value in row.items() if isinstance(key, str)},
        )


def _told(reader: "csv.DictReader[str]") -> Iterator[dict[str, str]]:
    try:
        yield from reader
    except csv.Error as fault:
        # A field beyond every length: most often a quotation mark that is never closed.
        raise InvalidInput("error.csv_unreadable", field="file") from fault


def _birth_date(value: str) -> date | None:
    """19850209, 1985-02-09, and 1985/2/9 as a Chinese Excel writes it. Raises ValueError for all else."""
    if not value:
        return None
    found = re.fullmatch(r"([0-9]{4})([-/.]?)([0-9]{2})\2([0-9]{2})", value) or re.fullmatch(
        r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})", value
    )
    if found is None:
        raise ValueError(value)
    return date(int(found[1]), int(found[3]), int(found[4]))


def _request_of(row: dict[str, str]) -> OrderRequest:
    try:
        birth_date = _birth_date(row.get("birth_date", ""))
        priority = Priority[(row.get("priority") or "routine").upper()]
    except (ValueError, KeyError) as fault:
        field = "priority" if isinstance(fault, KeyError) else "birth_date"
        raise InvalidInput("error.field_invalid", field=field) from fault
    return OrderRequest(
        patient_id=row["patient_id"],
        name=row["name"],
        sex=row.get("sex", ""),
        birth_date=birth_date,
        modality=row["modality"].upper(),
        description=row.get("description", ""),
        body_part=row.get("body_part", ""),
        accession_number=row.get("accession_number", ""),
        id_card_number=row.get("id_card_number", ""),
        priority=priority,
        clinical_history=row.get("clinical_history", ""),
        schedule=Schedule(
            code_value=row.get("code_value", ""),
            code_scheme=row.get("code_scheme", ""),
            code_meaning=row.get("code_meaning", ""),
        ),
    )

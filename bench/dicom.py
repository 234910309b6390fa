"""The DICOM door beside Orthanc, in the same run: storing, associations, queries, and a city's burst over TLS."""

from __future__ import annotations

from collections.abc import Callable

from bench.dicom_rows import throughput
from bench.result import Row

MEASURES: dict[str, Callable[[bool], Row]] = {
    **{what: lambda quick, what=what: throughput.row(what, quick) for what in throughput.ROWS},  # type: ignore[misc]
}


def rows(*, only: str | None, quick: bool) -> list[Row]:
    return [measure(quick) for what, measure in MEASURES.items() if only in (None, what)]

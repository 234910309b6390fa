"""The DICOM door beside Orthanc, in the same run: storing, associations, queries, and a city's burst over TLS."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from bench.dicom_rows import associations, city, queries, throughput
from bench.result import Row

MEASURES: dict[str, Callable[[bool], Row]] = {
    "city_burst_tls": city.row,
    **{what: partial(throughput.row, what) for what in throughput.ROWS},
    "associations": associations.row,
    **{what: partial(queries.row, what) for what in queries.ROWS},
}


def rows(*, only: str | None, quick: bool) -> list[Row]:
    return [measure(quick) for what, measure in MEASURES.items() if only in (None, what)]

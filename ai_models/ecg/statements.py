"""Sentences for flagged findings, as data. Nothing is said for what is not flagged, least of all "normal"."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from telemed.domain.analysis import Finding, Statement


@lru_cache(maxsize=1)
def _texts() -> dict[str, dict[str, str]]:
    texts: dict[str, dict[str, str]] = json.loads(
        Path(__file__).with_name("statements.json").read_text("utf-8")
    )
    return texts


def statements_for(findings: Iterable[Finding]) -> tuple[Statement, ...]:
    """One statement for each flagged finding that has a text; NORM has none on purpose."""
    codes = (f"ecg.ai.{finding.name.lower()}" for finding in findings if finding.flag)
    return tuple(Statement(code, _texts()[code]) for code in codes if code in _texts())

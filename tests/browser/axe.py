"""axe-core, a development tool of the front end, over a page: what of WCAG 2.2 AA it holds for serious."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

import telemed

AXE = Path(telemed.__file__).parent / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
RUN = """colours => axe.run(document, {
    rules: { "color-contrast": { enabled: colours } },
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    resultTypes: ["violations"],
    preload: false,
})"""


def demand_axe() -> None:
    if not AXE.exists():
        pytest.skip("an installed package carries no development tools of the front end")


def violations(page: Page, *, colours: bool = True) -> list[str]:
    """Brought in through the debugger where it is not there yet: the pages' own policy lets no foreign script in."""
    demand_axe()
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found: dict[str, Any] = page.evaluate(RUN, colours)
    return [
        f"{one['impact']} {one['id']}: {node['html'][:160]} {node['failureSummary'][:300]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]

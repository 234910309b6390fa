"""Pictures of the pages for docs/: kept on request, so that an ordinary run leaves the tree as it was."""

import os
from pathlib import Path

from playwright.sync_api import Page

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"


def picture(page: Page, name: str, tmp_path: Path) -> None:
    folder = PICTURES if os.environ.get("TELEMED_PICTURES") else tmp_path
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{name}.png")

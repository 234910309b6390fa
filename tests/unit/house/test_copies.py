"""Copies beside the objects: had at once or not at all, within a bound, and never in anybody's way."""

from __future__ import annotations

import os
from pathlib import Path

from telemed.adapters.objects.copies import FolderCopies


def test_the_oldest_go_when_the_bound_is_reached(tmp_path: Path) -> None:
    copies = FolderCopies(tmp_path / "copies", most=1000)
    for number in range(12):
        copies.put(f"{number:02}-picture", bytes(100))
        path = tmp_path / "copies" / f"{number:02}" / f"{number:02}-picture"
        os.utime(path, (number, number))
    kept = [number for number in range(12) if copies.get(f"{number:02}-picture") is not None]
    assert kept == list(range(12 - len(kept), 12))
    assert 9 <= len(kept) <= 11


def test_what_cannot_be_kept_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "copies").write_text("no folder")
    copies = FolderCopies(tmp_path / "copies" / "beneath", most=1000)
    copies.put("ab-picture", b"bytes")
    (tmp_path / "copies").unlink()
    assert copies.get("ab-picture") is None
    copies.put("ab-picture", b"bytes")
    copies.put("ab-picture", b"other")
    assert copies.get("ab-picture") == b"other"
    assert list((tmp_path / "copies").rglob("*.part")) == []

"""`npm ci` on a clean machine installs exactly what is locked, from whichever registry that machine uses."""

import json
from pathlib import Path
from typing import Any

import pytest

import telemed

LOCK = Path(telemed.__file__).parent / "frontend" / "package-lock.json"


@pytest.fixture(scope="module")
def packages() -> dict[str, dict[str, Any]]:
    if not LOCK.exists():
        pytest.skip("an installed package carries no lock file of the front end")
    locked: dict[str, dict[str, Any]] = json.loads(LOCK.read_text(encoding="utf-8"))["packages"]
    return {name: entry for name, entry in locked.items() if name}


def test_every_package_has_its_digest_and_no_registry(packages: dict[str, dict[str, Any]]) -> None:
    assert [name for name, entry in packages.items() if not entry.get("integrity")] == []
    assert [name for name, entry in packages.items() if "resolved" in entry] == []


def test_every_optional_package_that_is_named_is_locked(packages: dict[str, dict[str, Any]]) -> None:
    """npm refuses a lock file that names a platform's package without locking it.

    Where a registry lacks one (`npm install` then writes the name alone), take the name out of the lock file.
    """
    named = {
        f"node_modules/{other}"
        for entry in packages.values()
        for other in (*entry.get("dependencies", {}), *entry.get("optionalDependencies", {}))
    }
    assert named - set(packages) == set()

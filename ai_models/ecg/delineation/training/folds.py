"""Which fifth of LUDB a record is held back in. One record is one person, so no person is in two folds."""

from __future__ import annotations

import hashlib

FOLDS = 5


def fold_of(key: str) -> int:
    """0 to 4, from the key alone: the same on every machine, whatever the order or number of records."""
    return hashlib.sha256(f"delineation:{key}".encode()).digest()[0] % FOLDS

"""How much of the memory the bodies of requests may hold together, and how a body grows with what arrives."""

from __future__ import annotations

LARGEST_TOGETHER = 256 * 1024 * 1024
"""Bytes of all bodies that are received or wait for their answer: four of the largest, or thousands of usual ones."""
FIRST = 256 * 1024
"""A body is given so much before a byte of it came: two usual recordings, which then never grow."""
STEP = 4 * 1024 * 1024


class Budget:
    """Bytes that may be held at once; used on one event loop only."""

    def __init__(self, limit: int = LARGEST_TOGETHER) -> None:
        self.limit, self.held = limit, 0

    def take(self, size: int) -> bool:
        """Are `size` bytes left? Then they are taken."""
        if self.held + size > self.limit:
            return False
        self.held += size
        return True

    def give(self, size: int) -> None:
        self.held -= size


def room(have: int, length: int) -> int:
    """Bytes to hold next for a body of `length` that fills the `have` it holds."""
    return min(length, max(FIRST, have + min(have, STEP)))

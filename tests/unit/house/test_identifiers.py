"""Identifiers of rows: unique, of a known form, and in the order in which they were given."""

import time
import uuid

from telemed.adapters.identity.here import RandomIdentifiers


def test_an_identifier_is_a_uuid_whose_time_comes_first() -> None:
    given = RandomIdentifiers()
    before = time.time_ns() // 1_000_000
    made = [uuid.UUID(given.uid()) for _ in range(1000)]
    after = time.time_ns() // 1_000_000
    assert {(one.version, one.variant) for one in made} == {(7, uuid.RFC_4122)}
    moments = [one.int >> 80 for one in made]
    assert moments == sorted(moments)
    assert before <= moments[0] and moments[-1] <= after
    assert len(set(made)) == 1000
    # Beside the moment nothing can be guessed from one about the next.
    assert len({one.int & (1 << 62) - 1 for one in made}) == 1000

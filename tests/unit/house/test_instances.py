"""Rows made and kept past SQLAlchemy's bookkeeping behave like those it made itself."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import inspect

from telemed.adapters.db.instances import construct_plainly
from telemed.adapters.db.mapping import map_classes
from telemed.domain.events import Event, Kind
from telemed.domain.people import User
from telemed.domain.study import Series

AT = datetime(2026, 1, 1, tzinfo=UTC)


def series() -> Series:
    map_classes()
    return Series(
        uid="u", study_id=1, institution_id=1, consortium_id=1, series_instance_uid="1.2", modality="ECG"
    )


def test_defaults_and_the_signature_stay_those_of_the_class() -> None:
    assert (series().number, series().description) == (None, "")
    with pytest.raises(TypeError):
        Series(uid="u")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Series(uid="u", colour="red")  # type: ignore[call-arg]


def test_a_factory_gives_each_its_own_value() -> None:
    map_classes()
    one, other = (Event(uid="u", at=AT, kind=Kind.OBJECT_RECEIVED) for _ in range(2))
    assert one.facts == {} and one.facts is not other.facts


def test_what_is_assigned_later_is_a_change() -> None:
    one = series()
    state = inspect(one)
    assert not state.modified
    one.description = "V1"
    assert state.modified and state.attrs.description.history.added == ["V1"]


def test_a_class_that_is_more_than_its_columns_is_refused() -> None:
    map_classes()

    class Positional(User):
        def __post_init__(self) -> None:
            return None

    with pytest.raises(TypeError):
        construct_plainly(Positional)

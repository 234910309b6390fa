"""In which order the series and the pictures of a study are looked at."""

from telemed.domain.reading_order import in_reading_order
from tests.unit.domain.builders import series, stored


def test_series_and_pictures_are_read_by_their_numbers_and_not_as_they_arrived() -> None:
    late = [series(1, 3), series(2, None), series(3, 1), series(4, 1), series(5, None)]
    # Of two of one number, and of those without, the one that was made first.
    kept = [stored(9, 1, 2), stored(8, 1, None), stored(7, 1, 10), stored(6, 4, 1), stored(5, 3, 4)]
    kept += [stored(4, 2, None), stored(3, 5, 3)]
    ordered, pictures = in_reading_order(late, kept)
    assert [one.id for one in ordered] == [4, 3, 1, 5, 2]
    assert [one.id for one in pictures if one.series_id == 1] == [9, 7, 8]

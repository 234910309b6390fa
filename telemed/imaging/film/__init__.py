"""Films as a network takes them: the display share of a frame, area-averaged to a square, and the header's facts."""

from telemed.imaging.film.facts import FilmFacts, film_facts
from telemed.imaging.film.fast import film_tensor
from telemed.imaging.film.film import Film, is_picture, read_film, read_picture
from telemed.imaging.film.reference import reference_tensor

__all__ = [
    "Film",
    "FilmFacts",
    "film_facts",
    "film_tensor",
    "is_picture",
    "read_film",
    "read_picture",
    "reference_tensor",
]

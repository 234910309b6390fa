"""Films as a network takes them: the display share of a frame, area-averaged to a square."""

from telemed.imaging.film.fast import film_tensor
from telemed.imaging.film.reference import reference_tensor

__all__ = ["film_tensor", "reference_tensor"]

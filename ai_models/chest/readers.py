"""All shipped film networks behind one door: which of them a film belongs to, and what they answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_models.chest.reader import TASK, FilmReader
from ai_models.registry import Registry
from ai_models.runner import Runner
from telemed.domain.analysis import Analysis
from telemed.imaging.errors import PixelError
from telemed.imaging.film import Film, read_film

if TYPE_CHECKING:
    from pydicom import Dataset


class FilmReaders:
    """The newest version of every film network of a registry."""

    def __init__(self, runner: Runner, registry: Registry) -> None:
        self._readers = [FilmReader(runner, m) for m in registry.models() if m.task == TASK]

    def reads(self, modality: str) -> bool:
        """Whether any network takes films of this DICOM modality."""
        return any(modality in reader.domain.modalities for reader in self._readers)

    def read(self, film: Film) -> tuple[Analysis, ...]:
        """The answer of the network whose domain the header meets; where it meets none, each one's reason."""
        fitting = [r for r in self._readers if r.domain.header_reason(film.facts) is None]
        return tuple(reader.read(film) for reader in fitting or self._readers)

    def read_object(self, ds: Dataset) -> tuple[Analysis, ...]:
        """As `read`, for a DICOM object; one without a picture is out of every network's domain."""
        try:
            film = read_film(ds)
        except PixelError as error:
            return tuple(Analysis(r.identity, False, error.code, error.params) for r in self._readers)
        return self.read(film)

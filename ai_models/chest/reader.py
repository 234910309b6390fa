"""Reads a chest film: header, gate, finding, heat map."""

from __future__ import annotations

import numpy as np

from ai_models.chest.bottleneck import MATRIX, PREPROCESSING, RIM, film_input
from ai_models.chest.domain import KINDS, FilmDomain
from ai_models.errors import ModelRefused
from ai_models.manifest import Manifest
from ai_models.runner import Runner
from telemed.domain.analysis import Analysis, Finding, HeatMap, ModelIdentity
from telemed.imaging.errors import PixelError
from telemed.imaging.film import Film

TASK = "film-finding"
INSIDE = RIM / MATRIX
"""The share of the film that the bottleneck cuts from each edge: the map covers what is left."""


class FilmReader:
    """One film network behind any runner.

    Raises ModelRefused where the network was made for another preprocessing, or its manifest lacks a domain.
    """

    def __init__(self, runner: Runner, manifest: Manifest) -> None:
        self._runner = runner
        self._manifest = manifest
        if manifest.preprocessing != PREPROCESSING:
            raise ModelRefused(
                "model.other_preprocessing", expected=manifest.preprocessing, found=PREPROCESSING
            )
        try:
            self.domain = FilmDomain.of(manifest)
        except (KeyError, TypeError, ValueError) as error:
            file, detail = str(manifest.folder / "manifest.json"), f"{type(error).__name__}: {error}"
            raise ModelRefused("model.bad_manifest", file=file, detail=detail) from error

    @property
    def identity(self) -> ModelIdentity:
        return self._runner.identity(self._manifest.name)

    def read(self, film: Film) -> Analysis:
        """Out of the model's domain the answer has a reason and no score, by the header without decoding anything.

        `quality` holds the gate's probabilities where it was asked. Raises what the runner raises.
        """
        identity = self.identity
        ruled_out = self.domain.header_reason(film.facts)
        if ruled_out is not None:
            return Analysis(identity, False, *ruled_out)
        try:
            tensor = film_input(film.tensor(MATRIX))
        except PixelError as error:
            return Analysis(identity, False, error.code, error.params)
        output = self._runner.run(self._manifest.name, {"film": tensor})
        probability, cells, gate = (output[name] for name in ("probability", "map", "gate"))
        if probability.shape != (1, 1) or gate.shape != (1, len(KINDS)) or cells.ndim != 3:
            raise ModelRefused("model.bad_output", name=self._manifest.name, shape=str(list(gate.shape)))
        if not all(np.isfinite(values).all() for values in (probability, cells, gate)):
            raise ModelRefused("model.bad_output", name=self._manifest.name, shape=str(list(cells.shape)))
        kinds = [float(value) for value in gate[0]]
        quality = {"gate": {kind: round(value, 4) for kind, value in zip(KINDS, kinds, strict=True)}}
        ruled_out = self.domain.gate_reason(kinds)
        if ruled_out is not None:
            return Analysis(identity, False, *ruled_out, quality)
        (label,) = self._manifest.labels
        found = float(probability[0, 0])
        finding = Finding(label.name, round(found, 6), label.threshold, found >= label.threshold, label.code)
        rows = tuple(tuple(round(float(value), 3) for value in row) for row in cells[0])
        region = (INSIDE, INSIDE, 1 - INSIDE, 1 - INSIDE)
        heat_map = HeatMap(label.name, rows, region)
        return Analysis(identity, True, quality=quality, findings=(finding,), heat_map=heat_map)

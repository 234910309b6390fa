"""From a DICOM object to the answers of the models that fit it, or the reason why none answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ai_models.bound import BoundRunner
from ai_models.chest.readers import FilmReaders
from ai_models.ecg.delineation.reader import MODEL as DELINEATION
from ai_models.ecg.delineation.reader import DelineationReader
from ai_models.ecg.interpretation.rules import rule_set
from ai_models.ecg.reader import MODEL, EcgReader
from ai_models.ecg.recording import Recording
from ai_models.manifest import Manifest
from ai_models.registry import Registry
from ai_models.runner import Runner
from telemed.domain.analysis import Analysis, ModelIdentity
from telemed.domain.errors import Unreadable
from telemed.domain.inference import Urgency
from telemed.imaging.reading import open_dataset
from telemed.imaging.waveform import ECG_SOP_CLASSES, Waveform, WaveformError, read_waveform

if TYPE_CHECKING:
    from pydicom import Dataset

UNREADABLE = frozenset({"waveform.unreadable", "waveform.truncated"})
"""Damage to the file itself. Everything else that a waveform may lack is an answer: out of domain, because."""

NO_MODEL = Analysis(model=None, in_domain=False, reason="no_model")


class ModelReader:
    """Every shipped model behind one door."""

    def __init__(self, runner: Runner, registry: Registry | None = None) -> None:
        registry = registry if registry is not None else Registry()
        self.ecg = EcgReader(runner, registry.get(MODEL))
        self.delineation = DelineationReader(runner, registry.get(DELINEATION))
        self.films = FilmReaders(runner, registry)
        self._runner, self._registry, self._rules = runner, registry, rule_set()

    def identity_for(self, modality: str) -> ModelIdentity | None:
        """The model that would classify for a DICOM modality; None where there is none, or it hangs on the film."""
        return self.ecg.identity if modality == "ECG" else None

    def read(self, source: bytes | Dataset) -> Analysis:
        """The classification of one DICOM object; see `read_all`."""
        return self._answer(
            source, lambda: (self.ecg.identity,), lambda waveform: (self.ecg.read(waveform),)
        )[0]

    def read_all(self, source: bytes | Dataset, waves: bool = False) -> tuple[Analysis, ...]:
        """The answer of every model for one DICOM object: a Part 10 file, a bare data set, or a parsed one.

        An ECG is classified, measured and stated upon, each answer with its own model's identity; `waves` adds the
        marks of every beat to the second. A film (DX, CR) gets the answer of the network whose domain its header
        meets, or each one's reason. Anything else gets one answer, reason "no_model". An object of an ECG class
        without a usable 12-lead waveform is out of domain with the waveform's reason. Raises Unreadable (code
        "file.not_dicom" or the waveform's) for bytes that cannot be understood at all.
        """
        networks = (self._registry.get(MODEL), self._registry.get(DELINEATION))

        def identities() -> tuple[ModelIdentity, ...]:
            used = [self._runner.identity(name, version) for name, version in self._rules.networks.items()]
            return self.ecg.identity, self.delineation.identity, self._rules.identity(used)

        def read(waveform: Waveform) -> tuple[Analysis, ...]:
            recording = Recording(waveform, self._bound, self._registry)
            return tuple(recording.answer(model, waves) for model in (*networks, self._rules))

        return self._answer(source, identities, read)

    def _bound(self, manifest: Manifest) -> BoundRunner:
        return BoundRunner(self._runner, Urgency.ROUTINE, manifest.version)

    def _answer(
        self,
        source: bytes | Dataset,
        identities: Callable[[], tuple[ModelIdentity, ...]],
        read: Callable[[Waveform], tuple[Analysis, ...]],
    ) -> tuple[Analysis, ...]:
        ds = parsed(source)
        kind = modality_of(ds)
        if kind != "ECG":
            return self.films.read_object(ds) if self.films.reads(kind) else (NO_MODEL,)
        try:
            waveform = read_waveform(ds)
        except WaveformError as error:
            if error.code in UNREADABLE:
                raise
            return tuple(Analysis(identity, False, error.code, error.params) for identity in identities())
        return read(waveform)


def parsed(source: bytes | Dataset) -> Dataset:
    """The data set of `source`. Raises Unreadable("file.not_dicom")."""
    if not isinstance(source, bytes):
        return source
    try:
        ds = open_dataset(source)
    except Exception as error:
        raise Unreadable("file.not_dicom") from error
    if "SOPClassUID" not in ds and "WaveformSequence" not in ds:
        raise Unreadable("file.not_dicom")
    return ds


def modality_of(ds: Dataset) -> str:
    """The kind of object: "ECG" by its storage class or its waveform, else the Modality as written."""
    if str(ds.get("SOPClassUID", "")) in ECG_SOP_CLASSES or "WaveformSequence" in ds:
        return "ECG"
    return str(ds.get("Modality") or "")

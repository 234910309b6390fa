"""From a DICOM object to the answer of the model that fits it, or the reason why none answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_models.ecg.reader import MODEL, EcgReader
from ai_models.registry import Registry
from ai_models.runner import Runner
from telemed.domain.analysis import Analysis, ModelIdentity
from telemed.domain.errors import Unreadable
from telemed.imaging.reading import open_dataset
from telemed.imaging.waveform import ECG_SOP_CLASSES, WaveformError, read_waveform

if TYPE_CHECKING:
    from pydicom import Dataset

UNREADABLE = frozenset({"waveform.unreadable", "waveform.truncated"})
"""Damage to the file itself. Everything else that a waveform may lack is an answer: out of domain, because."""

NO_MODEL = Analysis(model=None, in_domain=False, reason="no_model")


class ModelReader:
    """Every shipped model behind one door."""

    def __init__(self, runner: Runner, registry: Registry | None = None) -> None:
        manifest = (registry if registry is not None else Registry()).get(MODEL)
        self.ecg = EcgReader(runner, manifest)

    def identity_for(self, modality: str) -> ModelIdentity | None:
        """The model that would answer for a DICOM modality; None where there is none (chest films so far)."""
        return self.ecg.identity if modality == "ECG" else None

    def read(self, source: bytes | Dataset) -> Analysis:
        """Answer for one DICOM object: a Part 10 file, a bare data set in memory, or a parsed one.

        An ECG is read; a picture and anything else gets reason "no_model". An object of an ECG class without
        a usable 12-lead waveform is out of domain with the waveform's reason. Raises Unreadable
        (code "file.not_dicom" or the waveform's) for bytes that cannot be understood at all.
        """
        ds = parsed(source)
        is_ecg = modality_of(ds) == "ECG"
        if not is_ecg:
            return NO_MODEL
        try:
            waveform = read_waveform(ds)
        except WaveformError as error:
            if error.code in UNREADABLE:
                raise
            return Analysis(self.ecg.identity, False, error.code, error.params)
        return self.ecg.read(waveform)


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

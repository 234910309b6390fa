"""Twelve leads of a DICOM ECG in millivolts."""

from telemed.imaging.errors import WaveformError
from telemed.imaging.waveform.model import CHEST, LEADS, LIMB, Annotation, Filters, Waveform
from telemed.imaging.waveform.quality import QualityFinding, einthoven_residual, quality, quality_findings
from telemed.imaging.waveform.reader import ECG_SOP_CLASSES, read_waveform
from telemed.imaging.waveform.wire import WireHead, from_wire, to_wire

__all__ = [
    "CHEST",
    "ECG_SOP_CLASSES",
    "LEADS",
    "LIMB",
    "Annotation",
    "Filters",
    "QualityFinding",
    "Waveform",
    "WaveformError",
    "WireHead",
    "einthoven_residual",
    "from_wire",
    "quality",
    "quality_findings",
    "read_waveform",
    "to_wire",
]

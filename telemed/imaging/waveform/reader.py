"""From a DICOM object to the twelve leads of its rhythm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from telemed.imaging.errors import WaveformError
from telemed.imaging.reading import is_little_endian, open_dataset
from telemed.imaging.waveform.annotations import read_annotations, read_filters
from telemed.imaging.waveform.derive import complete_limb_leads
from telemed.imaging.waveform.direct import DirectItem, NotDirect, direct_dataset
from telemed.imaging.waveform.group import Group, describe, millivolts
from telemed.imaging.waveform.model import CHEST, LEADS, LIMB, Waveform
from telemed.imaging.waveform.subject import age_at_recording, sex_of
from telemed.imaging.waveform.values import text

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

    from telemed.imaging.waveform.direct import Source

# PS3.4 B.5: the storage classes in which twelve leads arrive. Hemodynamic is here because
# catheter laboratories write the surface ECG into it.
ECG_SOP_CLASSES = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.9.1.1",  # 12-lead ECG
        "1.2.840.10008.5.1.4.1.1.9.1.2",  # General ECG
        "1.2.840.10008.5.1.4.1.1.9.1.3",  # Ambulatory ECG
        "1.2.840.10008.5.1.4.1.1.9.1.4",  # General 32-bit ECG
        "1.2.840.10008.5.1.4.1.1.9.2.1",  # Hemodynamic
    }
)
# One hour at 1 kHz: far more than any resting ECG, and a bound on the memory that a bad header can ask for.
_MOST_SAMPLES = 3_600_000


def read_waveform(source: bytes | Dataset) -> Waveform:
    """Read the rhythm of a DICOM ECG.

    `source` is a Part 10 file or bare data set in memory, or a parsed data set. Returns all twelve leads in
    canonical order, float32 millivolts of shape (12, n) at the recorded sampling rate in Hz; see `Waveform`.
    Representative beats and empty groups are passed over, leads spread over several groups are placed by
    their time offset, absent limb leads are computed from the recorded ones. Channel skew is not corrected.

    Raises WaveformError with one of the codes waveform.unreadable, waveform.encapsulated_pdf,
    waveform.no_waveform, waveform.only_median_beat, waveform.not_twelve_leads, waveform.no_sampling_rate,
    waveform.no_sensitivity, waveform.unknown_unit, waveform.unsupported_samples,
    waveform.channels_do_not_match, waveform.truncated, waveform.too_long.
    """
    try:
        if not isinstance(source, bytes | bytearray | memoryview):
            return _read(source)
        data = bytes(source)
        return _direct(data) or _read(open_dataset(data))
    except WaveformError:
        raise
    except Exception as error:
        raise WaveformError("waveform.unreadable") from error


def _direct(data: bytes) -> Waveform | None:
    """The quick way; None for whatever it cannot or would not read: the usual way then says why."""
    try:
        return _read(direct_dataset(data))
    except (NotDirect, WaveformError):
        return None


def _read(ds: Source) -> Waveform:
    items = ds.get("WaveformSequence") or []
    if not len(items):
        pdf = "EncapsulatedDocument" in ds or text(ds, "MIMETypeOfEncapsulatedDocument").endswith("pdf")
        raise WaveformError("waveform.encapsulated_pdf" if pdf else "waveform.no_waveform")
    groups = [group for item in items if (group := describe(item)) is not None]
    chosen = choose(groups)
    little = isinstance(ds, DirectItem) or is_little_endian(ds)
    recorded = _recorded(chosen, little)
    samples, derived = complete_limb_leads(recorded)
    return Waveform(
        leads=LEADS,
        samples=samples,
        sampling_rate=chosen[0].rate,
        label=chosen[0].label,
        derived=derived,
        resolution_uv=_resolution(chosen),
        filters=read_filters(chosen[0].channels),
        annotations=read_annotations(ds),
        age_years=age_at_recording(ds),
        sex=sex_of(ds),
    )


def choose(groups: list[Group]) -> list[Group]:
    """The group that holds the rhythm of all twelve leads, or the groups that hold it together.

    Raises WaveformError when no leads, only representative beats, or too few leads are there.
    """
    if not groups:
        raise WaveformError("waveform.no_waveform")
    rhythm = [group for group in groups if group.known and not group.is_representative_beat]
    if not rhythm:
        beats = any(group.known for group in groups)
        raise WaveformError("waveform.only_median_beat" if beats else "waveform.no_waveform")
    whole = [group for group in rhythm if not missing_leads(group.known)]
    if whole:
        return [max(whole, key=lambda group: (len(group.known), group.samples / group.rate))]
    rate = rhythm[0].rate
    together = [group for group in rhythm if group.rate == rate]
    missing = missing_leads(frozenset().union(*(group.known for group in together)))
    if missing:
        raise WaveformError("waveform.not_twelve_leads", missing=", ".join(missing))
    return together


def missing_leads(known: frozenset[str]) -> list[str]:
    """The leads that are neither there nor computable: two of I, II, III give all six limb leads."""
    missing = [lead for lead in CHEST if lead not in known]
    einthoven = [lead for lead in ("I", "II", "III") if lead in known]
    if len(einthoven) < 2:
        missing = [lead for lead in LIMB if lead not in known] + missing
    return missing


def _recorded(groups: list[Group], little: bool) -> dict[str, NDArray[np.float32]]:
    first = min(group.offset_s for group in groups)
    starts = [round((group.offset_s - first) * group.rate) for group in groups]
    length = max(start + group.samples for start, group in zip(starts, groups, strict=True))
    if length > _MOST_SAMPLES:
        raise WaveformError("waveform.too_long", samples=length)
    recorded: dict[str, NDArray[np.float32]] = {}
    for start, group in zip(starts, groups, strict=True):
        leads = tuple(lead for lead in LEADS if lead in group.known and lead not in recorded)
        if not leads:
            continue
        block = millivolts(group, leads, little)
        if group.samples < length:
            placed = np.full((len(leads), length), np.nan, dtype=np.float32)
            placed[:, start : start + group.samples] = block
            block = placed
        recorded.update(zip(leads, block, strict=True))
    return recorded


def _resolution(groups: list[Group]) -> float | None:
    scales = {scale for group in groups for scale in group.scales.values()}
    gain, base = next(iter(scales))
    return gain * 1000.0 if len(scales) == 1 and base == 0 and gain > 0 else None

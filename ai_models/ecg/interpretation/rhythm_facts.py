"""Facts about the rhythm: are there P waves, do they lead the QRS, which beats are premature and of what form."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ai_models.ecg.delineation.intervals import P_LEADS
from ai_models.ecg.delineation.measure import Measured
from ai_models.ecg.medians import known_median, median

PREMATURE = 0.86
"""A beat is premature where it comes earlier than this part of the usual interval."""
WIDER_S = 0.020
FEWEST_BEATS = 4

Row = NDArray[np.float64]


def rhythm_facts(measured: Measured) -> dict[str, float]:
    """From beats, their waves and their forms; nothing where nothing was found or fewer than four beats.

    beats; p_share: beats with a P in a quarter of the leads; pr_scatter_ms: median deviation (scaled to an SD) of
    the P-QRS distance; premature_alike, premature_other: premature beats of the main form and of another;
    premature_wide: of another form and at least 20 ms wider; other_forms: beats of another form at all;
    earliest_share: RR before the most premature beat of the main form over the usual RR there;
    rr_cv: SD / mean of all RR; rr_range_ms and rr_range_share: longest less shortest RR between beats of the
    main form of which none is premature, and over their mean; rr_steps: median |successive difference| / mean.
    """
    placed = measured.placed
    if placed is None or len(placed.fiducial) < FEWEST_BEATS or not placed.dominant.any():
        return {}
    fiducial = placed.fiducial
    main = placed.form == int(placed.form[placed.dominant][0])
    inside = placed.form >= 0
    with_p, distance = _p_waves(measured)
    rr = np.diff(fiducial)
    before = np.concatenate(([np.nan], rr))
    usual = median(rr)
    share = before / _local_usual(rr)
    premature = share < PREMATURE
    width = _widths(measured)
    typical = float(np.nanmedian(width[main])) if np.isfinite(width[main]).any() else np.nan
    wide = inside & ~main & (width > typical + WIDER_S)
    calm = main[1:] & main[:-1] & ~premature[1:] & ~premature[:-1]
    kept = rr[calm]
    found = {
        "beats": float(len(fiducial)),
        "p_share": float(with_p.mean()),
        "premature_alike": float((premature & main).sum()),
        "premature_other": float((premature & inside & ~main).sum()),
        "premature_wide": float((premature & wide).sum()),
        "other_forms": float((inside & ~main).sum()),
        "wide_other": float(wide.sum()),
        "rr_cv": float(rr.std(ddof=1) / rr.mean()),
        "rr_steps": float(np.median(np.abs(np.diff(rr))) / usual),
    }
    if (premature & main).any():
        found["earliest_share"] = float(share[premature & main].min())
    if len(kept) >= 3:
        found["rr_range_ms"] = 1000 * float(kept.max() - kept.min())
        found["rr_range_share"] = float((kept.max() - kept.min()) / kept.mean())
    pr = typical_pr_ms(measured)
    if pr is not None:
        found["pr_typical_lead_ms"] = pr
    steady = distance[np.isfinite(distance)]
    if len(steady) >= 3:
        found["pr_scatter_ms"] = 1482.6 * float(np.median(np.abs(steady - np.median(steady))))
    return found


def typical_pr_ms(measured: Measured) -> float | None:
    """Median over the leads of each lead's median P onset to QRS onset, ms; None where no lead has both.

    The global PR takes the lead in which P begins first, and so grows with a wide or late P; on it people who call a
    PR long and people who do not agree less.
    """
    onset = {wave: measured.beats.waves[wave][:, :, 0] for wave in ("P", "QRS")}
    distance = onset["QRS"] - onset["P"]
    by_lead = np.asarray([median(seen) for lead in distance.T if len(seen := lead[np.isfinite(lead)])])
    return 1000 * median(by_lead) if len(by_lead) else None


def _p_waves(measured: Measured) -> tuple[NDArray[np.bool_], Row]:
    """Which beats have a P wave, and its distance (s) from the beat's fiducial point, NaN where there is none."""
    onset = measured.beats.waves["P"][:, :, 0]
    assert measured.placed is not None
    with_p = np.isfinite(onset).mean(axis=1) >= P_LEADS
    distance = np.full(len(onset), np.nan)
    for beat in np.flatnonzero(with_p):
        distance[beat] = measured.placed.fiducial[beat] - known_median(onset[beat])
    return with_p, distance


def _local_usual(rr: Row) -> Row:
    """For each beat the median of up to five intervals about it, so that a slow change is no extrasystole."""
    usual = np.full(len(rr) + 1, np.nan)
    for beat in range(1, len(rr) + 1):
        near = rr[max(0, beat - 4) : beat + 3]
        usual[beat] = median(near)
    return usual


def _widths(measured: Measured) -> Row:
    """(beats,) median over the leads of the QRS duration, s."""
    waves = measured.beats.waves["QRS"]
    width = waves[:, :, 2] - waves[:, :, 0]
    return np.asarray([known_median(row) for row in width])

"""Limb leads that were not recorded, from those that were."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from telemed.imaging.waveform.model import LEADS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


def complete_limb_leads(
    recorded: Mapping[str, NDArray[np.float32]],
) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """All twelve leads, float32 mV of shape (12, n), and the names of those that were computed.

    Einthoven: III = II - I. Goldberger: aVR = -(I + II)/2, aVL = (I - III)/2 = I - II/2,
    aVF = (II + III)/2 = II - I/2. Needs the six chest leads and two of I, II, III; recorded leads are
    taken as they are, even where they break these relations.
    """
    leads = dict(recorded)
    if "I" not in leads:
        leads["I"] = leads["II"] - leads["III"]
    if "II" not in leads:
        leads["II"] = leads["I"] + leads["III"]
    half = np.float32(0.5)
    first, second = leads["I"], leads["II"]
    if "III" not in leads:
        leads["III"] = second - first
    if "aVR" not in leads:
        leads["aVR"] = -(first + second) * half
    if "aVL" not in leads:
        leads["aVL"] = first - second * half
    if "aVF" not in leads:
        leads["aVF"] = second - first * half
    derived = tuple(lead for lead in LEADS if lead not in recorded)
    return np.stack([leads[lead] for lead in LEADS]).astype(np.float32, copy=False), derived

"""Faults of a recording, planted in a sound one: what a technician's electrodes and cables do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ai_models.ecg.signal import LEADS

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Sound:
    """A recording, (12, n) mV at `rate` Hz, and what decides where the fault lies."""

    samples: Samples
    rate: float
    chance: np.random.Generator

    def lead(self, name: str) -> Samples:
        return self.samples[LEADS.index(name)]

    @property
    def seconds(self) -> NDArray[np.float64]:
        return np.arange(self.samples.shape[1]) / self.rate

    def some_chest_lead(self) -> int:
        return V1 + int(self.chance.integers(6))


Fault = Callable[[Sound], Samples]
"""A copy of the samples, with the fault."""

V1 = LEADS.index("V1")
RAIL_MV = 5.0
NOISE_MV = 0.003


def _limb(samples: Samples, first: Samples, second: Samples) -> Samples:
    """The same chest, other limb leads: all six from I and II, as a device writes them."""
    found = samples.copy()
    found[:6] = (
        first,
        second,
        second - first,
        -(first + second) / 2,
        first - second / 2,
        second - first / 2,
    )
    return found


def arms_exchanged(sound: Sound) -> Samples:
    """Right arm and left arm: I turns over, II becomes III. (Chest leads refer to all three limbs alike.)"""
    return _limb(sound.samples, -sound.lead("I"), sound.lead("III"))


def right_arm_leg_exchanged(sound: Sound) -> Samples:
    return _limb(sound.samples, -sound.lead("III"), -sound.lead("II"))


def left_arm_leg_exchanged(sound: Sound) -> Samples:
    return _limb(sound.samples, sound.lead("II"), sound.lead("I"))


def chest_exchanged(first: int, second: int) -> Fault:
    """Electrodes V`first` and V`second` on each other's places."""

    def planted(sound: Sound) -> Samples:
        found = sound.samples.copy()
        a, b = V1 + first - 1, V1 + second - 1
        found[[a, b]] = found[[b, a]]
        return found

    return planted


def chest_reversed(sound: Sound) -> Samples:
    found = sound.samples.copy()
    found[V1:] = found[V1:][::-1]
    return found


def _still(length: int, chance: np.random.Generator) -> Samples:
    return chance.normal(0, NOISE_MV, length).astype(np.float32)


def chest_lead_off(sound: Sound) -> Samples:
    """One chest lead without a signal: the amplifier's own noise."""
    found = sound.samples.copy()
    found[sound.some_chest_lead()] = _still(sound.samples.shape[1], sound.chance)
    return found


def arm_lead_off(sound: Sound) -> Samples:
    """Left arm off: no I, and III is II."""
    return _limb(sound.samples, _still(sound.samples.shape[1], sound.chance), sound.lead("II"))


def lead_comes_off(sound: Sound) -> Samples:
    """A chest lead that is lost after four tenths of the recording."""
    found = sound.samples.copy()
    since = int(0.4 * found.shape[1])
    found[sound.some_chest_lead(), since:] = _still(found.shape[1] - since, sound.chance)
    return found


def railed_by_gain(sound: Sound) -> Samples:
    """A chest lead of ten times its height, cut at the amplifier's rails."""
    found = sound.samples.copy()
    lead = sound.some_chest_lead()
    middle = float(np.nanmedian(found[lead]))
    found[lead] = np.clip(
        (found[lead] - middle) * (40.0 / max(float(np.ptp(found[lead])), 0.1)), -RAIL_MV, RAIL_MV
    )
    return found


def railed_by_offset(sound: Sound) -> Samples:
    """An electrode that polarises: a chest lead drifts to the rail and stays there for two seconds."""
    found = sound.samples.copy()
    lead, seconds = sound.some_chest_lead(), sound.seconds
    push = np.interp(seconds, [2.0, 3.0, 5.0, 6.0], [0.0, 12.0, 12.0, 0.0])
    found[lead] = np.clip(found[lead] + push.astype(np.float32), -RAIL_MV, RAIL_MV)
    return found


def mains(millivolts: float) -> Fault:
    """50 Hz of that amplitude at every electrode of the chest."""

    def planted(sound: Sound) -> Samples:
        found, time = sound.samples.copy(), sound.seconds
        wave = millivolts * np.sin(2 * np.pi * 50.05 * time + sound.chance.uniform(0, 6.28))
        found[V1:] += wave.astype(np.float32)
        return found

    return planted


def wander(millivolts: float) -> Fault:
    """Breathing at 0.2 Hz, from crest to crest that much, in the chest leads."""

    def planted(sound: Sound) -> Samples:
        found, time = sound.samples.copy(), sound.seconds
        wave = millivolts / 2 * np.sin(2 * np.pi * 0.2 * time + sound.chance.uniform(0, 6.28))
        found[V1:] += wave.astype(np.float32)
        return found

    return planted


def avr_turned(sound: Sound) -> Samples:
    """A converter that writes aVR with the wrong sign."""
    found = sound.samples.copy()
    found[LEADS.index("aVR")] *= -1
    return found


def labels_exchanged(sound: Sound) -> Samples:
    """Leads I and II under each other's names, the others as they are."""
    found = sound.samples.copy()
    found[[0, 1]] = found[[1, 0]]
    return found


def gain_of_one(sound: Sound) -> Samples:
    """II at half its gain."""
    found = sound.samples.copy()
    found[LEADS.index("II")] *= 0.5
    return found


FAULTS: dict[str, tuple[str, Fault]] = {
    "left arm electrode off (I without a signal)": ("quality.lead_off", arm_lead_off),
    "one chest lead without a signal": ("quality.lead_off", chest_lead_off),
    "a chest lead lost after 4 of 10 s": ("quality.lead_off", lead_comes_off),
    "a chest lead cut at the rails (gain)": ("quality.saturated", railed_by_gain),
    "a chest lead at the rail for 2 s (offset)": ("quality.saturated", railed_by_offset),
    "arms exchanged": ("quality.arms_exchanged", arms_exchanged),
    "right arm and leg exchanged": ("quality.limb_exchanged", right_arm_leg_exchanged),
    "left arm and leg exchanged": ("quality.limb_exchanged", left_arm_leg_exchanged),
    **{
        f"V{a} and V{b} exchanged": ("quality.chest_exchanged", chest_exchanged(a, b))
        for a, b in ((1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (1, 3), (2, 5), (1, 6))
    },
    "V1-V6 in reverse (mostly said as exchanged arms)": ("quality.chest_exchanged", chest_reversed),
    "mains, 0.1 mV in the chest leads": ("quality.mains", mains(0.1)),
    "wander, 2.5 mV in the chest leads": ("quality.wander", wander(2.5)),
    "aVR of the wrong sign": ("quality.einthoven", avr_turned),
    "I and II under each other's names": ("quality.einthoven", labels_exchanged),
    "II at half its gain": ("quality.einthoven", gain_of_one),
}
"""What is planted, and what ought to be said of it."""

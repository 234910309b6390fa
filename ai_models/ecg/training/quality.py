"""How well the technician's first look at a recording sees what is wrong with it.

    .venv/bin/python -m ai_models.ecg.training.quality

prints the table of docs/ecg-quality.md: every fault of `faults` planted in every public recording that is sound as it
is, by a fixed seed, and what is said of the recordings as they are.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np

from ai_models.ecg.interpretation.evaluation.figures import cell
from ai_models.ecg.signal import LEADS
from ai_models.ecg.training import data
from ai_models.ecg.training.evaluate import NoData
from ai_models.ecg.training.faults import FAULTS, Samples, Sound
from telemed.imaging.waveform import Waveform, quality_findings

SEED = 20261122


def codes(samples: Samples, rate: float) -> set[str]:
    return {finding.code for finding in quality_findings(Waveform(LEADS, samples, rate))}


def advised(said: set[str]) -> set[str]:
    """Any exchange of limb electrodes is the same advice; the chest in reverse is mostly said as exchanged arms."""
    arms = {"quality.limb_exchanged", "quality.chest_exchanged"}
    return said | arms if "quality.arms_exchanged" in said else said


@dataclass
class Found:
    """What is said of `count` recordings as they are, and of which; of the sound ones, by fault: seen, and all."""

    count: int = 0
    as_is: Counter[str] = field(default_factory=Counter)
    named: list[str] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    of: Counter[str] = field(default_factory=Counter)


def looked_at(recordings: Iterable[data.Recording]) -> Found:
    found, chance = Found(), np.random.default_rng(SEED)
    for recording in recordings:
        found.count += 1
        said = codes(recording.samples, recording.rate)
        if said:
            found.as_is.update(said)
            found.named.append(f"{recording.key}: {', '.join(sorted(map(short, said)))}")
            continue
        sound = Sound(recording.samples, recording.rate, chance)
        for name, (code, plant) in FAULTS.items():
            found.of[name] += 1
            found.seen[name] += code in advised(codes(plant(sound), recording.rate))
    return found


def short(code: str) -> str:
    return code.removeprefix("quality.")


def report(root: Path = data.DEFAULT_ROOT) -> str:
    """Markdown. Raises NoData where the recordings are absent."""
    sets = {"ptbxl": data.ptbxl, "ludb": data.ludb, "china": data.china}
    if not all((root / name).is_dir() for name in sets):
        raise NoData(f"no recordings under {root}: put ptbxl, ludb and china there")
    found = looked_at(chain.from_iterable(read(root) for read in sets.values()))
    planted = [
        f"| {name} | `{short(FAULTS[name][0])}` | {cell(found.seen[name], found.of[name])} |"
        for name in FAULTS
    ]
    alarms = [
        f"| `{short(code)}` | {cell(said, found.count)} |" for code, said in sorted(found.as_is.items())
    ]
    return "\n".join(
        [
            "| planted in sound recordings | expected | seen |",
            "|---|---|---|",
            *planted,
            "",
            "| said of the recordings as they are | share |",
            "|---|---|",
            f"| anything at all | {cell(len(found.named), found.count)} |",
            *alarms,
            "",
            *(f"- {one}" for one in found.named),
        ]
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=data.DEFAULT_ROOT)
    print(report(parser.parse_args().root))

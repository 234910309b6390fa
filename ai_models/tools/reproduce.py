"""From the public recordings to a model's folder by one command: every step of its training, then its release.

    make train-env
    .venv-train/bin/python -m ai_models.tools.reproduce ecg-delineation --work /tmp/delineation --version 1.0.0

Seeds and schedules are those of the shipped version and stand in the trainings themselves. Weights, manifest,
figures and both cards are written to the version's folder; what differs from the shipped ones, `git diff` shows. The
digests before and after are printed: on the same processor with the same libraries they are equal, elsewhere the last
bits may differ.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
from pathlib import Path

Step = tuple[str, ...]

CLASSES = "ai_models.ecg.training"
WAVES = "ai_models.ecg.delineation.training"
FILMS = "ai_models.chest.training"
STEPS: dict[str, tuple[Step, ...]] = {
    "ecg-superclass": (
        (f"{CLASSES}.train", "cross-validate"),
        (f"{CLASSES}.train", "final"),
        (f"{CLASSES}.train", "from-scratch", "--steps", "1500"),
        (f"{CLASSES}.train", "shuffled", "--steps", "1500"),
        (f"{CLASSES}.release",),
    ),
    "ecg-delineation": ((f"{WAVES}.train", "all"), (f"{WAVES}.release",)),
    "chest-tb": (
        (f"{FILMS}.train", "gate"),
        (f"{FILMS}.train", "tb"),
        (f"{FILMS}.release", "--what", "tb"),
    ),
    "chest-pneumonia-child": (
        (f"{FILMS}.train", "gate"),
        (f"{FILMS}.train", "pneumonia"),
        (f"{FILMS}.release", "--what", "pneumonia"),
    ),
}
"""By model the modules that are run, in their order, each with its own arguments."""
FAMILIES = {"ecg": "ecg", "chest": "chest"}


def commands(model: str, work: Path, version: str, root: Path | None) -> list[list[str]]:
    """The command of each step of `model`."""
    common = ["--work", str(work), *(["--root", str(root)] if root else [])]
    return [
        [
            sys.executable,
            "-m",
            module,
            *arguments,
            *common,
            *(["--version", version] if module.endswith(".release") else []),
        ]
        for module, *arguments in STEPS[model]
    ]


def weights_of(model: str, version: str) -> Path:
    family = Path(__file__).resolve().parents[1] / FAMILIES[model.partition("-")[0]]
    return family / "weights" / f"{model}-{version}" / "model.onnx"


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "-"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", choices=sorted(STEPS))
    parser.add_argument(
        "--work", type=Path, required=True, help="folder for what the steps leave to each other"
    )
    parser.add_argument("--version", required=True, help="written to the folder of this version")
    parser.add_argument("--root", type=Path, default=None, help="folder of the public recordings or films")
    args = parser.parse_args()
    path = weights_of(args.model, args.version)
    before = digest(path)
    # One thread: sums in another order are other last bits.
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    for command in commands(args.model, args.work, args.version, args.root):
        print("+", *command[1:], flush=True)
        subprocess.run(command, check=True, env=environment)
    print(f"{path}\n before {before}\n after  {digest(path)}")


if __name__ == "__main__":
    main()

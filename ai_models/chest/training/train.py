"""Train the film networks; one command each, fixed seeds, a fixed schedule, no checkpoint chosen.

    make train-env
    OMP_NUM_THREADS=1 .venv-train/bin/python -m ai_models.chest.training.train tb --work /tmp/chest
    OMP_NUM_THREADS=1 .venv-train/bin/python -m ai_models.chest.training.train pneumonia --work /tmp/chest
    OMP_NUM_THREADS=1 .venv-train/bin/python -m ai_models.chest.training.train gate --work /tmp/chest

Several networks a finding: the k-th is trained without fold k and then asked about it, so that the films of these
folds get one out-of-fold answer each, and all networks together have seen everything. Weights are the running
average at the end.
"""

from __future__ import annotations

import argparse
import copy
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ai_models.chest.bottleneck import RIM
from ai_models.chest.training import augment, data, strange
from ai_models.chest.training.network import FINDING, GATE, FilmNet

BATCH = 48
PEAK_RATE = 2.5e-3
SMOOTHING = 0.04
STEPS = {"tb": 1250, "pneumonia": 450, "gate": 1000}
MEMBERS = {"tb": 5, "pneumonia": 3}
"""Networks of a finding; member k is trained without fold k. Films of the children are many, and three will do."""
SET = {"tb": "nlm", "pneumonia": "kermany"}
MIRRORED = {"tb": 0.5, "pneumonia": 0.3}
"""A quarter of the NLM files are mirrored already; a child's heart may lie on the right, seldom."""
GATE_FOLDS = (0, 1)
"""The gate's network is trained without these: thresholds come from fold 1, figures from fold 0."""


def as_tensor(films: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(films).float().div_(255)[:, None]


def fit(
    net: FilmNet, draw: Callable[[], tuple[Tensor, Tensor]], loss: nn.Module, steps: int, name: str
) -> FilmNet:
    """One fixed schedule; returns the running average of the weights."""
    net = net.to(memory_format=torch.channels_last)
    average = copy.deepcopy(net)
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, PEAK_RATE, total_steps=steps)
    started = time.monotonic()
    net.train()
    for step in range(steps):
        x, target = draw()
        with torch.autocast("cpu", torch.bfloat16):
            maps = net(x.contiguous(memory_format=torch.channels_last))
        value = loss(maps.float().mean((2, 3)), target)
        optimiser.zero_grad()
        value.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        schedule.step()
        with torch.no_grad():
            keep = min(0.99, (step + 1) / (step + 10))
            for mine, new in zip(average.state_dict().values(), net.state_dict().values(), strict=True):
                if mine.dtype.is_floating_point:
                    mine.lerp_(new, 1 - keep)
        if step % 50 == 0:
            print(
                f"{name} {step}/{steps} loss {value.item():.4f} {time.monotonic() - started:.0f} s",
                flush=True,
            )
    return average.eval()


def train_finding(
    films: data.Films, inside: NDArray[np.bool_], steps: int, seed: int, mirrored: float
) -> FilmNet:
    """One network on the rows `inside`: every group and both classes drawn equally often."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    chance = np.random.default_rng(seed)
    rows: list[list[NDArray[np.int64]]] = []
    for answer in (0, 1):
        mine = np.flatnonzero(inside & (films.truth == answer))
        _, index = np.unique(films.group[mine], return_inverse=True)
        rows.append([mine[index == g] for g in range(index.max() + 1)])
    decks: list[list[int]] = [[], []]

    def draw() -> tuple[Tensor, Tensor]:
        picked, target = [], []
        for i in range(BATCH):
            answer = i % 2
            if not decks[answer]:
                decks[answer] = [int(v) for v in chance.permutation(len(rows[answer]))]
            picked.append(int(chance.choice(rows[answer][decks[answer].pop()])))
            target.append(abs(answer - SMOOTHING / 2))
        mixed = np.where(chance.random(BATCH)[:, None, None] < 0.5, films.plain[picked], films.varied[picked])
        return augment.vary(as_tensor(mixed), generator, mirrored), torch.tensor(target)[:, None]

    return fit(FilmNet(FINDING), draw, nn.BCEWithLogitsLoss(), steps, f"seed {seed}")


def inner(films: NDArray[np.uint8]) -> Tensor:
    return as_tensor(films)[:, :, RIM:-RIM, RIM:-RIM]


@torch.no_grad()
def logits(net: FilmNet, films: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(n, classes) in fp32, as the exported graph computes them."""
    return np.concatenate(
        [net(inner(films[i : i + 64])).mean((2, 3)).numpy() for i in range(0, len(films), 64)]
    )


def finding(what: str, root: Path, work: Path, steps: int, folds: list[int]) -> None:
    films = data.load(SET[what], root, work)
    fold = films.fold
    for k in folds:
        net = train_finding(films, fold != k, steps, k, MIRRORED[what])
        held = fold == k
        torch.save(net.state_dict(), work / f"{what}-{k}.pt")
        np.savez(work / f"{what}-{k}.npz", key=films.key[held], logit=logits(net, films.plain[held])[:, 0])


def gate(root: Path, work: Path, steps: int) -> None:
    """Adult chest, child chest, turned, something else. NIH is never shown to it."""
    children, adults, others = (data.load(name, root, work) for name in ("kermany", "nlm", "covid"))
    child_rows = np.flatnonzero(~np.isin(children.fold, GATE_FOLDS))
    adult_rows = np.flatnonzero(~np.isin(adults.fold, GATE_FOLDS))
    torch.manual_seed(1)
    generator = torch.Generator().manual_seed(1)
    chance = np.random.default_rng(1)

    def some(films: data.Films, rows: NDArray[np.int64], n: int) -> NDArray[np.uint8]:
        picked = chance.choice(rows, n)
        return np.where(chance.random(n)[:, None, None] < 0.5, films.plain[picked], films.varied[picked])

    def draw() -> tuple[Tensor, Tensor]:
        adult = np.concatenate([some(adults, adult_rows, 13), some(others, np.arange(len(others.key)), 3)])
        child = some(children, child_rows, 16)
        turned = np.concatenate([some(adults, adult_rows, 5), some(children, child_rows, 5)])
        turned = np.stack([strange.turned(film, int(chance.integers(4))) for film in turned])
        chest = np.concatenate([some(adults, adult_rows, 8), some(children, child_rows, 8)])
        odd = np.stack([strange.made(chance, film) for film in chest])
        x = as_tensor(np.concatenate([adult, child, turned, odd]))
        target = torch.tensor([0] * len(adult) + [1] * len(child) + [2] * len(turned) + [3] * len(odd))
        return augment.vary(x, generator, 0.5, turn=0.3), target

    net = fit(FilmNet(GATE, 4), draw, nn.CrossEntropyLoss(label_smoothing=0.02), steps, "gate")
    torch.save(net.state_dict(), work / "gate.pt")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["tb", "pneumonia", "gate"])
    parser.add_argument("--root", type=Path, default=data.DEFAULT_ROOT)
    parser.add_argument("--work", type=Path, required=True, help="folder for films, weights and predictions")
    parser.add_argument("--steps", type=int, default=None)
    parser.add_argument("--folds", type=int, nargs="+", default=None)
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.work.mkdir(parents=True, exist_ok=True)
    steps = args.steps or STEPS[args.what]
    if args.what == "gate":
        gate(args.root, args.work, steps)
    else:
        folds = args.folds if args.folds is not None else list(range(MEMBERS[args.what]))
        finding(args.what, args.root, args.work, steps, folds)


if __name__ == "__main__":
    main()

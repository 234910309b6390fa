"""Train the delineation network; one command, fixed seeds, one schedule set before any fold was looked at.

    make train-env
    OMP_NUM_THREADS=1 .venv-train/bin/python -m ai_models.ecg.delineation.training.train all --work /tmp/delineation

`all` is `fold 0` to `fold 4` and then `final`; each may also be run by itself. A fold trains on four fifths of the
persons of LUDB (one record each) and writes its probabilities for the other fifth, with all leads together and with
each lead alone; `final` trains on all 160 with the same schedule. Nothing is chosen in between: no early stopping,
no checkpoint; the weights kept are the running average at the end of the schedule.
"""

from __future__ import annotations

import argparse
import copy
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from ai_models.ecg.delineation.tensors import network_input
from ai_models.ecg.delineation.training import examples
from ai_models.ecg.delineation.training.export import export
from ai_models.ecg.delineation.training.folds import FOLDS, fold_of
from ai_models.ecg.delineation.training.network import Delineator, Shipped
from ai_models.ecg.training import data

PEAK_RATE = 4e-3
STEPS = 800


def train_net(marked: examples.Marked, steps: int, seed: int) -> Delineator:
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    net = Delineator()
    average = copy.deepcopy(net)
    optimiser = torch.optim.AdamW(net.parameters(), lr=PEAK_RATE, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, PEAK_RATE, total_steps=steps, pct_start=0.15)
    started = time.monotonic()
    for step in range(steps):
        x, target, known = examples.draw(marked, generator)
        x = examples.vary(x, generator)
        net.train()
        with torch.autocast("cpu", torch.bfloat16):
            logits = net(x)
        logs = torch.log_softmax(logits.float(), dim=2)
        loss = -((target * logs).sum(dim=2) * known).sum() / known.sum()
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        schedule.step()
        with torch.no_grad():
            keep = min(0.99, (step + 1) / (step + 10))
            for mine, new in zip(average.state_dict().values(), net.state_dict().values(), strict=True):
                if mine.dtype.is_floating_point:
                    mine.lerp_(new, 1 - keep)
        if step % 100 == 0:
            seconds = time.monotonic() - started
            print(f"seed {seed} step {step}/{steps} loss {loss.item():.4f} {seconds:.0f} s", flush=True)
    return average.eval()


def answers(net: Delineator, recordings: list[data.Recording], alone: bool) -> dict[str, np.ndarray]:
    """Probabilities (12, 4, m) at 250 Hz of whole recordings by key, as float16; `alone` hears no other lead."""
    model = Shipped(net).eval()
    rows = {}
    for recording in recordings:
        signal, length = network_input(recording.samples, recording.rate)
        tensor = torch.from_numpy(signal)
        with torch.no_grad():
            output = model(tensor.transpose(0, 1))[:, 0] if alone else model(tensor)[0]
        rows[recording.key] = output[:, :, :length].numpy().astype(np.float16)
    return rows


def run_fold(recordings: list[data.Recording], fold: int, args: argparse.Namespace) -> None:
    held = [recording for recording in recordings if fold_of(recording.key) == fold]
    inside = [recording for recording in recordings if fold_of(recording.key) != fold]
    net = train_net(examples.load(inside, args.root), args.steps, args.seed)
    np.savez_compressed(args.work / f"fold-{fold}.npz", **answers(net, held, alone=False))
    np.savez_compressed(args.work / f"alone-{fold}.npz", **answers(net, held, alone=True))


def run_final(recordings: list[data.Recording], args: argparse.Namespace) -> None:
    net = train_net(examples.load(recordings, args.root), args.steps, args.seed)
    export(Shipped(net).eval(), args.work / "model.onnx")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["all", "fold", "final"])
    parser.add_argument("fold", type=int, nargs="?", default=-1)
    parser.add_argument("--root", type=Path, default=data.DEFAULT_ROOT)
    parser.add_argument("--work", type=Path, required=True, help="folder for probabilities and the graph")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.work.mkdir(parents=True, exist_ok=True)
    recordings = list(data.ludb(args.root))
    for fold in range(FOLDS) if args.what == "all" else [args.fold] * (args.what == "fold"):
        run_fold(recordings, fold, args)
    if args.what != "fold":
        run_final(recordings, args)


if __name__ == "__main__":
    main()

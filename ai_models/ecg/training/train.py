"""Train the ECG network; one command, fixed seeds, a fixed schedule, no choice made on fold 9.

    make train-env
    OMP_NUM_THREADS=1 .venv-train/bin/python -m ai_models.ecg.training.train cross-validate --work /tmp/ecg
    OMP_NUM_THREADS=1 .venv-train/bin/python -m ai_models.ecg.training.train final --work /tmp/ecg

Trained on PTB-XL folds 1-8 (statements and the teacher's soft labels) and LUDB (soft labels; rhythm statement for
AFIB). Every step draws new windows, varies them, mixes half of them in pairs, and asks the teacher about exactly
these windows: a long schedule of such questions carries over what the teacher knows (Beyer et al. 2022,
"Knowledge distillation: a good teacher is patient and consistent"). The weights kept are the running average at
the end of the schedule. The Chinese recordings are never trained on; they are the foreign check.
"""

from __future__ import annotations

import argparse
import copy
import json
import time
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from ai_models.ecg.beats import find_beats, rhythm_features
from ai_models.ecg.signal import band_pass, resample
from ai_models.ecg.tensors import ecg_tensors
from ai_models.ecg.training import augment, data
from ai_models.ecg.training.export import export
from ai_models.ecg.training.network import Shipped, WindowNet

CROSS_VALIDATION = ((1, 2), (3, 4), (5, 6), (7, 8))
BATCH = 64
LABEL_WEIGHT = 0.3
PEAK_RATE = 4e-3


class Teacher:
    """Soft labels of the teacher, by its own scaling, for windows in mV at 100 Hz."""

    def __init__(self, folder: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(folder / "ecgresnet_loss_bce.onnx"), options)
        rows = [line for line in (folder / "PREPROCESSING.txt").read_text().splitlines() if "e-0" in line]
        scale = np.asarray([[float(value) for value in row.split()] for row in rows[:12]], dtype=np.float32)
        self._mean, self._std = scale[None, :, :1], scale[None, :, 1:]

    def __call__(self, windows: Tensor) -> Tensor:
        scaled = (windows.numpy() - self._mean) / self._std
        return torch.from_numpy(self._session.run(None, {"x": scaled})[0])


def base_signals(recordings: list[data.Recording]) -> Tensor:
    """All recordings at 200 Hz, 0.5-40 Hz, ten seconds: (r, 12, 2000) float32 mV."""
    rows = []
    for recording in recordings:
        signal = resample(recording.samples.astype(np.float64), recording.rate, augment.BASE_RATE)
        rows.append(band_pass(signal, augment.BASE_RATE)[:, :2000].astype(np.float32))
    return torch.from_numpy(np.stack(rows))


def hard_labels(recordings: list[data.Recording]) -> tuple[Tensor, Tensor]:
    """Superclass labels (r, 5) and a mask (r, 1) of the recordings that have them."""
    known = [r.labels is not None and "NORM" in r.labels for r in recordings]
    rows = [[float((r.labels or {}).get(name, False)) for name in data.SUPERCLASSES] for r in recordings]
    return torch.tensor(rows), torch.tensor(known, dtype=torch.float32)[:, None]


def train_net(
    recordings: list[data.Recording], teacher: Teacher | None, steps: int, seed: int, shuffled: bool = False
) -> WindowNet:
    """One network on one fixed schedule. `shuffled` gives every recording another's labels: the control."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    base = base_signals(recordings)
    labels, known = hard_labels(recordings)
    if shuffled:
        order = torch.randperm(len(labels), generator=generator)
        labels, known = labels[order], known[order]
    spread = base.permute(1, 0, 2).reshape(12, -1)
    # Lead-wise spread without the artefacts of some recordings (up to 11 mV): scaled from the middle 98 %.
    spread = torch.stack([row[row.abs() < row.abs()[::97].quantile(0.99)].std() for row in spread])
    net = WindowNet(spread)
    average = copy.deepcopy(net)
    optimiser = torch.optim.AdamW(net.parameters(), lr=PEAK_RATE, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, PEAK_RATE, total_steps=steps, pct_start=0.1)
    loss_of = nn.BCEWithLogitsLoss(reduction="none")
    started = time.monotonic()
    for step in range(steps):
        records = torch.randint(len(base), (BATCH,), generator=generator)
        x = augment.vary(augment.cut(base, records, generator), generator)
        mix = (torch.rand(BATCH, 1, generator=generator) < 0.5).float()
        share = 1 - mix * torch.rand(BATCH, 1, generator=generator) * 0.5
        x = share[..., None] * x + (1 - share[..., None]) * x.roll(1, 0)
        target, weight = labels[records], known[records] * (1 - mix)
        net.train()
        with torch.autocast("cpu", torch.bfloat16):
            logits = net(x).float()
        hard = (loss_of(logits, target * 0.94 + 0.03) * weight).sum() / (5 * weight.sum().clamp(min=1))
        if teacher is None:
            loss = hard
        else:
            loss = loss_of(logits, teacher(x)).mean() + LABEL_WEIGHT * hard
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        schedule.step()
        with torch.no_grad():
            keep = min(0.998, (step + 1) / (step + 10))
            for mine, new in zip(average.state_dict().values(), net.state_dict().values(), strict=True):
                if mine.dtype.is_floating_point:
                    mine.lerp_(new, 1 - keep)
        if step % 250 == 0:
            print(
                f"seed {seed} step {step}/{steps} loss {loss.item():.4f} {time.monotonic() - started:.0f} s",
                flush=True,
            )
    return average.eval()


def fibrillation(recordings: list[data.Recording]) -> LogisticRegression:
    """AFIB from three rhythm features: few positives, so few numbers and a ridge penalty."""
    rows, target = [], []
    for recording in recordings:
        features = rhythm_features(
            recording.samples, recording.rate, find_beats(recording.samples, recording.rate)
        )
        if features is not None and recording.labels is not None:
            rows.append(features)
            target.append(recording.labels["AFIB"])
    return LogisticRegression(C=1.0, class_weight="balanced").fit(np.stack(rows), np.asarray(target))


def shipped(nets: list[WindowNet], rhythm: LogisticRegression) -> Shipped:
    weight = torch.tensor(rhythm.coef_, dtype=torch.float32)
    return Shipped(nets, weight, torch.tensor(rhythm.intercept_, dtype=torch.float32)).eval()


def answers(model: Shipped, recordings: list[data.Recording]) -> dict[str, list[float]]:
    """The graph's probabilities for whole recordings, by key, as the reader forms them."""
    result = {}
    for recording in recordings:
        tensors = ecg_tensors(recording.samples, recording.rate)
        with torch.no_grad():
            rows: NDArray[np.float32] = model(
                torch.from_numpy(tensors.windows), torch.from_numpy(tensors.rhythm)
            ).numpy()
        result[recording.key] = [round(float(value), 5) for value in rows.mean(axis=0)]
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["cross-validate", "final", "from-scratch", "shuffled"])
    parser.add_argument("--root", type=Path, default=data.DEFAULT_ROOT)
    parser.add_argument(
        "--work", type=Path, required=True, help="folder for predictions and the exported graph"
    )
    parser.add_argument("--steps", type=int, default=None)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.work.mkdir(parents=True, exist_ok=True)
    ptbxl, ludb = list(data.ptbxl(args.root)), list(data.ludb(args.root))
    train = [r for r in ptbxl if r.fold <= 8]
    teacher = Teacher(args.root / "teacher")
    predictions: dict[str, list[float]] = {}
    if args.what == "cross-validate":
        for fold in CROSS_VALIDATION:
            inside = [r for r in train if r.fold not in fold] + ludb
            net = train_net(inside, teacher, args.steps or 3000, args.seeds[0])
            predictions |= answers(shipped([net], fibrillation(inside)), [r for r in train if r.fold in fold])
            (args.work / f"{args.what}.json").write_text(json.dumps(predictions))
        return
    if args.what == "final":
        inside = train + ludb
        nets = [train_net(inside, teacher, args.steps or 8000, seed) for seed in args.seeds]
    else:
        inside = train
        shuffle = args.what == "shuffled"
        nets = [train_net(inside, None, args.steps or 1000, seed, shuffle) for seed in args.seeds]
    model = shipped(nets, fibrillation(inside))
    held = [r for r in ptbxl if r.fold == 9] + list(data.china(args.root))
    (args.work / f"{args.what}.json").write_text(json.dumps(answers(model, held)))
    if args.what == "final":
        export(model, args.work / "model.onnx")


if __name__ == "__main__":
    main()

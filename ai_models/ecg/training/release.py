"""Write a version's folder: weights, manifest, evaluation.json and both cards, from a finished training.

    .venv-train/bin/python -m ai_models.ecg.training.release --work /tmp/ecg --version 1.0.0

Thresholds are chosen here, on out-of-fold predictions inside folds 1-8 alone; fold 9 is only reported.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from ai_models.card_language import in_language
from ai_models.ecg.beats import find_beats, rhythm_features
from ai_models.ecg.gate import LONGEST_S, RATES_HZ, SHORTEST_S
from ai_models.ecg.reader import MODEL
from ai_models.ecg.signal import LEADS, PREPROCESSING, at_model_rate, windows
from ai_models.ecg.training import baseline, data, evaluate
from ai_models.ecg.training.metrics import Figure, auc, macro_auc, threshold_at, with_interval
from ai_models.ecg.training.train import CROSS_VALIDATION, Teacher, fibrillation

FAMILY = Path(__file__).resolve().parents[1]
LEAST_SPECIFICITY = 0.90
"""Out of fold. A flag reorders a list that people work through: one false alarm in ten is what it may cost."""
SNOMED_CT = "http://snomed.info/sct"
PTB_XL = "https://doi.org/10.13026/kfzx-aw45"
CODES = {
    "NORM": (PTB_XL, "NORM", "Normal ECG"),
    "MI": (PTB_XL, "MI", "Myocardial infarction"),
    "STTC": (PTB_XL, "STTC", "ST/T change"),
    "CD": (PTB_XL, "CD", "Conduction disturbance"),
    "HYP": (PTB_XL, "HYP", "Hypertrophy"),
    "AFIB": (SNOMED_CT, "49436004", "Atrial fibrillation"),
}

Scores = NDArray[np.float64]


def truth_of(recordings: list[data.Recording]) -> NDArray[np.bool_]:
    return np.asarray([[bool((r.labels or {}).get(name, False)) for name in data.LABELS] for r in recordings])


def figures(recordings: list[data.Recording], scores: Scores, labels: int = 6) -> dict[str, Any]:
    """AUC rows as JSON: macro over the superclasses and each label that `scores` has."""
    truth, groups = truth_of(recordings), [r.group for r in recordings]
    rows: dict[str, Figure] = {"macro": with_interval(macro_auc, truth[:, :5], scores[:, :5], groups)}
    for column, name in enumerate(data.LABELS[:labels]):
        rows[name] = with_interval(auc, truth[:, column], scores[:, column], groups)
    return {name: row.as_json() for name, row in rows.items()}


def out_of_fold_fibrillation(train: list[data.Recording], ludb: list[data.Recording]) -> tuple[Any, Any, Any]:
    """AFIB out of fold over folds 1-8 and LUDB (a fourth of it with each pair of folds): recordings, scores."""
    tested, scores = [], []
    for part, folds in enumerate(CROSS_VALIDATION):
        held = [r for r in train if r.fold in folds] + ludb[part::4]
        keys = {r.key for r in held}
        model = fibrillation([r for r in train + ludb if r.key not in keys])
        for recording in held:
            beats = find_beats(recording.samples, recording.rate)
            row = rhythm_features(recording.samples, recording.rate, beats)
            if row is not None:
                tested.append(recording)
                scores.append(model.predict_proba(row[None])[0, 1])
    truth = np.asarray([bool((r.labels or {})["AFIB"]) for r in tested])
    return tested, truth, np.asarray(scores)


def teacher_scores(teacher: Teacher, recordings: list[data.Recording]) -> Scores:
    import torch

    rows = []
    for recording in recordings:
        cut = windows(at_model_rate(recording.samples, recording.rate))
        rows.append(teacher(torch.from_numpy(cut)).numpy().max(axis=0))
    return np.asarray(rows, dtype=np.float64)


def manifest(version: str, digest: str, thresholds: dict[str, float]) -> dict[str, Any]:
    return {
        "name": MODEL,
        "version": version,
        "sha256": digest,
        "task": "ecg-classification",
        "licence": "Apache-2.0",
        "precision": "fp32",
        "preprocessing": PREPROCESSING,
        "input_domain": {
            "modalities": ["ECG"],
            "leads": list(LEADS),
            "seconds": [SHORTEST_S, LONGEST_S],
            "sampling_rate_hz": list(RATES_HZ),
            "patients": "adults, resting ECG",
        },
        "inputs": [
            {"name": "windows", "datatype": "FP32", "shape": [-1, -1, 12, 300]},
            {"name": "rhythm", "datatype": "FP32", "shape": [-1, 3]},
        ],
        "outputs": [{"name": "probability", "datatype": "FP32", "shape": [-1, 6]}],
        # A recording of ten seconds: what the engine warms and times with.
        "engine": {"typical": {"windows": [1, 6, 12, 300], "rhythm": [1, 3]}},
        "labels": [
            {
                "name": name,
                "threshold": round(thresholds[name], 4),
                "code": dict(zip(("system", "code", "display"), CODES[name], strict=True)),
            }
            for name in data.LABELS
        ],
    }


def loaded(path: Path, recordings: list[data.Recording]) -> Scores:
    rows = json.loads(path.read_text("utf-8"))
    return np.asarray([rows[recording.key] for recording in recordings], dtype=np.float64)


def measured(root: Path, work: Path) -> tuple[dict[str, Any], dict[str, float]]:
    """evaluation.json and the thresholds."""
    ptbxl, ludb = list(data.ptbxl(root)), list(data.ludb(root))
    train, fold9 = [r for r in ptbxl if r.fold <= 8], [r for r in ptbxl if r.fold == 9]
    inside = loaded(work / "cross-validate.json", train)
    truth = truth_of(train)
    thresholds = {
        name: threshold_at(truth[:, column], inside[:, column], LEAST_SPECIFICITY)
        for column, name in enumerate(data.SUPERCLASSES)
    }
    tested, rhythm_truth, rhythm = out_of_fold_fibrillation(train, ludb)
    thresholds["AFIB"] = threshold_at(rhythm_truth, rhythm, LEAST_SPECIFICITY)
    crossed = figures(train, inside)
    crossed["AFIB"] = with_interval(auc, rhythm_truth, rhythm, [r.group for r in tested]).as_json()
    everyone = figures(train + fold9, np.concatenate([inside, loaded(work / "final.json", fold9)]))
    return {
        "auc": {
            "out of fold, folds 1-8": crossed,
            "five-fold, all 434": everyone,
            "teacher, fold 9": figures(fold9, teacher_scores(Teacher(root / "teacher"), fold9), 5),
            "labels alone, fold 9": figures(fold9, loaded(work / "from-scratch.json", fold9), 5),
            "median-beat logistic, fold 9": figures(fold9, baseline.predict(train, fold9), 5),
            "shuffled labels, fold 9": figures(fold9, loaded(work / "shuffled.json", fold9), 5),
        },
        "thresholds": thresholds,
    }, thresholds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=data.DEFAULT_ROOT)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--version", required=True)
    args = parser.parse_args()
    folder = FAMILY / "weights" / f"{MODEL}-{args.version}"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(args.work / "model.onnx", folder / "model.onnx")
    onnxruntime.InferenceSession(str(folder / "model.onnx"))
    digest = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
    kept, thresholds = measured(args.root, args.work)
    _write(folder / "manifest.json", manifest(args.version, digest, thresholds))
    _write(folder / "evaluation.json", kept)
    shipped = {label["name"]: label["threshold"] for label in manifest("0", "0", thresholds)["labels"]}
    answered = evaluate.own_and_foreign(args.root)
    sets = {"fold 9": answered["fold9"], "China": answered["china"]}
    places = {
        "version": args.version,
        "sha256": digest,
        "preprocessing": PREPROCESSING,
        "auc": evaluate.auc_table({name: rows.figures() for name, rows in sets.items()}),
        "recorded": evaluate.auc_table(kept["auc"]),
        "flags": evaluate.threshold_table(
            {name: evaluate.at_thresholds(rows, shipped) for name, rows in sets.items()}, shipped
        ),
        "refused": str(sum(answered["china"].refused.values())),
    }
    for language in ("zh-CN", "en"):
        template = (Path(__file__).parent / f"card.{language}.md.in").read_text("utf-8")
        for name, text in places.items():
            template = template.replace("{{" + name + "}}", in_language(text, language))
        (folder / f"card.{language}.md").write_text(template, "utf-8")
    print(evaluate.report(args.root))


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()

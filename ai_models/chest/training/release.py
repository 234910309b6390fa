"""Write a version's folder of each film network from finished trainings: weights, manifest, evaluation, cards.

    .venv-train/bin/python -m ai_models.chest.training.release --work /tmp/chest --version 1.0.0

Temperature and threshold come from out-of-fold answers, the gate's limits from fold 1, which its network never saw;
the gate's figures come from fold 0 and from NIH, on which nothing was chosen.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ai_models.chest.bottleneck import PREPROCESSING, RIM, SIZE
from ai_models.chest.domain import KINDS
from ai_models.chest.reader import TASK
from ai_models.chest.training import data, gate_check, score
from ai_models.chest.training.export import export, made_up, ready
from ai_models.chest.training.network import FINDING, GATE, FilmNet, Shipped, both_ways
from ai_models.chest.training.train import MEMBERS, SET, inner

FAMILY = Path(__file__).resolve().parents[1]
SNOMED_CT = "http://snomed.info/sct"


@dataclass(frozen=True)
class Product:
    """What is shipped under which name, for whom."""

    name: str
    label: str
    code: tuple[str, str]
    kind: str
    age_years: tuple[float, float]
    views: tuple[str, ...]
    patients: str


PRODUCTS = {
    "tb": Product(
        "chest-tb",
        "tb",
        ("154283005", "Pulmonary tuberculosis"),
        "adult",
        (15, 131),
        ("PA",),
        "persons of 15 years and over, frontal chest film, PA",
    ),
    "pneumonia": Product(
        "chest-pneumonia-child",
        "pneumonia_child",
        ("233604007", "Pneumonia"),
        "child",
        (1, 6),
        ("AP",),
        "children of 1 to 5 years, frontal chest film, AP",
    ),
}
MODALITIES = ("DX", "CR")
BODY_PARTS = ("CHEST", "THORAX", "LUNG")
SMALLEST_SIDE = 96
ASPECT = (0.6, 1.7)


@dataclass(frozen=True)
class OutOfFold:
    """One answer a film by the network that did not see its fold."""

    truth: NDArray[np.bool_]
    logit: NDArray[np.float64]
    fold: NDArray[np.int64]
    group: list[str]
    source: NDArray[np.str_]


def out_of_fold(films: data.Films, nets: list[FilmNet], rows: NDArray[np.int64]) -> OutOfFold:
    """The answers to `rows` of the folds that some member never saw, each by that member."""
    rows = rows[films.fold[rows] < len(nets)]
    fold = films.fold[rows]
    logit = np.empty(len(rows))
    for k, net in enumerate(nets):
        held = np.flatnonzero(fold == k)
        for part in np.array_split(held, len(held) // 64 + 1):
            with torch.no_grad():
                maps = both_ways(net, inner(films.plain[rows[part]]))
            logit[part] = maps.mean((1, 2, 3)).numpy()
    return OutOfFold(
        truth=films.truth[rows] == 1,
        logit=logit,
        fold=fold,
        group=[str(group) for group in films.group[rows]],
        source=films.source[rows],
    )


def network(path: Path, layout: Any, classes: int = 1) -> FilmNet:
    net = FilmNet(layout, classes)
    net.load_state_dict(torch.load(path, weights_only=True))
    return ready(net.eval())


def evaluation(answers: OutOfFold, degree: float) -> dict[str, Any]:
    probability = 1 / (1 + np.exp(-answers.logit / degree))
    rows = {"all": np.ones(len(answers.truth), bool)}
    for source in np.unique(answers.source):
        if len(np.unique(answers.source)) > 1:
            rows[str(source)] = answers.source == source
    flags = score.crossed(answers.truth, probability, answers.fold)
    result: dict[str, Any] = {}
    for name, mine in rows.items():
        groups = [g for g, m in zip(answers.group, mine, strict=True) if m]
        result[name] = {
            "auc": score.with_interval(score.auc, answers.truth[mine], probability[mine], groups).as_json(),
            "sensitivity": score.with_interval(
                score.sensitivity, answers.truth[mine], flags[mine], groups
            ).as_json(),
            "specificity": score.with_interval(
                score.specificity, answers.truth[mine], flags[mine], groups
            ).as_json(),
        }
    return result


def manifest(
    product: Product, version: str, sha256: str, limit: float, least_kind: float, members: int
) -> dict[str, Any]:
    code, display = product.code
    return {
        "name": product.name,
        "version": version,
        "sha256": sha256,
        "task": TASK,
        "licence": "Apache-2.0",
        "precision": "fp32",
        "preprocessing": PREPROCESSING,
        "input_domain": {
            "modalities": list(MODALITIES),
            "age_years": list(product.age_years),
            "views": list(product.views),
            "body_parts": list(BODY_PARTS),
            "smallest_side": SMALLEST_SIDE,
            "aspect": list(ASPECT),
            "kind": product.kind,
            "least_kind": least_kind,
            "patients": product.patients,
        },
        "inputs": [{"name": "film", "datatype": "FP32", "shape": [-1, 1, SIZE, SIZE]}],
        "outputs": [
            {"name": "probability", "datatype": "FP32", "shape": [-1, 1]},
            {"name": "map", "datatype": "FP32", "shape": [-1, 15, 15]},
            {"name": "gate", "datatype": "FP32", "shape": [-1, len(KINDS)]},
            {"name": "members", "datatype": "FP32", "shape": [-1, members]},
        ],
        "labels": [
            {
                "name": product.label,
                "threshold": round(limit, 4),
                "code": {"system": SNOMED_CT, "code": code, "display": display},
            }
        ],
        "engine": {"typical": {"film": [1, 1, SIZE, SIZE]}},
    }


def release(what: str, version: str, root: Path, work: Path) -> None:
    product = PRODUCTS[what]
    films = data.load(SET[what], root, work)
    nets = [network(work / f"{what}-{k}.pt", FINDING) for k in range(MEMBERS[what])]
    # One film a person of NLM; of a child every film counts.
    rows = data.one_a_film(films) if what == "tb" else np.arange(len(films.key))
    answers = out_of_fold(films, nets, rows)
    degree = score.temperature(answers.truth, answers.logit)
    probability = 1 / (1 + np.exp(-answers.logit / degree))
    limit = score.threshold(answers.truth, probability)
    gate = network(work / "gate.pt", GATE, len(KINDS))
    least_kind, gate_figures = gate_check.judge(gate, product.kind, root, work)
    model = Shipped(nets, [gate], degree).eval()
    folder = FAMILY / "weights" / f"{product.name}-{version}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    some = films.plain[:: max(len(films.plain) // 160, 1)][:, RIM:-RIM, RIM:-RIM]
    worst = export(model, folder / "model.onnx", some[:, None].astype(np.float32) / 255)
    sha256 = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
    shown = manifest(product, version, sha256, limit, least_kind, len(nets))
    (folder / "manifest.json").write_text(json.dumps(shown, indent=2) + "\n", "utf-8")
    with torch.no_grad():
        golden = [out.numpy().round(6).tolist() for out in model(torch.from_numpy(made_up(2)))]
    written = {
        "out_of_fold": evaluation(answers, degree),
        "temperature": round(degree, 4),
        "gate": gate_figures,
        "nih_flagged": foreign_flags(model, limit, product.kind, least_kind, data.load("nih", root, work)),
        "parity": {
            "films": len(some),
            "largest_difference": worst,
            "made_up": dict(zip(("probability", "map", "gate", "members"), golden, strict=True)),
        },
    }
    (folder / "evaluation.json").write_text(json.dumps(written, indent=1) + "\n", "utf-8")
    print(what, json.dumps({key: written[key] for key in ("out_of_fold", "temperature", "gate")}, indent=1))
    cards(folder, shown, written)


def foreign_flags(
    model: Shipped, limit: float, kind: str, least_kind: float, films: data.Films
) -> dict[str, int]:
    """What the shipped networks together say of films of another hospital, which has no answers for them."""
    with torch.no_grad():
        probability, _, gate, _ = model(inner(films.plain))
    passed = gate[:, KINDS.index(kind)] >= least_kind
    flags = passed & (probability[:, 0] >= limit)
    return {"flagged": int(flags.sum()), "in_domain": int(passed.sum()), "n": len(films.key)}


def cards(folder: Path, shown: dict[str, Any], written: dict[str, Any]) -> None:
    """Fill the card of this product in both languages."""
    for language in ("en", "zh-CN"):
        text = (Path(__file__).parent / f"card-{shown['name']}.{language}.md.in").read_text("utf-8")
        for mark, value in marks(shown, written).items():
            text = text.replace(mark, value)
        if "{{" in text:
            raise ValueError(f"card {language}: {text[text.index('{{') :][:60]}")
        (folder / f"card.{language}.md").write_text(text, "utf-8")


def marks(shown: dict[str, Any], written: dict[str, Any]) -> dict[str, str]:
    def figure(row: dict[str, Any]) -> str:
        return f"{row['value']:.3f} [{row['low']:.3f}-{row['high']:.3f}]"

    result = {
        "{{version}}": shown["version"],
        "{{nih flagged}}": f"{written['nih_flagged']['flagged']} / {written['nih_flagged']['in_domain']}",
        "{{members}}": str(shown["outputs"][-1]["shape"][1]),
        "{{sha256}}": shown["sha256"],
        "{{preprocessing}}": shown["preprocessing"],
        "{{threshold}}": f"{shown['labels'][0]['threshold']:.4f}",
        "{{temperature}}": f"{written['temperature']:.2f}",
        "{{least_kind}}": f"{shown['input_domain']['least_kind']:.2f}",
        "{{parity}}": f"{written['parity']['largest_difference']:.1g}",
        "{{parity_films}}": str(written["parity"]["films"]),
    }
    for source, rows in written["out_of_fold"].items():
        for name, row in rows.items():
            result[f"{{{{{source} {name}}}}}"] = figure(row)
        result[f"{{{{{source} n}}}}"] = f"{rows['auc']['positives']}/{rows['auc']['n']}"
    for name, row in written["gate"].items():
        result[f"{{{{gate {name}}}}}"] = f"{figure(row)}, n = {row['n']}"
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--root", type=Path, default=data.DEFAULT_ROOT)
    parser.add_argument("--what", nargs="+", choices=sorted(PRODUCTS), default=sorted(PRODUCTS))
    args = parser.parse_args()
    torch.set_num_threads(1)
    for what in args.what:
        release(what, args.version, args.root, args.work)


if __name__ == "__main__":
    main()

"""Make the folder of a version: weights, manifest, the kept figures and both cards.

.venv-train/bin/python -m ai_models.ecg.delineation.training.release --work /tmp/delineation --version 1.0.0
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import onnxruntime

from ai_models.card_language import in_language
from ai_models.ecg.delineation.intervals import INDEPENDENCE
from ai_models.ecg.delineation.reader import MODEL, DelineationReader
from ai_models.ecg.delineation.tensors import PREPROCESSING
from ai_models.ecg.delineation.training import evaluate
from ai_models.ecg.delineation.training.manifest import manifest
from ai_models.ecg.training import data
from ai_models.engine import Engine
from telemed.imaging.waveform import read_waveform

WEIGHTS = Path(__file__).resolve().parents[2] / "weights"


def failures(rows: dict[str, Any], language: str) -> str:
    """The records with the most errors, as a Markdown list."""
    missed, extra = ("missed", "extra") if language == "en" else ("漏", "多")
    comma, colon, stop = (", ", ": ", "") if language == "en" else ("、", "：", "")
    lines = []
    for wave, worst in rows["worst"].items():
        cells = comma.join(f"{key} ({missed} {m}, {extra} {e})" for key, m, e in worst)
        lines.append(f"- {wave}{colon}{cells or '-'}{stop}")
    for name, row in rows["globals"]["representative"].items():
        cells = comma.join(f"{key} {error:+d} ms" for key, error in row["worst"])
        lines.append(f"- {name.removesuffix('_ms').upper()}{colon}{cells}")
    return "\n".join(lines)


def device_text(root: Path) -> str:
    """What the released model measures on the recording that carries its device's own measurements."""
    waveform = read_waveform((root / "formats" / "dicom" / "mortara_el250_12lead.dcm").read_bytes())
    found = DelineationReader(Engine()).read(waveform).measurements
    return ", ".join(
        f"{name.removesuffix('_ms').upper()} {found[name]:.0f}" for name in ("qrs_ms", "qt_ms", "pr_ms")
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=data.DEFAULT_ROOT)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--version", required=True)
    args = parser.parse_args()
    folder = WEIGHTS / f"{MODEL}-{args.version}"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(args.work / "model.onnx", folder / "model.onnx")
    onnxruntime.InferenceSession(str(folder / "model.onnx"))
    digest = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
    rows = evaluate.kept(args.root, args.work)
    _write(folder / "manifest.json", manifest(args.version, digest))
    _write(folder / "evaluation.json", rows)
    p = rows["globals"]["representative"]["pr_ms"]
    if rows["independence"] != INDEPENDENCE:
        raise SystemExit(
            f"the folds choose independence {rows['independence']}: set it in intervals.py, then again"
        )
    places = {
        "version": args.version,
        "sha256": digest,
        "preprocessing": PREPROCESSING,
        "records": str(rows["records"]),
        "records_alone": str(rows["records_alone"]),
        "boundaries": evaluate.boundary_table(rows["boundaries"]),
        "alone": evaluate.boundary_table(rows["boundaries_alone"]),
        "globals": evaluate.global_table(rows["globals"]),
        "usual": evaluate.usual_table(rows["qrs_without_conduction_disorder"]),
        "device": device_text(args.root),
        "independence": f"{INDEPENDENCE:g}",
        "by_fold": ", ".join(f"{value:g}" for value in rows["independence_by_fold"]),
        "pr_answer_alone": ", ".join(p["answer_alone"]) or "-",
        "pr_mark_alone": ", ".join(p["mark_alone"]) or "-",
    }
    for language in ("zh-CN", "en"):
        text = (Path(__file__).parent / f"card.{language}.md.in").read_text("utf-8")
        for name, value in places.items():
            text = text.replace("{{" + name + "}}", in_language(value, language))
        text = text.replace("{{failures}}", failures(rows, language))
        (folder / f"card.{language}.md").write_text(text, "utf-8")


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()

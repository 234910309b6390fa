"""Makes another precision of an ECG model and measures what it does to the answers.

    python -m ai_models.tools.quantize int8      static QDQ, u8 activations x s8 weights per channel (ONNX Runtime)
    python -m ai_models.tools.quantize int8 --again     the network that is there, measured anew
    python -m ai_models.tools.quantize bf16      no new file: the same weights on OpenVINO in bfloat16
    python -m ai_models.tools.quantize bf16 --model ecg-delineation

It needs the training environment (`onnx`) for a new int8, `openvino` for bf16, and the public recordings. The rung's
folder gets its network and `evidence.json`, sufficient or not; the engine judges by itself whether it is.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ai_models.ecg.delineation.decode import WAVES
from ai_models.ecg.delineation.reader import MODEL as DELINEATION
from ai_models.ecg.delineation.tensors import network_input
from ai_models.ecg.gate import judge
from ai_models.ecg.reader import MODEL
from ai_models.ecg.signal import LEADS
from ai_models.ecg.tensors import ecg_tensors
from ai_models.ecg.training import data
from ai_models.evidence import FILE, LARGEST_DIFFERENCE, LEAST_AGREEMENT, LEAST_RECORDINGS
from ai_models.manifest import Manifest
from ai_models.registry import Registry, read_network, read_weights
from ai_models.runner import Tensor
from ai_models.session import Session, open_session
from ai_models.tools.int8_network import LOUDEST_MV, int8_network, is_loud
from telemed.imaging.waveform import Waveform

SEED = 20260714
"""No choice was made on copies of this seed."""
VARIANTS = 3
"""Augmented copies of each recording, beside itself."""
CALIBRATION_FOLDS, CHOICE_FOLDS = (1, 2, 3), (4, 5, 6)
"""Folds of PTB-XL that set the scales of int8, and those on which its choices were made; its evidence is measured on
all others and on the other sources."""

# The eight independent leads I II V1-V6 from nine electrodes RA LA LL V1-V6 (Wilson's central terminal).
_ELECTRODES = np.zeros((8, 9))
_ELECTRODES[0, :2] = (-1.0, 1.0)
_ELECTRODES[1, [0, 2]] = (-1.0, 1.0)
_ELECTRODES[2:, :3] = -1 / 3
_ELECTRODES[2:, 3:] = np.eye(6)


def varied(samples: NDArray[np.float32], rate: float, generator: np.random.Generator) -> NDArray[np.float32]:
    """A recording (12, n) mV with another gain, wander, 50 Hz and muscle noise at its electrodes.

    Noise reaches the leads as in a body, so that I + III = II still holds.
    """
    n = samples.shape[1]
    time = np.arange(n) / rate
    at = np.zeros((9, n))
    at += generator.uniform(0, 0.08) * np.sin(
        2 * np.pi * (generator.uniform(0.15, 0.4, (9, 1)) * time + generator.uniform(0, 1, (9, 1)))
    )
    at += generator.uniform(0, 0.02) * np.sin(2 * np.pi * 50 * time) * generator.uniform(0, 1, (9, 1))
    at += generator.uniform(0, 0.03) * generator.standard_normal((9, n))
    leads = samples[[0, 1, *range(6, 12)]] * np.exp(generator.normal(0, 0.2)) + _ELECTRODES @ at
    i, ii = leads[0], leads[1]
    rows = [i, ii, ii - i, -(i + ii) / 2, i - ii / 2, ii - i / 2, *leads[2:]]
    return np.asarray(rows, dtype=np.float32)


def recordings() -> Iterator[tuple[int, NDArray[np.float32], float]]:
    """(fold, samples (12, n) mV, rate in Hz) of all public recordings at hand; 0 for those of other sources."""
    for recording in chain(data.ptbxl(), data.china(), data.ludb()):
        fold = recording.fold if recording.source == "ptbxl" else 0
        yield fold, recording.samples, recording.rate


Prepare = Callable[[NDArray[np.float32], float], Mapping[str, Tensor]]
PREPARE: dict[str, Prepare] = {
    MODEL: lambda samples, rate: ecg_tensors(samples, rate).inputs(),
    DELINEATION: lambda samples, rate: {"signal": network_input(samples, rate)[0]},
}


def gathered(
    prepare: Prepare, calibrating: bool, variants: int
) -> tuple[list[dict[str, Tensor]], list[dict[str, Tensor]], list[bool]]:
    """Inputs for calibration, inputs for the evidence, and which of the latter are recordings as they are.

    What the product's own gate keeps away from the network is left out; without calibration everything is evidence.
    """

    def tensors(samples: NDArray[np.float32], rate: float) -> dict[str, Tensor] | None:
        verdict = judge(Waveform(LEADS, samples, rate))
        return None if verdict.samples is None else dict(prepare(verdict.samples, rate))

    generator = np.random.default_rng(SEED)
    calibration: list[dict[str, Tensor]] = []
    judged: list[dict[str, Tensor]] = []
    as_recorded: list[bool] = []
    for fold, samples, rate in recordings():
        if calibrating and fold in CHOICE_FOLDS:
            continue
        plain = tensors(samples, rate)
        if plain is None:
            continue
        for_calibration = calibrating and fold in CALIBRATION_FOLDS
        copies = (tensors(varied(samples, rate, generator), rate) for _ in range(variants))
        rows = [plain, *(copy for copy in copies if copy is not None)]
        if for_calibration:
            calibration += rows
        else:
            judged += rows
            as_recorded += [row is plain for row in rows]
    return calibration, judged, as_recorded


def measured(
    manifest: Manifest, reference: Session, other: Session, judged: list[dict[str, Tensor]]
) -> dict[str, Any]:
    """Flag agreement over all (recording, label) pairs and the largest and mean |dp|, also by label."""
    names = [label.name for label in manifest.labels]
    thresholds = np.asarray([label.threshold for label in manifest.labels])
    outputs = [spec.name for spec in manifest.outputs][:1]

    def answers(session: Session) -> NDArray[np.float64]:
        return np.stack([session.run(outputs, row)[0].astype(np.float64).mean(axis=0) for row in judged])

    ours, theirs = answers(reference), answers(other)
    same = (ours >= thresholds) == (theirs >= thresholds)
    apart = np.abs(ours - theirs)
    return {
        "recordings": len(judged),
        "flag_agreement": round(float(same.mean()), 6),
        "recordings_with_all_flags_equal": round(float(same.all(axis=1).mean()), 6),
        "largest_difference": round(float(apart.max()), 6),
        "mean_difference": round(float(apart.mean()), 6),
        "by_label": {
            name: {
                "flag_agreement": round(float(same[:, column].mean()), 6),
                "largest_difference": round(float(apart[:, column].max()), 6),
            }
            for column, name in enumerate(names)
        },
    }


def without_labels(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in figures.items() if name != "by_label"}


def masks_measured(reference: Session, other: Session, judged: list[dict[str, Tensor]]) -> dict[str, Any]:
    """The same for a delineation: its flags are the decisions that waves are made of, P, QRS or T at each sample of
    each lead, where the probability passes one half. |dp| is over all of its numbers.
    """
    differing, decisions, recordings_alike = np.zeros(len(WAVES), np.int64), 0, 0
    largest, total = np.zeros(len(WAVES)), 0.0
    for row in judged:
        ours, theirs = (session.run(["probability"], row)[0][0, :, 1:] for session in (reference, other))
        flags, apart = (ours > 0.5) != (theirs > 0.5), np.abs(ours - theirs)
        differing += flags.sum(axis=(0, 2))
        decisions += flags[:, 0].size
        recordings_alike += not flags.any()
        largest, total = np.maximum(largest, apart.max(axis=(0, 2))), total + float(apart.mean())
    return {
        "recordings": len(judged),
        "flag_agreement": round(1 - float(differing.sum()) / (decisions * len(WAVES)), 6),
        "recordings_with_all_flags_equal": round(recordings_alike / len(judged), 6),
        "largest_difference": round(float(largest.max()), 6),
        "mean_difference": round(total / len(judged), 6),
        "by_label": {
            wave: {
                "flag_agreement": round(1 - float(differing[column]) / decisions, 6),
                "largest_difference": round(float(largest[column]), 6),
            }
            for column, wave in enumerate(WAVES)
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("precision", choices=("int8", "bf16"))
    parser.add_argument("--calibration", default="Percentile", choices=("MinMax", "Percentile", "Entropy"))
    parser.add_argument("--model", default=MODEL, choices=sorted(PREPARE))
    parser.add_argument("--variants", type=int, default=VARIANTS, help="augmented copies of each recording")
    parser.add_argument("--again", action="store_true", help="measure the network that is there, make none")
    arguments = parser.parse_args()
    if arguments.precision == "int8" and arguments.model != MODEL:
        parser.error("the choices for int8 were made for the classification alone")
    manifest = Registry().get(arguments.model)
    reference = open_session(manifest, read_weights(manifest))
    calibration, judged, as_recorded = gathered(
        PREPARE[arguments.model], arguments.precision == "int8", arguments.variants
    )
    folder = manifest.folder / "rungs" / arguments.precision
    folder.mkdir(parents=True, exist_ok=True)
    in_fp32: dict[str, Any] = {}
    if arguments.precision == "int8":
        if not arguments.again:
            (folder / "model.onnx").write_bytes(int8_network(manifest, calibration, arguments.calibration))
        sha256 = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
        other: Session = open_session(manifest, read_network(folder / "model.onnx", sha256))
        how = {
            "backend": "onnxruntime",
            "method": f"static QDQ u8 x s8 per channel, {arguments.calibration}; fp32: the first convolution, and "
            f"recordings of more than {LOUDEST_MV:g} mV",
        }
        # What runs in fp32 agrees with itself and proves nothing: the figures are of the others alone.
        loud = [is_loud(row) for row in judged]
        in_fp32 = {
            "recordings_in_fp32": sum(loud),
            "with_those_in_fp32": without_labels(measured(manifest, reference, other, judged)),
        }
        as_recorded = [plain for plain, is_so in zip(as_recorded, loud, strict=True) if not is_so]
        judged = [row for row, is_so in zip(judged, loud, strict=True) if not is_so]
    else:
        from ai_models.openvino_session import OpenVinoSession

        sha256, other = manifest.sha256, OpenVinoSession(manifest, read_weights(manifest))
        how = {"backend": "openvino", "method": "INFERENCE_PRECISION_HINT bf16"}
    proof = {
        "precision": arguments.precision,
        **how,
        "runtime": other.runtime,
        "base_sha256": manifest.sha256,
        "sha256": sha256,
        **(
            measured(manifest, reference, other, judged)
            if manifest.labels
            else masks_measured(reference, other, judged)
        ),
        **in_fp32,
        "as_recorded": sum(as_recorded),
        "variants": arguments.variants,
        "calibration_inputs": len(calibration) if arguments.precision == "int8" else 0,
        "seed": SEED,
        "needed": {
            "recordings": LEAST_RECORDINGS,
            "flag_agreement": LEAST_AGREEMENT,
            "largest_difference": LARGEST_DIFFERENCE,
        },
    }
    (folder / FILE).write_text(json.dumps(proof, indent=2) + "\n", "utf-8")
    print(json.dumps(proof, indent=2))


if __name__ == "__main__":
    main()

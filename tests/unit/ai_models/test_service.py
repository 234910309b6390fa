"""The engine in service: full lines, models that fail, new versions, precisions with and without proof."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from Crypto.PublicKey import ECC

from ai_models import evidence, signature
from ai_models.ecg.delineation.reader import MODEL as DELINEATION
from ai_models.ecg.reader import MODEL
from ai_models.ecg.tensors import ecg_tensors
from ai_models.engine import Engine
from ai_models.errors import EngineBusy, InvalidTensor, ModelFailed, ModelRefused, UnknownModel
from ai_models.in_service import InService
from ai_models.ladder import typical_inputs
from ai_models.manifest import Manifest
from ai_models.precision import Precisions
from ai_models.registry import Registry
from ai_models.runner import Tensor
from ai_models.session import CUDA
from telemed.domain.inference import Urgency
from tests.unit.ai_models import synthetic

Copied = Callable[[], Path]
LATE_S = 60.0


def inputs() -> dict[str, Tensor]:
    return dict(ecg_tensors(synthetic.samples(), 500.0).inputs())


class Stub:
    """Stands for a session: waits where it is told to, and answers what it is told to."""

    provider = runtime = device = "stub"

    def __init__(self, answer: Callable[[], list[Tensor]] | None = None, held: bool = False) -> None:
        self.answer = answer or (lambda: [np.zeros((1, 6), np.float32)])
        self.go, self.started = threading.Event(), threading.Semaphore(0)
        self.runs = 0
        if not held:
            self.go.set()

    def run(self, outputs: Sequence[str], inputs: Mapping[str, Tensor]) -> list[Tensor]:
        self.runs += 1
        self.started.release()
        assert self.go.wait(30)
        return self.answer()


def staged(stub: Stub, runners: int = 1, waiting: int = 128) -> tuple[Engine, InService]:
    engine = Engine(runners=runners, waiting=waiting)
    engine.identity(MODEL)
    (loaded,) = engine._loaded.values()
    loaded.session = stub
    return engine, loaded


def test_a_full_line_refuses_at_once_and_recovers() -> None:
    stub = Stub(held=True)
    engine, _ = staged(stub, waiting=0)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(engine.run, MODEL, inputs())
        assert stub.started.acquire(timeout=30)
        with pytest.raises(EngineBusy):
            engine.run(MODEL, inputs())
        stub.go.set()
        assert running.result(30)["probability"].shape == (1, 6)
    assert engine.run(MODEL, inputs())["probability"].shape == (1, 6)
    assert b'telemed_inference_refused_total{model="ecg-superclass",reason="busy"' in engine.metrics.text()


def test_a_deadline_that_the_model_cannot_keep_is_refused_before_the_run() -> None:
    stub = Stub(held=True)
    engine, loaded = staged(stub)
    loaded.took(inputs(), 2.0)
    running = engine.submit(MODEL, inputs(), within=5.0)
    assert stub.started.acquire(timeout=30)
    with pytest.raises(EngineBusy) as error:
        engine.run(MODEL, inputs(), within=3.0)
    assert error.value.code == "model.too_late"
    stub.go.set()
    assert running.result(30)["probability"].shape == (1, 6)
    assert stub.runs == 1


def test_a_cancelled_request_is_never_run() -> None:
    stub = Stub(held=True)
    engine, _ = staged(stub, waiting=1)
    running = engine.submit(MODEL, inputs())
    assert stub.started.acquire(timeout=30)
    gone = engine.submit(MODEL, inputs())
    assert gone.cancel()
    last = engine.submit(MODEL, inputs())
    stub.go.set()
    assert running.result(30) and last.result(30)
    assert stub.runs == 2
    with pytest.raises(CancelledError):
        gone.result()


def test_decoding_and_running_share_the_cores() -> None:
    stub = Stub()
    engine, _ = staged(stub, runners=1)
    with engine.core(Urgency.ROUTINE):
        assert engine.scheduler.running() == 1
        engine.run(MODEL, inputs())  # in the slot that is already held: a second one would wait for ever
        waiting = engine.submit(MODEL, inputs())
        assert not waiting.done()
        assert engine.scheduler.waiting()[Urgency.ROUTINE] == 1
    assert waiting.result(30)
    assert engine.scheduler.running() == 0


def test_a_lone_urgent_request_may_use_all_cores_and_answers_the_same(engine: Engine) -> None:
    wide = Engine(runners=2)
    wide.warm()
    loaded = wide._loaded[(MODEL, wide.registry.get(MODEL).version)]
    used = Stub(lambda: loaded.session.run(loaded.outputs, inputs()))
    loaded.wide = used  # type: ignore[assignment]
    urgent = wide.run(MODEL, inputs(), urgency=Urgency.STAT)
    assert used.runs == 1
    routine = wide.run(MODEL, inputs())
    assert used.runs == 1
    expected = engine.run(MODEL, inputs())["probability"].tobytes()
    assert urgent["probability"].tobytes() == routine["probability"].tobytes() == expected
    assert wide.scheduler.running() == 0


def test_all_cores_together_answer_bit_for_bit_as_one(manifest: Manifest, engine: Engine) -> None:
    from ai_models.registry import read_weights
    from ai_models.session import open_session

    wide = open_session(manifest, read_weights(manifest), threads=2)
    (answer,) = wide.run(["probability"], inputs())
    assert answer.tobytes() == engine.run(MODEL, inputs())["probability"].tobytes()


def broken() -> list[Tensor]:
    raise RuntimeError("no memory for this node")


def not_a_number() -> list[Tensor]:
    return [np.full((1, 6), np.nan, np.float32)]


@pytest.mark.parametrize(
    ("answer", "code"), [(broken, "model.run_failed"), (not_a_number, "model.bad_output")]
)
def test_a_model_that_fails_three_times_in_a_row_is_taken_out(
    answer: Callable[[], list[Tensor]], code: str
) -> None:
    stub = Stub(answer)
    engine, _ = staged(stub)
    for _ in range(2):
        with pytest.raises(ModelFailed) as failed:
            engine.run(MODEL, inputs())
        assert failed.value.code == code
    engine.check(MODEL)
    with pytest.raises(ModelRefused) as third:
        engine.run(MODEL, inputs())
    assert third.value.code == "model.taken_out"
    for ask in (lambda: engine.run(MODEL, inputs()), lambda: engine.check(MODEL)):
        with pytest.raises(ModelRefused):
            ask()
    # Each time its usual input was tried as well, and failed too.
    assert stub.runs == 6
    assert b'precision="fp32"' in engine.metrics.text()
    engine.reload()
    engine.check(MODEL)
    assert engine.run(MODEL, inputs())["probability"].shape == (1, 6)


@pytest.mark.parametrize("spoilt", ["shape", "values"])
def test_an_input_that_fails_takes_nothing_from_others(engine: Engine, spoilt: str) -> None:
    usual = typical_inputs(engine.registry.get(DELINEATION))
    length = usual["signal"].shape[-1]
    bad = np.zeros((1, 12, length + 1), np.float32)
    if spoilt == "values":
        bad = np.full((1, 12, length), 3e38, np.float32)
    for _ in range(4):
        with pytest.raises(InvalidTensor) as failed:
            engine.run(DELINEATION, {"signal": bad})
        assert failed.value.code == "tensor.fails"
    engine.check(DELINEATION)
    assert engine.run(DELINEATION, usual)["probability"].shape[-1] == length


def test_a_request_of_too_many_rows_is_refused(engine: Engine) -> None:
    one = inputs()
    with pytest.raises(InvalidTensor) as refused:
        engine.run(MODEL, {name: np.repeat(value, 129, axis=0) for name, value in one.items()})
    assert refused.value.code == "tensor.rows"


def test_a_large_request_says_nothing_of_a_small_ones_time() -> None:
    stub = Stub()
    engine, loaded = staged(stub)
    small, large = inputs(), {name: np.repeat(value, 100, axis=0) for name, value in inputs().items()}
    loaded.took(large, 100.0)
    assert loaded.seconds(small) == pytest.approx(1.0)
    loaded.took(small, 1000.0)  # the machine was away
    assert loaded.seconds(small) == pytest.approx(1.3)
    # What is believed too long to be worth a try is doubted each time that somebody is refused for it alone.
    loaded.took(large, 1e9)
    refused = 0
    while refused < 60:
        try:
            engine.submit(MODEL, small, within=0.9).result(30)
            break
        except EngineBusy:
            refused += 1
    assert 0 < refused < 60


def test_what_is_asked_for_a_core_is_counted() -> None:
    engine, _ = staged(Stub(held=True), waiting=0)
    with engine.core(Urgency.STAT, model=MODEL), ThreadPoolExecutor(1) as pool:

        def second() -> None:
            with engine.core(Urgency.STAT, model=MODEL, within=0.1):
                raise AssertionError("there is one core")

        with pytest.raises(EngineBusy):
            pool.submit(second).result(30)
    page = engine.metrics.text()
    assert f'telemed_inference_queue_seconds_count{{model="{MODEL}",urgency="stat"}} 1.0'.encode() in page
    assert (
        f'telemed_inference_refused_total{{model="{MODEL}",reason="busy",urgency="stat"}} 1.0'.encode()
        in page
    )


def test_one_success_in_between_forgives(engine: Engine) -> None:
    answers = iter([*[broken] * 4, lambda: [np.zeros((1, 6), np.float32)], *[broken] * 4])
    failing, _ = staged(Stub(lambda: next(answers)()))
    outcomes = []
    for _ in range(5):
        try:
            failing.run(MODEL, inputs())
            outcomes.append("well")
        except ModelFailed as error:
            outcomes.append(error.code)
    assert outcomes == ["model.run_failed"] * 2 + ["well"] + ["model.run_failed"] * 2


# --- versions ------------------------------------------------------------------------------------------------


def newer(folder: Path, version: str, **changes: Any) -> Path:
    other = folder.with_name(f"{MODEL}-{version}")
    shutil.copytree(folder, other)
    path = other / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | {"version": version} | changes), "utf-8")
    return other


def test_a_new_version_comes_beside_the_old_and_no_request_is_dropped(copied: Copied, tmp_path: Path) -> None:
    folder = copied()
    engine = Engine(Registry(tmp_path))
    engine.warm()
    old = engine.identity(MODEL)
    stop, lost, answered = threading.Event(), [], []

    def caller() -> None:
        while not stop.is_set():
            try:
                answered.append(engine.run(MODEL, inputs())["probability"].tobytes())
            except Exception as error:  # noqa: BLE001 any loss at all is what this test looks for
                lost.append(error)

    threads = [threading.Thread(target=caller) for _ in range(3)]
    for thread in threads:
        thread.start()
    newer(folder, "1.1.0")
    (identity,) = engine.reload()
    before = len(answered)
    while len(answered) < before + 5 and any(thread.is_alive() for thread in threads):
        stop.wait(0.01)
    stop.set()
    for thread in threads:
        thread.join(30)
    assert not lost
    assert len(set(answered)) == 1
    assert (old.version, identity.version) == ("1.0.0", "1.1.0")
    assert engine.identity(MODEL).version == "1.1.0"
    assert engine.identity(MODEL, "1.0.0").version == "1.0.0"
    assert engine.run(MODEL, inputs(), version="1.0.0")["probability"].tobytes() == answered[0]
    with pytest.raises(UnknownModel):
        engine.run(MODEL, inputs(), version="9.9.9")
    assert b'version="1.0.0"' in engine.metrics.text()
    shutil.rmtree(folder)
    engine.reload()
    assert b'version="1.0.0"' not in engine.metrics.text()


def test_a_new_version_that_does_not_fit_leaves_the_old_in_service(copied: Copied, tmp_path: Path) -> None:
    folder = copied()
    engine = Engine(Registry(tmp_path))
    engine.warm()
    newer(folder, "1.1.0", sha256="0" * 64)
    with pytest.raises(ModelRefused) as error:
        engine.reload()
    assert error.value.code == "model.wrong_digest"
    assert engine.identity(MODEL).version == "1.0.0"
    assert engine.run(MODEL, inputs())["probability"].shape == (1, 6)


# --- precision -----------------------------------------------------------------------------------------------


LABELS = ("NORM", "MI", "STTC", "CD", "HYP", "AFIB")


def proof_of(base: str, **changes: Any) -> dict[str, Any]:
    """Evidence that is just enough; what is changed in the whole is changed for each label."""
    whole = {"flag_agreement": 0.995, "largest_difference": 0.05}
    whole |= {name: changes[name] for name in whole if name in changes}
    proof = {
        "precision": "int8",
        "backend": "onnxruntime",
        "base_sha256": base,
        "sha256": base,
        "recordings": 1000,
        "by_label": dict.fromkeys(LABELS, whole),
    }
    return proof | whole | changes


def rung(folder: Path, **changes: Any) -> None:
    """The shipped network itself as a rung under another name: what is tested is the choice."""
    base = json.loads((folder / "manifest.json").read_text("utf-8"))["sha256"]
    target = folder / "rungs" / "int8"
    shutil.rmtree(folder / "rungs", ignore_errors=True)
    target.mkdir(parents=True)
    shutil.copy(folder / "model.onnx", target)
    (target / "evidence.json").write_text(json.dumps(proof_of(base, **changes)), "utf-8")


def test_a_rung_with_evidence_runs_under_its_own_name(copied: Copied, tmp_path: Path) -> None:
    rung(copied())
    engine = Engine(Registry(tmp_path), precision="int8")
    assert engine.identity(MODEL).precision == "int8"
    assert Engine(Registry(tmp_path)).identity(MODEL).precision == "fp32"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"recordings": 999}, "999"),
        ({"flag_agreement": 0.9949}, "0.9949"),
        ({"flag_agreement": float("nan")}, "bad_evidence"),
        ({"largest_difference": 0.0501}, "0.0501"),
        ({"largest_difference": float("nan")}, "bad_evidence"),
        ({"base_sha256": "0" * 64}, "other weights"),
        ({"sha256": "0" * 64}, "wrong_digest"),
        ({"precision": "int4"}, "bad_evidence"),
    ],
)
def test_a_rung_without_enough_evidence_is_refused_by_name_and_left_aside_by_itself(
    copied: Copied, tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    rung(copied(), **changes)
    with pytest.raises(ModelRefused) as error:
        Engine(Registry(tmp_path), precision="int8").warm()
    assert reason in f"{error.value.code} {error.value}"
    if error.value.code == "model.no_rung":
        automatic = Engine(Registry(tmp_path), precision="auto")
        assert automatic.identity(MODEL).precision == "fp32"
        assert reason in automatic.rung(MODEL).passed_over["int8"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"flag_agreement": 1.7}, "1.7 is no share"),
        ({"flag_agreement": True}, "True is no number"),
        ({"largest_difference": -3.0}, "-3.0 is no number"),
        ({"largest_difference": float("inf")}, "inf is no number"),
        ({"recordings": float("inf")}, "inf is no count"),
        ({"recordings": 1000.9}, "1000.9 is no count"),
        ({"recordings": "2000"}, "2000 is no count"),
        ({"recordings": True}, "True is no count"),
        ({"backend": "tensorrt"}, "backend tensorrt"),
        ({"sha256": "efb5"}, "64 hexadecimal"),
        ({"backend": "openvino", "sha256": "deadbeef" * 8}, "must be base_sha256"),
        ({"by_label": {}}, "name the model's labels"),
        (
            {"by_label": {"MI": {"flag_agreement": 0.995, "largest_difference": 0.05}}},
            "name the model's labels",
        ),
        (
            {"by_label": {key: {"flag_agreement": 0.9, "largest_difference": 0.05} for key in LABELS}},
            "flag_agreement contradicts",
        ),
        (
            {"by_label": {key: {"flag_agreement": 0.995, "largest_difference": 0.9} for key in LABELS}},
            "largest_difference contradicts",
        ),
        ({"by_label": list(LABELS)}, "AttributeError"),
    ],
)
def test_evidence_that_was_tampered_with_is_refused(
    tmp_path: Path, manifest: Manifest, changes: dict[str, Any], reason: str
) -> None:
    folder = tmp_path / "rungs" / "int8"
    folder.mkdir(parents=True)
    (folder / "evidence.json").write_text(json.dumps(proof_of(manifest.sha256, **changes)), "utf-8")
    with pytest.raises(ModelRefused) as error:
        evidence.find(replace(manifest, folder=tmp_path))
    assert error.value.code == "model.bad_evidence"
    assert reason in str(error.value.params["detail"])


def test_the_shipped_evidence_agrees_with_itself_and_suffices() -> None:
    proofs = [(model, proof) for model in Registry().models() for proof in evidence.find(model).values()]
    assert len(proofs) >= 3
    assert [proof.shortfall(model) for model, proof in proofs] == [None] * len(proofs)


def test_what_int8_leaves_to_fp32_is_counted_apart(manifest: Manifest) -> None:
    proof = json.loads((manifest.folder / "rungs" / "int8" / "evidence.json").read_text("utf-8"))
    both = proof["with_those_in_fp32"]
    assert both["recordings"] == proof["recordings"] + proof["recordings_in_fp32"]
    # In fp32 every flag is the reference's: all that differ are among the others.
    differing = (1 - proof["flag_agreement"]) * proof["recordings"]
    assert differing == pytest.approx((1 - both["flag_agreement"]) * both["recordings"], abs=0.01)
    assert proof["flag_agreement"] < both["flag_agreement"]


def test_a_rung_that_is_not_faster_is_not_used(copied: Copied, tmp_path: Path) -> None:
    rung(copied())
    engine = Engine(Registry(tmp_path), precision="auto")
    chosen = engine.rung(MODEL)
    assert set(chosen.milliseconds) == {"fp32", "int8"}
    faster = chosen.milliseconds["int8"] <= 0.9 * chosen.milliseconds["fp32"]
    assert chosen.precision == ("int8" if faster else "fp32")


def test_the_shipped_int8_rung_answers_nearly_the_same_and_what_is_loud_in_fp32(engine: Engine) -> None:
    quick, usual = Engine(precision="int8"), inputs()
    loud = usual | {"windows": usual["windows"] * np.float32(3.5 / np.abs(usual["windows"]).max())}
    reference, found = (one.run(MODEL, usual)["probability"] for one in (engine, quick))
    assert 0 < np.abs(reference - found).max() <= 0.05
    reference, found = (one.run(MODEL, loud)["probability"] for one in (engine, quick))
    np.testing.assert_allclose(found, reference, atol=1e-6)
    assert quick.identity(MODEL).sha256 != engine.identity(MODEL).sha256


def test_a_precision_that_nobody_measured_is_an_error() -> None:
    with pytest.raises(ModelRefused) as error:
        Engine(precision="fp4").warm()
    assert error.value.code == "model.no_rung"


def test_a_precision_may_be_asked_of_one_model_alone() -> None:
    engine = Engine(precision=f"fp32,{MODEL}=int8")
    assert engine.identity(MODEL).precision == "int8"
    assert engine.identity("ecg-delineation").precision == "fp32"
    assert Precisions.parse(" a=int8 , b = bf16").of("c") == "auto"
    with pytest.raises(UnknownModel):
        Precisions.parse("ecg=int8").demand([MODEL])


@pytest.mark.parametrize("text", ["", "int8,fp32", "a=int8,a=fp32", "=int8", "a=", "auto,"])
def test_a_precision_that_says_nothing_or_two_things_is_refused(text: str) -> None:
    with pytest.raises(ModelRefused) as error:
        Precisions.parse(text)
    assert error.value.params == {"value": text}


@pytest.mark.parametrize("provider", ["AzureExecutionProvider", CUDA])
def test_a_rung_by_name_never_runs_on_another_provider_than_the_one_asked_for(provider: str) -> None:
    with pytest.raises(ModelRefused) as error:
        Engine(provider=provider, precision="int8").identity(MODEL)
    assert error.value.code == "model.rung_needs_cpu"
    assert error.value.params["provider"] == provider


# --- signatures ----------------------------------------------------------------------------------------------


def test_only_what_a_configured_key_signed_is_run(copied: Copied, tmp_path: Path) -> None:
    folder = copied()
    rung(folder)
    key, other = ECC.generate(curve="ed25519"), ECC.generate(curve="ed25519")
    signers = [signature.public_key(key.public_key().export_key(format="PEM"))]
    manifest, proof = folder / "manifest.json", folder / "rungs" / "int8" / "evidence.json"
    with pytest.raises(ModelRefused) as error:
        Registry(tmp_path, signers)
    assert error.value.code == "model.not_signed"
    signature.sign(manifest, other.export_key(format="PEM"))
    with pytest.raises(ModelRefused) as error:
        Registry(tmp_path, signers)
    assert error.value.code == "model.wrong_signature"
    signature.sign(manifest, key.export_key(format="PEM"))
    raw = key.public_key().export_key(format="raw").hex()
    registry = Registry(tmp_path, [signature.public_key(raw)])
    Engine(registry).warm()
    with pytest.raises(ModelRefused) as error:
        Engine(registry, precision="int8").warm()
    assert error.value.code == "model.not_signed"
    signature.sign(proof, key.export_key(format="PEM"))
    Engine(registry, precision="int8").warm()
    manifest.write_text(manifest.read_text("utf-8").replace('"threshold": 0.5635', '"threshold": 0.9999'))
    with pytest.raises(ModelRefused) as error:
        Registry(tmp_path, signers)
    assert error.value.code == "model.wrong_signature"


def test_what_was_verified_is_what_is_read(
    copied: Copied, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, key = copied(), ECC.generate(curve="ed25519")
    rung(folder)
    signed = [folder / "manifest.json", folder / "rungs" / "int8" / "evidence.json"]
    for path in signed:
        signature.sign(path, key.export_key(format="PEM"))
    verify = signature.check

    def then_exchanged(path: Path, data: bytes, signers: Sequence[signature.PublicKey]) -> None:
        verify(path, data, signers)
        path.write_bytes(b"{}")

    monkeypatch.setattr(signature, "check", then_exchanged)
    registry = Registry(tmp_path, [key.public_key()])
    assert registry.get(MODEL).labels[0].threshold == pytest.approx(0.5635)
    assert set(evidence.find(registry.get(MODEL), registry.signers)) == {"int8"}
    assert [path.read_bytes() for path in signed] == [b"{}", b"{}"]


@pytest.mark.parametrize(
    "text", ["", "abc", "00" * 31, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"]
)
def test_a_key_that_is_none_is_named(text: str) -> None:
    with pytest.raises(ModelRefused) as error:
        signature.public_key(text)
    assert error.value.code == "model.bad_key"

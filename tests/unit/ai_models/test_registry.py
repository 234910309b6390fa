"""A model runs only as its manifest describes it."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ai_models import evidence, onnx_file
from ai_models.ecg.reader import MODEL, EcgReader
from ai_models.ecg.signal import LEADS, PREPROCESSING
from ai_models.engine import CPU, Engine
from ai_models.errors import ModelRefused, UnknownModel
from ai_models.manifest import Manifest
from ai_models.registry import Registry, read_weights

Copied = Callable[[], Path]


def rewrite(folder: Path, **changes: Any) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")


def test_shipped_weights_are_those_of_the_manifest(manifest: Manifest, engine: Engine) -> None:
    digest = hashlib.sha256(manifest.weights.read_bytes()).hexdigest()
    assert manifest.sha256 == digest
    assert engine.identity(MODEL).sha256 == digest
    assert engine.identity(MODEL).provider == CPU
    assert manifest.preprocessing == PREPROCESSING
    assert tuple(manifest.domain["leads"]) == LEADS
    assert [label.name for label in manifest.labels] == ["NORM", "MI", "STTC", "CD", "HYP", "AFIB"]
    assert manifest.weights.stat().st_size < 8_000_000


def test_both_cards_name_the_weights_they_describe(manifest: Manifest) -> None:
    for language in ("zh-CN", "en"):
        card = manifest.card(language).read_text("utf-8")
        assert manifest.sha256 in card
        assert "{{" not in card
        assert "CC BY 4.0" in card


def test_one_changed_byte_is_refused(copied: Copied, tmp_path: Path) -> None:
    folder = copied()
    weights = folder / "model.onnx"
    data = bytearray(weights.read_bytes())
    data[len(data) // 2] ^= 1
    weights.write_bytes(bytes(data))
    with pytest.raises(ModelRefused) as error:
        Engine(Registry(tmp_path)).warm()
    assert error.value.code == "model.wrong_digest"
    assert error.value.params["file"] == str(weights)
    assert error.value.params["found"] == hashlib.sha256(bytes(data)).hexdigest()


def test_missing_weights_are_named(copied: Copied, tmp_path: Path) -> None:
    folder = copied()
    (folder / "model.onnx").unlink()
    with pytest.raises(ModelRefused) as error:
        Engine(Registry(tmp_path)).identity(MODEL)
    assert error.value.code == "model.unreadable_file"


def test_a_provider_that_is_not_there_is_an_error_and_never_replaced() -> None:
    engine = Engine(provider="CUDAExecutionProvider")
    with pytest.raises(ModelRefused) as error:
        engine.warm()
    assert error.value.code == "model.provider_missing"
    assert error.value.params["provider"] == "CUDAExecutionProvider"
    assert CPU in str(error.value.params["available"])


@pytest.mark.parametrize(
    "changes",
    [
        {"sha256": "abc"},
        {"version": "latest"},
        {"labels": [{"name": "MI", "threshold": 1.5, "code": {"system": "s", "code": "c", "display": "d"}}]},
        {"inputs": None},
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused(
    copied: Copied, tmp_path: Path, changes: dict[str, Any]
) -> None:
    rewrite(copied(), **changes)
    with pytest.raises(ModelRefused) as error:
        Registry(tmp_path)
    assert error.value.code == "model.bad_manifest"


def test_weights_made_for_another_preprocessing_are_refused(copied: Copied, tmp_path: Path) -> None:
    rewrite(copied(), preprocessing="something-else/9")
    registry = Registry(tmp_path)
    with pytest.raises(ModelRefused) as error:
        EcgReader(Engine(registry), registry.get(MODEL))
    assert error.value.code == "model.other_preprocessing"


def test_the_newest_version_of_a_name_is_in_service(copied: Copied, tmp_path: Path) -> None:
    folder = copied()
    newer = folder.with_name("newer")
    shutil.copytree(folder, newer)
    rewrite(folder, version="1.9.0")
    rewrite(newer, version="1.10.0")
    assert [manifest.version for manifest in Registry(tmp_path).models()] == ["1.10.0"]


def test_one_version_in_two_folders_is_refused(copied: Copied, tmp_path: Path) -> None:
    folder = copied()
    shutil.copytree(folder, folder.with_name("again"))
    with pytest.raises(ModelRefused) as error:
        Registry(tmp_path)
    assert error.value.code == "model.installed_twice"
    assert {error.value.params["first"], error.value.params["second"]} == {
        str(folder), str(folder.with_name("again")),
    }  # fmt: skip


def test_a_place_without_a_model_is_an_error(copied: Copied, tmp_path: Path) -> None:
    folder = copied()
    (folder / "manifest.json").unlink()
    for root in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(ModelRefused) as error:
            Registry(root)
        assert error.value.code == "model.none_installed"
        assert error.value.params["folder"] == str(root)


@pytest.mark.parametrize("where", ["weights", "model", "rungs", "evidence"])
def test_what_may_not_be_read_is_named_and_never_taken_for_nothing(
    copied: Copied, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    folder = copied()
    barred = {
        "weights": folder.parent,
        "model": folder / "manifest.json",
        "rungs": folder / "rungs",
        "evidence": folder / "rungs" / "int8" / "evidence.json",
    }[where]
    # As root everything may be read: the system's answer is put in its place.
    bar(monkeypatch, barred)
    with pytest.raises(ModelRefused) as error:
        evidence.find(Registry(tmp_path).get(MODEL))
    assert error.value.code == "model.unreadable_file"
    assert error.value.params == {"file": str(barred), "detail": os.strerror(errno.EACCES)}


def bar(monkeypatch: pytest.MonkeyPatch, barred: Path) -> None:
    scan, read = os.scandir, Path.read_bytes

    def demand_other(path: Path) -> None:
        if path == barred:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    def scandir(path: Path) -> Any:
        demand_other(path)
        return scan(path)

    def read_bytes(path: Path) -> bytes:
        demand_other(path)
        return read(path)

    monkeypatch.setattr(os, "scandir", scandir)
    monkeypatch.setattr(Path, "read_bytes", read_bytes)


def test_an_unknown_name_says_which_are_known() -> None:
    with pytest.raises(UnknownModel) as error:
        Registry().get("chest")
    assert MODEL in str(error.value.params["known"])


def field(number: int, value: bytes | int) -> bytes:
    """One protobuf field; numbers below 16 and lengths below 128 only, which is enough here."""
    if isinstance(value, int):
        return (
            bytes([number << 3, value])
            if number < 16
            else bytes([(number << 3) & 0x7F | 0x80, number >> 4, value])
        )
    return bytes([number << 3 | 2, len(value)]) + value


def test_weights_that_lie_in_another_file_are_refused() -> None:
    tensor = field(8, b"w") + field(14, 1)
    model = field(7, field(5, tensor))
    with pytest.raises(ModelRefused) as error:
        onnx_file.check(model)
    assert error.value.code == "model.external_data"


def test_weights_in_another_file_are_found_inside_an_attribute_too() -> None:
    tensor = field(8, b"w") + field(13, field(1, b"location"))
    node = field(5, field(5, tensor))
    with pytest.raises(ModelRefused) as error:
        onnx_file.check(field(7, field(1, node)))
    assert error.value.code == "model.external_data"


def message(number: int, value: bytes) -> bytes:
    """A field of any number and length."""
    head = b""
    for rest in (number << 3 | 2, len(value)):
        while rest > 0x7F:
            head, rest = head + bytes([rest & 0x7F | 0x80]), rest >> 7
        head += bytes([rest])
    return head + value


@pytest.mark.parametrize(
    "where",
    [
        message(20, message(1, message(5, message(13, b"")))),
        message(25, message(11, message(5, message(13, b"")))),
    ],
    ids=["a graph for training", "the default of a function's attribute"],
)
def test_weights_in_another_file_are_found_wherever_the_format_lets_them_be(where: bytes) -> None:
    with pytest.raises(ModelRefused) as error:
        onnx_file.check(message(7, b"") + where)
    assert error.value.code == "model.external_data"


def test_graphs_in_graphs_without_end_are_no_model() -> None:
    data = b""
    for _ in range(400):
        data = message(1, message(5, message(6, data)))
    with pytest.raises(ModelRefused) as error:
        onnx_file.check(message(7, data))
    assert error.value.code == "model.not_onnx"


def test_operators_of_a_foreign_library_are_refused() -> None:
    model = field(7, field(1, field(4, b"Run") + field(7, b"example.custom")))
    with pytest.raises(ModelRefused) as error:
        onnx_file.check(model)
    assert error.value.code == "model.custom_operator"
    assert error.value.params["domain"] == "example.custom"


@pytest.mark.parametrize("data", [b"", b"hello, this is no model", b"\xff" * 64, field(8, b"")])
def test_bytes_that_are_no_model_are_refused(data: bytes) -> None:
    with pytest.raises(ModelRefused) as error:
        onnx_file.check(data)
    assert error.value.code == "model.not_onnx"


def test_the_shipped_file_stands_on_its_own(manifest: Manifest) -> None:
    assert len(read_weights(manifest)) == manifest.weights.stat().st_size

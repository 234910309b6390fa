"""One command for each shipped model."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from ai_models.registry import Registry
from ai_models.tools.reproduce import STEPS, commands, digest, weights_of


def test_every_shipped_model_has_its_steps_and_they_end_with_its_release() -> None:
    shipped = {manifest.name: manifest for manifest in Registry().models()}
    assert STEPS.keys() == shipped.keys()
    for name, manifest in shipped.items():
        assert digest(weights_of(name, manifest.version)) == manifest.sha256
        made = commands(name, Path("/w"), manifest.version, Path("/r"))
        assert made[-1][-2:] == ["--version", manifest.version]
        for command in made:
            assert find_spec(command[2]) is not None
            assert command[command.index("--root") + 1] == "/r"

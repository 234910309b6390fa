"""Who may import whom. The layers are import-linter's; here is what it cannot say."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOMAIN = sorted((ROOT / "telemed" / "domain").glob("**/*.py"))


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: imports are written in full"
            yield node.module or ""


@pytest.mark.parametrize("path", DOMAIN, ids=lambda path: path.stem)
def test_the_domain_knows_the_standard_library_and_itself_alone(path: Path) -> None:
    foreign = {
        name
        for name in imported(path)
        if not name.startswith("telemed.domain") and name.split(".")[0] not in sys.stdlib_module_names
    }
    assert foreign == set()


@pytest.mark.parametrize("path", DOMAIN, ids=lambda path: path.stem)
def test_the_domain_has_no_clock_no_chance_and_no_disk(path: Path) -> None:
    forbidden = {"random", "secrets", "time", "os", "pathlib", "socket", "subprocess", "threading", "uuid"}
    assert forbidden.isdisjoint(name.split(".")[0] for name in imported(path))
    calls = {
        node.attr
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
    }
    assert {"now", "utcnow", "today"}.isdisjoint(calls)


def test_the_layers_hold() -> None:
    check = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert check.returncode == 0, check.stdout + check.stderr


def test_the_inference_part_loads_no_adapter_and_no_codec() -> None:
    """They would be a third of its memory (goal: 200 MB with its models)."""
    program = (
        "import sys; import ai_models.server as server; server.serve = lambda engine, port: None\n"
        "from telemed.cli.part import Part, run_part; from telemed.settings import Settings\n"
        "run_part(Part.INFERENCE, Settings()); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split())
    assert "onnxruntime" in loaded
    foreign = {"sqlalchemy", "alembic", "pydicom", "PIL", "requests", "fastapi", "telemed.bootstrap"}
    assert not foreign & loaded

"""The command line as a whole; each command has its own tests."""

import subprocess
import sys

from typer.main import get_command
from typer.testing import CliRunner

from telemed.cli.main import app

LOADED = """
import sys
from typer.main import get_command
from telemed.cli.main import app
assert get_command(app).get_command(None, "verify").name == "verify"
print([name for name in ("scipy", "onnxruntime", "fastapi") if name in sys.modules])
"""


def test_every_command_is_listed_with_what_it_does() -> None:
    shown = CliRunner().invoke(app, ["--help"])
    assert shown.exit_code == 0
    group = get_command(app)
    names = group.list_commands(None)  # type: ignore[attr-defined]
    assert {"serve", "demo", "drill", "verify", "backup", "restore", "ai", "ecg", "db"} <= set(names)
    assert all(group.get_command(None, name).get_short_help_str() for name in names)  # type: ignore[attr-defined]


def test_an_unknown_command_is_named() -> None:
    shown = CliRunner().invoke(app, ["nonsense"])
    assert shown.exit_code == 2 and "nonsense" in shown.output


def test_a_command_loads_its_own_libraries_alone() -> None:
    found = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, timeout=60, check=True
    )
    assert found.stdout.strip() == "[]"

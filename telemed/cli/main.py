"""Joins the commands, and turns errors into one sentence in the user's language.

A command is loaded when it is called: a nightly `telemed verify` need not wait for the libraries of the models.
"""

import sys
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from telemed.cli.words import sentence
from telemed.domain.errors import DomainError
from telemed.settings import SettingsError

# Command or group -> module and function, or module and its Typer with the group's help.
_COMMANDS = {
    "serve": ("telemed.cli.serve", "serve"),
    "demo": ("telemed.cli.demo", "demo"),
    "drill": ("telemed.cli.demo", "drill"),
    "backup": ("telemed.cli.operate", "backup"),
    "restore": ("telemed.cli.operate", "restore"),
    "verify": ("telemed.cli.operate", "verify"),
}
_GROUPS = {
    "ai": ("telemed.cli.ai", "app", "Run and inspect the models."),
    "ecg": ("telemed.cli.ecg", "app", "Recordings of machines that speak no DICOM."),
    "db": ("telemed.cli.operate", "database", "The database."),
    "user": ("telemed.cli.operate", "users", "People who sign in."),
    "site": ("telemed.cli.operate", "sites", "Institutions."),
}


class LoadedWhenCalled(TyperGroup):
    def list_commands(self, ctx: Any) -> list[str]:
        return [*_COMMANDS, *_GROUPS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        around = typer.Typer(add_completion=False, pretty_exceptions_enable=False, callback=_around)
        if cmd_name in _COMMANDS:
            module, name = _COMMANDS[cmd_name]
            around.command(cmd_name)(getattr(import_module(module), name))
        elif cmd_name in _GROUPS:
            module, name, told = _GROUPS[cmd_name]
            around.add_typer(getattr(import_module(module), name), name=cmd_name, help=told)
        else:
            return None
        loaded = get_command(around)
        return loaded.get_command(ctx, cmd_name) if isinstance(loaded, TyperGroup) else loaded


def _around() -> None:
    """Typer makes a group, which keeps the names of its commands, only where there is a callback."""


app = typer.Typer(
    cls=LoadedWhenCalled,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    callback=_around,
    help="Remote diagnosis for medical consortia: examine here, read there, report to everyone it concerns.",
)


def main() -> None:
    try:
        app()
    except (DomainError, SettingsError) as fault:
        sys.exit(f"telemed: {sentence(fault)}")

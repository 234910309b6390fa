"""Joins the commands, and turns errors into one sentence in the user's language."""

import sys

import typer

from telemed.cli import ai, backfill, demo, ecg, operate, serve
from telemed.cli.words import sentence
from telemed.domain.errors import DomainError
from telemed.settings import SettingsError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Remote diagnosis for medical consortia: examine here, read there, report to everyone it concerns.",
)
app.command("serve")(serve.serve)
app.command("demo")(demo.demo)
app.command("drill")(demo.drill)
ai.app.command("backfill")(backfill.backfill)
app.add_typer(ai.app, name="ai", help="Run and inspect the models.")
app.add_typer(ecg.app, name="ecg", help="Recordings of machines that speak no DICOM.")
app.add_typer(operate.database, name="db", help="The database.")
app.add_typer(operate.users, name="user", help="People who sign in.")
app.add_typer(operate.sites, name="site", help="Institutions.")
app.command("backup")(operate.backup)
app.command("restore")(operate.restore)
app.command("verify")(operate.verify)


def main() -> None:
    try:
        app()
    except (DomainError, SettingsError) as fault:
        sys.exit(f"telemed: {sentence(fault)}")

"""Operation: database, people, institutions, backup and proof that nothing was lost."""

import json
import shutil
import sqlite3
import sys
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import make_url

from telemed.adapters.db.engine import make_engine
from telemed.adapters.db.upgrade import current, upgrade
from telemed.application.administer import NewUser, create_user
from telemed.application.install import add_institution, institution_by_code
from telemed.application.record import record
from telemed.application.seal import verify_chain
from telemed.application.usual_critical_values import begin_critical_values
from telemed.application.verify import verify_objects
from telemed.bootstrap import build
from telemed.domain.errors import InvalidInput
from telemed.domain.events import Kind
from telemed.domain.people import InstitutionKind, Role
from telemed.i18n import text
from telemed.settings import Settings

database = typer.Typer(no_args_is_help=True)
users = typer.Typer(no_args_is_help=True)
sites = typer.Typer(no_args_is_help=True)


@database.callback()
@users.callback()
@sites.callback()
def _group() -> None:
    """Keeps `telemed db upgrade` two words even while it is the only command of its group."""


@database.command("upgrade")
def db_upgrade() -> None:
    """Bring the database to the newest tables."""
    settings = Settings.from_environment()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    engine = make_engine(settings.database_url)
    upgrade(engine)
    typer.echo(current(engine))
    engine.dispose()


@users.command("add")
def user_add(
    username: str,
    role: Role,
    site: Annotated[str, typer.Option(help="Code of the institution.")],
    name: Annotated[str, typer.Option(help="Name as reports show it.")],
    license_number: Annotated[str, typer.Option(help="Practice licence; needed to sign.")] = "",
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)] = "",
) -> None:
    """Add somebody who signs in."""
    application = build(Settings.from_environment())
    new = NewUser(
        username=username, display_name=name, role=role, password=password, license_number=license_number
    )
    with application.world.unit_of_work() as uow:
        place = institution_by_code(uow, site)
        user = create_user(application.world, uow, place, new)
        record(
            application.world,
            uow,
            Kind.SITE_CHANGED,
            institution_id=place.id,
            consortium_id=place.consortium_id,
            what="user",
            user=user.uid,
        )
        uow.commit()
    typer.echo(user.uid)


@sites.command("add")
def site_add(
    code: str,
    name: str,
    kind: InstitutionKind,
    parent: Annotated[str, typer.Option(help="Code of the institution above; none for a consortium.")] = "",
    quiet_seconds: Annotated[int, typer.Option(help="Images are whole after this much silence.")] = 30,
) -> None:
    """Add an institution."""
    application = build(Settings.from_environment())
    with application.world.unit_of_work() as uow:
        above = institution_by_code(uow, parent) if parent else None
        made = add_institution(
            application.world, uow, kind=kind, code=code, name=name, parent=above, quiet_seconds=quiet_seconds
        )
        begin_critical_values(application.world, uow, made)
        uow.commit()
    typer.echo(made.uid)


def verify(as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False) -> None:
    """Re-read every stored object against its recorded digest, and every row against its object."""
    settings = Settings.from_environment()
    application = build(settings)
    total = bad = 0
    for checked in verify_objects(application.world):
        total += 1
        if checked.fault:
            bad += 1
        if as_json:
            row = {"sop_instance_uid": checked.stored.sop_instance_uid, "fault": checked.fault or None}
            typer.echo(json.dumps(row))
        elif checked.fault:
            fault = text(checked.fault, settings.language, sop_instance_uid=checked.stored.sop_instance_uid)
            typer.echo(f"{checked.stored.sop_instance_uid}  {fault}")
    typer.echo(text("cli.verified", settings.language, total=total, bad=bad), err=True)
    broken = verify_chain(application.world)
    if broken is not None:
        typer.echo(text("cli.chain_broken", settings.language, sequence=broken), err=True)
    sys.exit(1 if bad or broken is not None else 0)


def backup(target: Annotated[Path, typer.Argument(help="A new folder.")]) -> None:
    """Copy database, spool and objects of an embedded installation into a new folder, while it runs."""
    settings = Settings.from_environment()
    source = _embedded_database(settings)
    target.mkdir(parents=True)
    # Rows first: bytes are never removed while a row names them, so every row of the copy finds its bytes.
    with sqlite3.connect(source) as live, sqlite3.connect(target / "telemed.db") as copy:
        live.backup(copy)
    for folder in ("spool", "objects"):
        if (settings.data_dir / folder).exists():
            _copy_tree(settings.data_dir / folder, target / folder)
    if (settings.data_dir / "secret.key").exists():
        shutil.copy2(settings.data_dir / "secret.key", target / "secret.key")
    typer.echo(text("cli.backed_up", settings.language, folder=str(target)), err=True)


def _copy_tree(source: Path, target: Path) -> None:
    """A file that moves from the spool to the objects meanwhile is found in the objects, copied later."""

    def copy(name: str, to: str) -> str:
        try:
            return str(shutil.copy2(name, to))
        except FileNotFoundError:
            return to

    shutil.copytree(source, target, copy_function=copy, ignore=shutil.ignore_patterns("incoming"))


def restore(source: Annotated[Path, typer.Argument(help="A folder made by `telemed backup`.")]) -> None:
    """Put a backup into an empty data directory."""
    settings = Settings.from_environment()
    place = _embedded_database(settings)
    if not (source / "telemed.db").exists():
        raise InvalidInput("cli.no_backup", folder=str(source))
    if place.exists():
        raise InvalidInput("cli.not_empty", folder=str(settings.data_dir))
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    for folder in ("spool", "objects"):
        if (source / folder).exists():
            shutil.copytree(source / folder, settings.data_dir / folder, dirs_exist_ok=True)
    if (source / "secret.key").exists():
        shutil.copy2(source / "secret.key", settings.data_dir / "secret.key")
    shutil.copy2(source / "telemed.db", place)
    typer.echo(text("cli.restored", settings.language), err=True)


def _embedded_database(settings: Settings) -> Path:
    url = make_url(settings.database_url)
    if url.get_backend_name() != "sqlite" or not url.database or not settings.objects_url.startswith("file:"):
        raise InvalidInput("cli.not_embedded")
    return Path(url.database)

"""`telemed demo` and `telemed drill`: the product shown, and its promises under fire."""

import json
import sys
import threading
from dataclasses import replace
from typing import Annotated

import typer

from telemed.group import ProcessGroup
from telemed.group.stop import Stop, stop_on_signals
from telemed.i18n import text
from telemed.settings import Settings


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="Unattended: from the sending to the acknowledgement, then stop.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON (with --once).")] = False,
) -> None:
    """Start everything with a fictional consortium and example studies."""
    if once:
        _once(as_json)
        return
    settings = replace(Settings.from_environment(), demo=True)
    sys.exit(_interactive(settings))


def _once(as_json: bool) -> None:
    from telemed.demo.once import once

    result = once()
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False))
    else:
        for study in result["studies"]:
            typer.echo(
                f"{study['modality']:4} {study['study_instance_uid']}  {' '.join(study['recipients'])}"
            )
            typer.echo(
                "     " + "  ".join(f"{step} {seconds:.1f}s" for step, seconds in study["steps"].items())
            )
            if "problem" in study:
                typer.echo("     " + study["problem"])
    sys.exit(0 if result["ok"] else 1)


def _interactive(settings: Settings) -> int:
    from telemed.bootstrap import build
    from telemed.demo.consortium import PASSWORD, PEOPLE, provision
    from telemed.demo.once import send_examples
    from telemed.demo.roles import Person

    application = build(settings)
    fresh = provision(application.world)
    group = ProcessGroup(settings, ["web", "dicom", "worker"])
    done = stop_on_signals()
    group.start()
    try:
        if not group.wait_ready():
            typer.echo(
                text("demo.not_ready", settings.language, http=settings.http_port, dicom=settings.dicom_port)
            )
            return 1
        base = f"http://{settings.http_host}:{settings.http_port}"
        if fresh:
            technician = Person(base, "technician")
            send_examples(application, technician)
            technician.close()
        typer.echo(
            text("demo.ready", settings.language, url=base, ae=settings.ae_title, port=settings.dicom_port)
        )
        for person in PEOPLE:
            role = text(f"role.{person.role.value}", settings.language)
            typer.echo(f"  {role:<8}\t{person.username:<12}\t{PASSWORD}")
        typer.echo(text("demo.stop", settings.language))
        status: list[int] = []
        watcher = threading.Thread(target=lambda: _watch(group, done, status), daemon=True)
        watcher.start()
        done.wait()
        return max(status, default=0)
    finally:
        group.stop()
        application.close()


def _watch(group: ProcessGroup, done: Stop, status: list[int]) -> None:
    """A part that fails again and again ends the demo, with its status, instead of leaving a half of it."""
    status.append(group.watch())
    done.set()


def drill(
    names: Annotated[list[str] | None, typer.Argument(help="Which drills; all where none is named.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="The short form: fewer cuts and kills.")] = False,
) -> None:
    """Show the promises under fire, on a temporary installation."""
    from telemed.drill.run import run_drills

    rows = []
    for row in run_drills(names or [], language=Settings.from_environment().language, quick=quick):
        rows.append(row)
        if as_json:
            typer.echo(json.dumps(row.as_json(), ensure_ascii=False))
        else:
            typer.echo(
                f"{'ok  ' if row.ok else 'FAIL'} {row.name}: {row.sender_saw} | {row.stored} | {row.told}"
            )
            if not row.ok:
                typer.echo(f"     {row.detail}")
    sys.exit(0 if rows and all(row.ok for row in rows) else 1)

"""`telemed ecg`: recordings of machines that speak no DICOM, from files or from a folder they drop them into."""

import json
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from telemed.adapters.watched_folder import DONE, REFUSED, WatchedFolder
from telemed.application.import_ecg import GivenPatient, Imported, ImportFile, import_files
from telemed.application.install import institution_by_code
from telemed.bootstrap import Application, build
from telemed.domain.errors import DomainError, InvalidInput
from telemed.group.stop import stop_on_signals
from telemed.i18n import text
from telemed.imaging.formats import LARGEST_FILE
from telemed.settings import Settings

app = typer.Typer(no_args_is_help=True)

_POLL_S = 1.0
_SITE = Annotated[str, typer.Option(help="Code of the institution where it was recorded.")]
_MOMENTS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"]


@app.command("import")
def import_(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders of them.")],
    site: _SITE,
    patient_id: Annotated[str, typer.Option(help="Patient number at this institution.")] = "",
    name: Annotated[str, typer.Option(help="Name of the patient.")] = "",
    sex: Annotated[str, typer.Option(help="M, F or O.")] = "",
    birth_date: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])] = None,
    accession: Annotated[str, typer.Option(help="Accession number of the order.")] = "",
    recorded_at: Annotated[
        datetime | None, typer.Option(formats=_MOMENTS, help="Where the file does not say when.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Import SCP-ECG, aECG, WFDB, Sierra, MUSE, DICOM, PDF, JPEG and PNG; exit status 1 where one was refused."""
    if sex not in ("", "M", "F", "O"):
        raise InvalidInput("error.field_invalid", field="sex")
    patient = GivenPatient(
        patient_id=patient_id,
        name=name,
        sex=sex,
        birth_date=birth_date.date() if birth_date else None,
        accession_number=accession,
        recorded_at=recorded_at,
    )
    settings = Settings.from_environment()
    application = build(settings)
    taken = refused = 0
    try:
        importer = _Importer(application, site, patient)
        for files in _by_folder(paths):
            for answer in importer.take(files):
                taken, refused = taken + (answer.fault is None), refused + (answer.fault is not None)
                typer.echo(_json(answer, settings.language) if as_json else _lines(answer, settings.language))
    finally:
        application.close()
    typer.echo(text("import.counted", settings.language, taken=taken, refused=refused), err=True)
    raise typer.Exit(1 if refused or not taken else 0)


@app.command()
def watch(
    folder: Annotated[Path, typer.Argument(help="The folder that the machines write into.")],
    site: _SITE,
    settle: Annotated[float, typer.Option(help="Seconds a file must stand still before it is taken.")] = 3.0,
) -> None:
    """Import what is dropped into a folder, until stopped; files move to done/ or refused/."""
    settings = Settings.from_environment()
    application = build(settings)
    importer = _Importer(application, site, GivenPatient())
    watched = WatchedFolder(
        folder,
        importer.take,
        lambda fault: text(fault.code, settings.language, **fault.params),
        settle_s=settle,
    )
    done = stop_on_signals()
    typer.echo(
        text("import.watching", settings.language, folder=str(folder), done=DONE, refused=REFUSED), err=True
    )
    try:
        while not done.wait(_POLL_S):
            for answer in watched.sweep(time.monotonic()):
                typer.echo(_lines(answer, settings.language))
    finally:
        application.close()


class _Importer:
    """One site's way in."""

    def __init__(self, application: Application, site: str, patient: GivenPatient) -> None:
        self._world, self._patient = application.world, patient
        with self._world.unit_of_work(write=False) as uow:
            institution = institution_by_code(uow, site)
        if institution.consortium_id is None:
            raise InvalidInput("error.field_invalid", field="site")
        self._institution_id, self._consortium_id = institution.id, institution.consortium_id

    def take(self, files: Sequence[ImportFile]) -> list[Imported]:
        return import_files(
            self._world,
            institution_id=self._institution_id,
            consortium_id=self._consortium_id,
            files=files,
            patient=self._patient,
        )


def _by_folder(paths: Sequence[Path]) -> Iterator[list[ImportFile]]:
    """The files folder by folder: a WFDB header and its signals lie together, and memory holds one folder."""
    folders: dict[Path, list[Path]] = {}
    for path in paths:
        if not path.exists():
            raise InvalidInput("import.no_such_file", file=str(path))
        for one in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if one.is_file():
                folders.setdefault(one.parent, []).append(one)
    for found in folders.values():
        yield [_read(path) for path in found]


def _read(path: Path) -> ImportFile:
    with path.open("rb") as handle:
        # One byte more than is taken: the importer then says that it is too large.
        return ImportFile(str(path), handle.read(LARGEST_FILE + 1))


def _lines(answer: Imported, language: str) -> str:
    head = " + ".join(answer.names)
    if answer.fault is not None:
        return f"{head}\n    {_words(answer.fault, language)}"
    assert answer.received is not None
    status = text(f"import.{answer.received.reception.value}", language)
    lines = [f"{head}  {status}  {answer.received.study_instance_uid}"]
    lines += [f"    {text(reason.code, language, **reason.params)}" for reason in answer.reasons]
    return "\n".join(lines)


def _json(answer: Imported, language: str) -> str:
    line: dict[str, object] = {"files": list(answer.names)}
    if answer.fault is not None:
        line |= {
            "status": "refused",
            "code": answer.fault.code,
            "problem": _words(answer.fault, language),
        }
    elif answer.received is not None:
        line |= {
            "status": answer.received.reception.value,
            "study_instance_uid": answer.received.study_instance_uid,
            "sop_instance_uid": answer.received.sop_instance_uid,
            "reasons": [
                {"code": reason.code, "text": text(reason.code, language, **reason.params)}
                for reason in answer.reasons
            ],
        }
    return json.dumps(line, ensure_ascii=False)


def _words(fault: DomainError, language: str) -> str:
    return text(fault.code, language, **fault.params)

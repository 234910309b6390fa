"""`telemed ai`: read files with the shipped models, list them, recompute the tables of their cards."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from ai_models.engine import Engine
from ai_models.reading import NO_MODEL, ModelReader, modality_of, parsed
from telemed import i18n
from telemed.domain.analysis import Analysis
from telemed.domain.errors import DomainError, Unreadable
from telemed.imaging.film import is_picture, read_picture

app = typer.Typer(no_args_is_help=True, help="Read with the shipped models; list and evaluate them.")


@app.command()
def read(
    paths: Annotated[list[Path], typer.Argument(help="DICOM files, or folders of them.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    waves: Annotated[
        bool, typer.Option("--waves", help="Add onset, peak and offset of every wave, ms.")
    ] = False,
    age: Annotated[float | None, typer.Option(help="Age in years, for a bare picture.")] = None,
    view: Annotated[str | None, typer.Option(help="View (PA, AP), for a bare picture.")] = None,
    heat_map: Annotated[
        bool, typer.Option("--heat-map", help="Add where a film network looked: attention, not an outline.")
    ] = False,
) -> None:
    """Run the matching model on each file; exit status 1 where a file could not be read."""
    reader = _reader()
    failed = False
    for path in _files(paths):
        for line in _lines(reader, path, waves, age, view):
            if not heat_map:
                line.pop("heat_map", None)
            failed = failed or "error" in line
            typer.echo(json.dumps(line, ensure_ascii=False) if as_json else _sentence(line))
    if failed:
        raise typer.Exit(1)


@app.command()
def models(
    as_json: Annotated[bool, typer.Option("--json", help="The registry as JSON.")] = False,
) -> None:
    """The registry: what is shipped, verified against its digest, and what it would run on."""
    engine = Engine()
    rows = []
    for manifest in engine.registry.models():
        try:
            identity = engine.identity(manifest.name)
        except DomainError as error:
            typer.echo(_text(error.code, error.params), err=True)
            raise typer.Exit(1) from error
        rows.append(
            {
                "name": manifest.name,
                "version": manifest.version,
                "sha256": identity.sha256,
                "task": manifest.task,
                "input": dict(manifest.domain),
                "preprocessing": manifest.preprocessing,
                "precision": identity.precision,
                "provider": identity.provider,
                "labels": [{"name": label.name, "threshold": label.threshold} for label in manifest.labels],
                "card": {language: str(manifest.card(language)) for language in i18n.languages},
            }
        )
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        typer.echo(f"{row['name']} {row['version']}  {row['task']}  {row['precision']}  {row['provider']}")
        typer.echo(f"  sha256 {row['sha256']}")


@app.command()
def evaluate(
    data: Annotated[
        Path | None, typer.Option(help="Folder with the public recordings (ptbxl, china, ludb).")
    ] = None,
) -> None:
    """Recompute the tables of the model card from the public recordings; skipped where they are absent."""
    from ai_models.ecg.delineation.training import evaluate as delineation
    from ai_models.ecg.training.data import DEFAULT_ROOT
    from ai_models.ecg.training.evaluate import NoData, report

    root = data or DEFAULT_ROOT
    try:
        typer.echo(report(root))
        typer.echo()
        typer.echo(delineation.report(root))
    except NoData:
        typer.echo(_text("ai.evaluate_no_data", {"folder": str(root)}), err=True)


def _reader() -> ModelReader:
    try:
        engine = Engine()
        engine.warm()
        return ModelReader(engine, engine.registry)
    except DomainError as error:
        typer.echo(_text(error.code, error.params), err=True)
        raise typer.Exit(1) from error


def _files(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(
                child for child in path.rglob("*") if child.is_file() and child.name != "DICOMDIR"
            )
        else:
            yield path


def _lines(
    reader: ModelReader, path: Path, waves: bool, age: float | None, view: str | None
) -> list[dict[str, Any]]:
    """One line a model; one alone where no model answers."""
    try:
        data = path.read_bytes()
    except OSError as error:
        return [
            {"path": str(path), "error": _text("file.not_read", {"detail": error.strerror or str(error)})}
        ]
    try:
        if is_picture(data):
            head = {"path": str(path), "sop_instance_uid": "", "modality": ""}
            film = read_picture(data, age_years=age, view=view)
            return [head | answer.as_json() for answer in reader.films.read(film) or (NO_MODEL,)]
        ds = parsed(data)
        answers = reader.read_all(ds, waves)
    except Unreadable as error:
        return [{"path": str(path), "error": _text(error.code, error.params), "code": error.code}]
    head = {
        "path": str(path),
        "sop_instance_uid": str(ds.get("SOPInstanceUID", "")),
        "modality": modality_of(ds),
    }
    return [head | answer.as_json() for answer in answers]


def _sentence(line: dict[str, Any]) -> str:
    if "error" in line:
        return f"{line['path']}: {line['error']}"
    analysis = Analysis.from_json(line)
    if not analysis.in_domain:
        return f"{line['path']}: {_text(str(analysis.reason), dict(analysis.reason_params))}"
    scores = " ".join(
        f"{finding.name} {finding.probability:.2f}{'*' if finding.flag else ''}"
        for finding in analysis.findings
    )
    measured = " ".join(f"{name} {value:g}" for name, value in analysis.measurements.items())
    return f"{line['path']}: {scores} {measured}".rstrip()


def _text(code: str, params: dict[str, str | int]) -> str:
    """The catalogue's sentence; a code that it lacks is shown with its facts rather than lost."""
    language = os.environ.get("TELEMED_LANGUAGE", "zh-CN")
    known = language if language in i18n.languages else "zh-CN"
    try:
        return i18n.text(code, known, **params)
    except KeyError:
        return str(DomainError(code, **params))

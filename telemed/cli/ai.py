"""`telemed ai`: read files with the shipped models, list them, recompute the tables of their cards."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from ai_models.ecg.interpretation.rules import RuleSet, rule_sets
from ai_models.engine import Engine
from ai_models.reading import NO_MODEL, ModelReader, modality_of, parsed
from telemed import i18n
from telemed.cli.backfill import backfill
from telemed.cli.recordings import as_dicom, files_below
from telemed.domain.analysis import Analysis
from telemed.domain.errors import DomainError, Unreadable
from telemed.imaging.film import is_picture, read_picture

app = typer.Typer(no_args_is_help=True, help="Read with the shipped models; list and evaluate them.")
app.command("backfill")(backfill)


@app.command()
def read(
    paths: Annotated[
        list[Path],
        typer.Argument(
            help="DICOM or ECG files of any supported format, films as PNG or JPEG, or folders of them."
        ),
    ],
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
            for packed in ("median_beat", "wave_marks"):  # for programs, not for reading
                line.pop(packed, None)
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
    rows += [_rules_row(engine, rules) for rules in rule_sets()[:1]]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        typer.echo(f"{row['name']} {row['version']}  {row['task']}  {row['precision']}  {row['provider']}")
        typer.echo(f"  sha256 {row['sha256']}")


def _rules_row(engine: Engine, rules: RuleSet) -> dict[str, Any]:
    """The rules for statements, listed like the models whose answers they read."""
    identity = rules.identity([engine.identity(name, used) for name, used in rules.networks.items()])
    return {
        "name": identity.name,
        "version": identity.version,
        "sha256": identity.sha256,
        "task": rules.task,
        "input": dict(rules.domain),
        "preprocessing": identity.preprocessing,
        "precision": identity.precision,
        "provider": identity.provider,
        "labels": [{"name": rule.code, "level": rule.level} for rule in rules.rules],
        "card": {language: str(rules.card(language)) for language in i18n.languages},
    }


@app.command()
def evaluate(
    data: Annotated[
        Path | None, typer.Option(help="Folder with the public recordings (ptbxl, china, ludb).")
    ] = None,
    films: Annotated[
        Path | None, typer.Option(help="Folder with the public chest films (kermany-224, nlm-tb-128, ...).")
    ] = None,
    statements: Annotated[
        bool, typer.Option("--statements", help="Only the tables of the rules for ECG statements.")
    ] = False,
) -> None:
    """Recompute the tables of the model cards from the public data; skipped where they are absent."""
    from ai_models.ecg.delineation.training import evaluate as delineation
    from ai_models.ecg.interpretation.evaluation import evaluate as interpretation
    from ai_models.ecg.training import quality
    from ai_models.ecg.training.data import DEFAULT_ROOT
    from ai_models.ecg.training.evaluate import NoData, report

    root = data or DEFAULT_ROOT
    if not statements:
        _evaluate_films(films)
    try:
        for part in [] if statements else [report, delineation.report, quality.report]:
            typer.echo(part(root))
            typer.echo()
        typer.echo(interpretation.report(root))
    except NoData:
        typer.echo(_text("ai.evaluate_no_data", {"folder": str(root)}), err=True)


def _evaluate_films(folder: Path | None) -> None:
    from ai_models.chest.training import data
    from ai_models.chest.training.evaluate import report

    root = folder or data.DEFAULT_ROOT
    try:
        typer.echo(report(root))
        typer.echo()
    except data.NoData:
        typer.echo(_text("ai.evaluate_no_films", {"folder": str(root)}), err=True)


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
            yield from files_below(path)
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
        read = as_dicom(path, data)
        ds = parsed(read)
        answers = reader.read_all(ds, waves)
    except OSError as error:
        detail = f"{error.filename}: {error.strerror or error}"
        return [{"path": str(path), "error": _text("file.not_read", {"detail": detail})}]
    except Unreadable as error:
        return [{"path": str(path), "error": _text(error.code, error.params), "code": error.code}]
    head = {
        "path": str(path),
        "sop_instance_uid": str(ds.get("SOPInstanceUID", "")) if read is data else "",
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
    said = "; ".join(one.text["en" if _language() == "en" else "zh"] for one in analysis.statements)
    return f"{line['path']}: " + " ".join(part for part in (scores, measured, said) if part)


def _language() -> str:
    language = os.environ.get("TELEMED_LANGUAGE", "zh-CN")
    return language if language in i18n.languages else "zh-CN"


def _text(code: str, params: dict[str, str | int]) -> str:
    """The catalogue's sentence; a code that it lacks is shown with its facts rather than lost."""
    try:
        return i18n.text(code, _language(), **params)
    except KeyError:
        return str(DomainError(code, **params))

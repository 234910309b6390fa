"""`telemed ai backfill`: an archive is read again with the models in service."""

import time
from typing import Annotated

import typer

from telemed.application.backfill import Standing, ask_again, standing
from telemed.application.world import World
from telemed.bootstrap import build
from telemed.cli.words import sentence_of
from telemed.settings import Settings

POLL_S = 2.0


def backfill(
    modality: Annotated[str, typer.Option(help="Modality of the cases.")] = "ECG",
    wait: Annotated[bool, typer.Option(help="Show the progress until all is read.")] = True,
) -> None:
    """Read every case again that lacks the answer of the newest approved model, after all other work.

    Stopping it stops only the display: the cases stay asked for, and the workers read on. Asked again, it goes on
    where it stood. Exit status 1 where a case could not be read; it keeps what it had.
    """
    application = build(Settings.from_environment(), sessions_here=False)
    try:
        asked = ask_again(application.world, modality=modality)
        first = standing(application.world, modality=modality)
        typer.echo(sentence_of("ai.backfill_asked", cases=asked, left=first.open))
        if wait and first.open:
            _watch(application.world, modality, first)
    finally:
        application.close()


def _watch(world: World, modality: str, first: Standing) -> None:
    told, now = -1, first
    while now.open:
        time.sleep(POLL_S)
        now = standing(world, modality=modality)
        answered = max(first.open - now.open - _given_up(first, now), 0)
        if answered != told:
            typer.echo(sentence_of("ai.backfill_progress", done=answered, total=first.open))
            told = answered
    if _given_up(first, now):
        counts = {"failed": max(now.failed - first.failed, 0), "out": max(now.out - first.out, 0)}
        typer.echo(sentence_of("ai.backfill_unread", answered=told, **counts), err=True)
        raise typer.Exit(1)


def _given_up(first: Standing, now: Standing) -> int:
    """Since `first`: what was given up in an earlier reading and is not asked for now stays out of the count."""
    return max(now.failed - first.failed, 0) + max(now.out - first.out, 0)

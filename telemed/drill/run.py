"""`telemed drill`: one row a drill, in words."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from telemed.domain.errors import DomainError, InvalidInput
from telemed.drill.full_disk import full_disk
from telemed.drill.kill import kill
from telemed.drill.kill_random import kill_random
from telemed.drill.late_image import late_image
from telemed.drill.line_cut import line_cut
from telemed.drill.row import DrillRow, Outcome
from telemed.drill.same_uid import same_uid
from telemed.drill.wrong_patient import wrong_patient
from telemed.i18n import text

__all__ = ["DRILLS", "DrillRow", "run_drills"]


class Drill(Protocol):
    def __call__(self, *, quick: bool = False) -> Outcome: ...


DRILLS: dict[str, Drill] = {
    "line_cut": line_cut,
    "same_uid": same_uid,
    "late_image": late_image,
    "wrong_patient": wrong_patient,
    "full_disk": full_disk,
    "kill": kill,
    "kill_random": kill_random,
}


def run_drills(names: Sequence[str], *, language: str = "zh-CN", quick: bool = False) -> Iterator[DrillRow]:
    """All where none is named; raises InvalidInput for a name that is no drill, before the first one starts."""
    unknown = [name for name in names if name not in DRILLS]
    if unknown:
        raise InvalidInput("drill.unknown", names=", ".join(unknown), known=", ".join(DRILLS))
    return _rows(names or list(DRILLS), language, quick)


def _rows(names: Sequence[str], language: str, quick: bool) -> Iterator[DrillRow]:
    for name in names:
        yield in_words(name, _outcome(DRILLS[name], quick), language)


def _outcome(drill: Drill, quick: bool) -> Outcome:
    """A drill that could not be carried through has failed, and the others still have their turn."""
    try:
        return drill(quick=quick)
    except DomainError as fault:
        return Outcome([str(fault)], {})


def in_words(name: str, outcome: Outcome, language: str) -> DrillRow:
    """What was observed, in sentences; where a promise broke the sentence says only that, and where to look."""

    def sentence(column: str) -> str:
        if outcome.faults:
            return text("drill.broken", language, count=len(outcome.faults))
        return text(f"drill.{name}.{column}", language, **outcome.facts)

    return DrillRow(
        name=name,
        sender_saw=sentence("sender"),
        stored=sentence("stored"),
        told=sentence("told"),
        ok=not outcome.faults,
        detail=outcome.detail,
    )
